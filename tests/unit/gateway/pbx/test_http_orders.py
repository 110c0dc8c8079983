"""Calls ordered over HTTP: our own contract, and Ringostat's callback."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import orjson
import pytest

from gateway.pbx.capabilities import (
    CannotTell,
    FindResult,
    Live,
    NotSeen,
    PlaceOrder,
    PlaceUnknown,
    RefusedByPbx,
)
from gateway.pbx.generic import orders as generic
from gateway.pbx.kinds import KINDS
from gateway.pbx.port import WireInvalid
from gateway.pbx.ringostat import callback as ringostat
from routing.calls.fold import fold
from routing.outbound.outcome import outcome_of
from runtime.vendors.http import HttpAnswer
from tests.unit.gateway.pbx.builders import a_connection, a_request

ATTEMPT = "0b0f6c2e-5f5b-4c43-9d2b-0d6f7e1a2b3c"
ORDER = PlaceOrder(
    attempt_id=ATTEMPT,
    extension="101",
    number="+79161234567",
    line="+74951234567",
    display_name="  Анна\r\nX-Evil: 1 ",
)
PBX = a_connection(
    "generic", settings={"originate_url": "http://pbx/calls/"}, keys={"originate_token": "t0ken"}
)
RINGOSTAT = a_connection("ringostat", settings={"project_id": "77"}, keys={"auth_key": "k"})


def an_answer(status: int, body: Any = None) -> HttpAnswer:
    return HttpAnswer(status, {}, body if isinstance(body, bytes) else orjson.dumps(body))


# -- our own contract ---------------------------------------------------------------------------------------------------


def test_an_order_says_whom_to_ring_and_how_long() -> None:
    question = generic.order_question(ORDER, PBX)
    assert (question.method, question.url, question.seconds) == ("POST", "http://pbx/calls", 10.0)
    assert question.headers == {
        "Content-Type": "application/json",
        "Idempotency-Key": ATTEMPT,
        "Authorization": "Bearer t0ken",
    }
    assert orjson.loads(question.body or b"") == {
        "attempt_id": ATTEMPT,
        "employee": "101",
        "group": None,
        "client": "+79161234567",
        "line": "+74951234567",
        "ring_seconds": 25,
        "client_ring_seconds": 30,
        "name": "Анна X-Evil: 1",
    }
    assert b"t0ken" not in question.shown


def test_a_group_is_ordered_by_its_number() -> None:
    question = generic.order_question(replace(ORDER, extension=None, group="200"), PBX)
    told = orjson.loads(question.body or b"")
    assert (told["employee"], told["group"]) == (None, "200")
    assert "Authorization" not in generic.order_question(ORDER, replace(PBX, keys={})).headers


@pytest.mark.parametrize(
    ("status", "body", "code", "concerns"),
    [
        (422, {"reason": "no_such_employee", "message": "nobody has 101"}, "no-such-employee", "this_call"),
        (400, {"reason": "no_money", "concerns": "connection"}, "no-money", "connection"),
        (409, {"reason": "busy", "concerns": "limit"}, "busy", "limit"),
        (409, {"reason": "busy", "concerns": "everything"}, "busy", "this_call"),
        (422, {"reason": "Сюда нельзя"}, "order-refused", "this_call"),
        (422, {"reason": ["x"]}, "order-refused", "this_call"),
        (422, b"<html>", "order-refused", "this_call"),
        (429, None, "pbx-throttled", "limit"),
        (401, None, "pbx-refused", "connection"),
        (404, b"", "pbx-refused", "connection"),
        (302, b"", "pbx-refused", "connection"),
    ],
)
def test_a_refusal_has_a_reason(status: int, body: Any, code: str, concerns: str) -> None:
    told = generic.told_by(an_answer(status, body))
    assert isinstance(told, RefusedByPbx)
    assert (told.code, told.concerns) == (code, concerns)
    assert told.words


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_good_status_is_taken(status: int) -> None:
    assert generic.told_by(an_answer(status, b"whatever")) is None


@pytest.mark.parametrize("status", [408, 500, 502, 503])
def test_a_fault_of_the_pbx_is_unknown(status: int) -> None:
    assert isinstance(generic.told_by(an_answer(status, {"reason": "no_money"})), PlaceUnknown)


@pytest.mark.parametrize(
    ("answer", "is_known_as"),
    [
        (an_answer(200, {"state": "operator_ringing"}), Live("operator_ringing")),
        (an_answer(200, {"state": "talking"}), Live("talking")),
        (an_answer(404, {"state": "gone"}), NotSeen()),
        (an_answer(200, {"state": "gone"}), NotSeen()),
        (an_answer(200, {"state": "over"}), CannotTell("HTTP 200")),
        (an_answer(404, b"<html>"), CannotTell("HTTP 404")),
        (an_answer(405, b""), CannotTell("HTTP 405")),
    ],
)
def test_only_a_pbx_that_knows_attempts_says_that_one_is_gone(
    answer: HttpAnswer, is_known_as: FindResult
) -> None:
    assert generic.found(answer) == is_known_as


def a_push(event: str, **fields: Any) -> Any:
    sides = {"from": "101", "to": "+79161234567", "direction": "out", "callback": "1"}
    return a_request(body={"event": event, "callId": "g", "attempt_id": ATTEMPT, **sides, **fields})


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ([a_push("hangup", cause="busy", side="employee")], ("operator", "busy")),
        ([a_push("hangup", cause="rejected", side="employee")], ("operator", "declined")),
        ([a_push("hangup", cause="cancel", side="employee_hung_up")], ("operator", "hung_up")),
        ([a_push("hangup", cause="noAnswer", side="client")], ("client", "no_answer")),
        ([a_push("hangup", cause="badNumber", side="client")], ("client", "bad_number")),
        ([a_push("hangup", cause="404", side="client")], ("client", "bad_number")),
        ([a_push("hangup", cause="notFound", side="client")], ("client", "unreachable")),
        ([a_push("hangup", cause="machine", side="client")], ("client", "machine")),
        ([a_push("hangup", cause="badNumber", side="employee")], ("operator", "unreachable")),
        ([a_push("answer"), a_push("hangup", cause="normalClearing")], ("talked", "talked")),
        ([a_push("hangup", cause="busy")], ("unknown", "never_heard_of")),
    ],
)
def test_events_of_an_ordered_call_tell_what_it_came_to(events: list[Any], outcome: tuple[str, str]) -> None:
    for order in permutations([a_push("newCall"), *events]):
        call = fold([told for one in order for told in KINDS["generic"].parse(one, PBX).events])
        known = outcome_of(call)
        assert known is not None
        assert (known.side, known.reason, call.attempt) == (*outcome, ATTEMPT)
        assert (call.direction, call.is_callback) == ("outbound", True)


def test_an_id_that_is_none_of_ours_is_left_out() -> None:
    one = a_request(body={"event": "newCall", "callId": "g", "attempt_id": "42"})
    (event,) = KINDS["generic"].parse(one, PBX).events
    assert (event.attempt, event.params) == (None, {})


# -- Ringostat -----------------------------------------------------------------------------------------------------------


def test_ringostat_is_asked_to_ring_the_employee_first() -> None:
    question = ringostat.order_question(ORDER, RINGOSTAT)
    assert (question.method, question.url) == ("POST", "https://api.ringostat.net/a/v2")
    assert question.headers["Auth-key"] == "k"
    assert orjson.loads(question.body or b"") == {
        "jsonrpc": "2.0",
        "id": ATTEMPT,
        "method": r"Api\V2\Callback.external",
        "params": {
            "projectId": "77",
            "caller": "79161234567",
            "caller_type": "default",
            "callee": "101",
            "callee_type": "default",
            "manager_dst": 0,
            "direction": "out",
        },
    }
    with pytest.raises(WireInvalid):
        ringostat.order_question(replace(ORDER, extension=None, group="200"), RINGOSTAT)


@pytest.mark.parametrize(
    ("body", "becomes"),
    [
        ({"jsonrpc": "2.0", "result": "ok"}, None),
        ({"jsonrpc": "2.0", "result": None}, None),
        ({"result": "ok", "error": None}, None),
        ({"error": {"code": -32601, "message": "Method not found"}}, "connection"),
        ({"error": {"code": 12, "message": "Authentication failed"}}, "connection"),
        ({"error": {"code": 12, "message": "Wrong callee"}}, "this_call"),
        ({"error": "Wrong callee"}, "this_call"),
        ({"error": {"code": {}, "message": []}}, "this_call"),
        ({}, PlaceUnknown),
        (b"<html>", PlaceUnknown),
        ([], PlaceUnknown),
    ],
)
def test_ringostat_refuses_with_status_200(body: Any, becomes: Any) -> None:
    told = ringostat.told_by(an_answer(200, body))
    if isinstance(told, RefusedByPbx):
        assert told.concerns == becomes
    else:
        assert told is becomes or isinstance(told, becomes)


def test_what_a_connection_lacks_for_orders() -> None:
    for able, lacking in (
        (PBX, replace(PBX, settings={})),
        (RINGOSTAT, replace(RINGOSTAT, settings={})),
        (RINGOSTAT, replace(RINGOSTAT, keys={})),
    ):
        assert KINDS[able.kind].originator(able) is not None
        assert KINDS[lacking.kind].originator(lacking) is None
