"""Kamailio: what its recipe posts, and the rtjson document that it is answered."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from gateway.pbx.kamailio.adapter import KamailioKind
from gateway.pbx.port import WireInvalid
from routing.calls.fold import fold
from routing.calls.model import Disposition
from tests.unit.gateway.pbx.builders import a_case, a_connection, a_request, an_answer

KIND = KamailioKind()
CASE = a_case("kamailio", "recipe")


def events(*bodies: dict[str, Any]) -> list[Any]:
    return [e for body in bodies for e in KIND.parse(a_request(body=body), a_connection("kamailio")).events]


def test_the_recipes_messages_make_one_answered_call() -> None:
    call = fold(events(*(CASE[name] for name in ("invite", "ringing", "answer", "bye"))))
    assert (call.direction, call.client, call.line) == ("inbound", "+79001234567", "74951234567")
    assert (call.disposition, call.answered_by, call.talk_seconds) == (Disposition.ANSWERED, "101", 30)


@pytest.mark.parametrize(
    ("code", "disposition"),
    [
        (486, "busy"),
        (600, "busy"),
        (487, "cancelled"),
        (408, "no_answer"),
        (480, "no_answer"),
        (603, "rejected"),
        (404, "failed"),
        (503, "failed"),
        ("486", "busy"),
    ],
)
def test_the_final_status_tells_how_it_came_out(code: Any, disposition: str) -> None:
    assert (
        fold(events(CASE["invite"], {**CASE["invite"], "event": "failure", "code": code})).disposition
        == disposition
    )


def test_a_cancel_is_the_caller_giving_up() -> None:
    assert (
        fold(events(CASE["invite"], {**CASE["invite"], "event": "cancel"})).disposition
        is Disposition.CANCELLED
    )


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("event", {"event": "x"}),
        ("callId", {"callId": None}),
    ],
)
def test_what_is_wrong_is_refused_by_its_name(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(WireInvalid) as refused:
        events({**CASE["invite"], **changes})
    assert refused.value.field == field


@pytest.mark.parametrize("code", [999, "busy", {}])
def test_a_code_that_is_none_still_ends_the_call(code: Any) -> None:
    parsed = KIND.parse(
        a_request(body={**CASE["bye"], "event": "failure", "code": code}), a_connection("kamailio")
    )
    assert [event.kind for event in parsed.events] == ["ended"]
    assert parsed.spoilt == ("code",)


def test_the_answer_is_a_serial_list_of_routes() -> None:
    settings = {"domain": "10.0.0.5:5060"}
    connection = a_connection("kamailio", dialect="rtjson", settings=settings)
    document = orjson.loads(KIND.lookup_answer(an_answer("101", "anna@sip.example"), connection)[1])
    assert (document["version"], document["routing"]) == ("1.0", "serial")
    assert document["routes"] == [
        {"uri": "sip:101@10.0.0.5:5060", "fr_inv_timer": 20000},
        {"uri": "sip:anna@sip.example", "fr_inv_timer": 20000},
    ]
    assert orjson.loads(KIND.lookup_answer(an_answer(), connection)[1])["routes"] == []


def test_plain_json_and_text_are_there_too() -> None:
    plain = a_connection("kamailio")
    assert orjson.loads(KIND.lookup_answer(an_answer("101"), plain)[1]) == an_answer("101")
    assert KIND.lookup_answer(an_answer("101"), plain, "text")[1] == b"101"
    assert b"sip:101@" in KIND.lookup_answer(an_answer("101"), plain, "rtjson")[1]


def test_the_question_is_posted_as_json() -> None:
    asked = KIND.lookup_request(
        a_request(body={"from": "+79001234567", "to": "700", "callId": "x"}), a_connection()
    )
    assert (asked.phone, asked.did, asked.call_id) == ("+79001234567", "700", "x")
