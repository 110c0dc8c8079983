"""Ringostat: webhooks under all their names, the question before the answer, the call log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import orjson
import pytest

from gateway.pbx.call_log import Window, windows
from gateway.pbx.port import Inbound, WireInvalid
from gateway.pbx.ringostat.adapter import RingostatKind
from gateway.pbx.ringostat.calls_list import MOST_CALLS, halves, query
from gateway.pbx.ringostat.wire import parse_calls_list
from routing.calls.fold import fold
from routing.calls.model import Call, Disposition
from tests.unit.gateway.pbx.builders import CASES, a_case, a_connection, a_request, an_answer

KIND = RingostatKind()
PBX = a_connection("ringostat", lines=("+380441112233",))
CASE = a_case("ringostat", "webhooks")
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def call_of(*requests: Inbound) -> Call:
    return fold([event for request in requests for event in KIND.parse(request, PBX).events])


def a_hook(moment: str = "after", **fields: Any) -> Inbound:
    fields = {
        "call_id": "ua-1",
        "caller": "380671112233",
        "callee": "380441112233",
        "call_type": "in",
        **fields,
    }
    return a_request(moment, query={name: str(value) for name, value in fields.items()})


def test_the_classic_query_is_an_answered_call() -> None:
    call = call_of(a_request("after", query=dict(parse_qsl(CASE["classic_query"]))))
    assert (call.call_key, call.client, call.line) == ("ua-1795262400.101", "380671112233", "380441112233")
    assert (call.disposition, call.answered_by, call.talk_seconds) == (Disposition.ANSWERED, "101", 31)
    assert call.recording == "https://app.ringostat.com/recordings/ua-1.wav"
    assert (call.started_at, call.ended_at) == (NOON, NOON + timedelta(seconds=40))


def test_webhooks_2_json_is_a_missed_call_with_its_marketing() -> None:
    call = call_of(a_request(body=CASE["webhooks_2_json"]))
    assert (call.disposition, call.is_over, call.recording) == (Disposition.NO_ANSWER, True, None)
    assert {name: call.params[name] for name in ("utm_source", "pool", "landing", "client_id")} == {
        "utm_source": "google",
        "pool": "Main",
        "landing": "https://example.com/",
        "client_id": "1.2",
    }


def test_nested_data_counts_and_a_callback_is_incoming() -> None:
    call = call_of(a_request(body=CASE["nested_json"]))
    assert (call.direction, call.is_callback, call.answered_by) == ("inbound", True, "101")
    assert call.params["department"] == "Sales"
    as_text = {
        **CASE["nested_json"],
        "additional_call_data": orjson.dumps(CASE["nested_json"]["additional_call_data"]).decode(),
    }
    assert call_of(a_request(form=as_text)) == call


def test_an_outgoing_call_has_its_client_on_the_other_side() -> None:
    call = call_of(a_request("outgoing-after", form=CASE["outgoing_form"]))
    assert (call.direction, call.client, call.answered_by) == ("outbound", "380671112233", "101")


@pytest.mark.parametrize(
    ("word", "disposition"),
    [
        ("ANSWERED", "answered"),
        ("PROPER", "answered"),
        ("REPEATED", "answered"),
        ("NO ANSWER", "no_answer"),
        ("no_answer", "no_answer"),
        ("NO-FORWARD", "no_answer"),
        ("VOICEMAIL", "no_answer"),
        ("CLIENT+NO+ANSWER", "no_answer"),
        ("BUSY", "busy"),
        ("DECLINE", "rejected"),
        ("FAILED", "failed"),
        ("WRONG_EXTENSION", "failed"),
        ("NO EXTENSION", "failed"),
        ("FAILED FORBIDDEN DESTINATION", "failed"),
    ],
)
def test_dispositions_whatever_their_separators(word: str, disposition: str) -> None:
    assert call_of(a_hook(disposition=word)).disposition == disposition


def test_a_new_disposition_ends_the_call_and_the_talk_time_tells_how() -> None:
    parsed = KIND.parse(a_hook("", disposition="ABDUCTED"), PBX)
    assert parsed.spoilt == ("disposition",)
    assert (fold(parsed.events).is_over, fold(parsed.events).is_answered) == (True, False)
    call = call_of(a_hook(disposition="ABDUCTED", billsec=9))
    assert (call.disposition, call.params["disposition"]) == (Disposition.ANSWERED, "ABDUCTED")


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("event", {"event": "teleport"}),
        ("call_type", {"call_type": "sideways"}),
        ("calldate", {"calldate": "soon"}),
        ("billsec", {"billsec": "long"}),
        ("additional_call_data", {"additional_call_data": "[1"}),
    ],
)
def test_what_is_wrong_costs_itself_only(field: str, fields: dict[str, Any]) -> None:
    parsed = KIND.parse(a_hook(**fields), PBX)
    call = fold(parsed.events)
    assert parsed.spoilt == (field,)
    assert (call.call_key, call.client, call.direction) == ("ua-1", "380671112233", "inbound")


def test_without_an_id_nothing_can_be_kept() -> None:
    with pytest.raises(WireInvalid, match="call_id"):
        call_of(a_hook(call_id=""))


def test_without_a_named_moment_the_fields_tell_it() -> None:
    assert call_of(a_hook("")).disposition is Disposition.RINGING
    assert call_of(a_hook("", billsec=5)).is_over


def test_dates_are_in_the_projects_zone() -> None:
    kyiv = a_connection("ringostat", settings={"time_zone": "Europe/Kyiv"})
    (event,) = KIND.parse(a_hook("before", calldate="2026-11-21 14:00:00"), kyiv).events
    assert event.at == NOON


def test_another_field_may_be_the_key() -> None:
    chosen = a_connection("ringostat", settings={"call_id_field": "cdr_id"})
    (event,) = KIND.parse(a_hook(cdr_id="77"), chosen).events
    assert event.call_key == "77"


def test_the_secret_comes_in_the_url_or_as_auth_key() -> None:
    assert KIND.authenticate(a_request(query={"token": "demo"}), PBX)
    assert KIND.authenticate(a_request(headers={"auth-key": "demo"}), PBX)
    assert not KIND.authenticate(a_request(headers={"Auth-Key": "nope"}), PBX)
    assert not KIND.authenticate(a_request(), PBX)


@pytest.mark.parametrize(
    "request_",
    [
        a_request(query={"caller": "380671112233", "callee": "380441112233"}),
        a_request(form={"E164": "380671112233", "dst": "380441112233"}),
        a_request(body={"userfield": "380671112233", "n_alias": "380441112233"}),
        a_request(
            body={
                "jsonrpc": "2.0",
                "id": 1,
                "method": "m",
                "params": {"caller": "380671112233", "callee": "380441112233"},
            }
        ),
        a_request(
            body={
                "jsonrpc": "2.0",
                "id": 1,
                "method": "m",
                "params": [{"caller": "380671112233", "callee": "380441112233"}],
            }
        ),
        a_request(body={"additional_call_data": {"caller": "380671112233", "callee": "380441112233"}}),
    ],
)
def test_the_question_is_read_in_every_way_of_submitting_it(request_: Inbound) -> None:
    asked = KIND.lookup_request(request_, PBX)
    assert (asked.phone, asked.did) == ("380671112233", "380441112233")


def test_a_question_that_cannot_be_read_is_one_about_nobody() -> None:
    for body in (b"{", b"\xff", b'{"additional_call_data":[1]}'):
        assert KIND.lookup_request(a_request(body=body), PBX).phone is None


def test_the_answer_is_the_bare_address_or_one_key() -> None:
    answer = an_answer("+380671112299", kind="phone")
    bare = a_connection("ringostat", dialect="ringostat_text")
    keyed = a_connection("ringostat", dialect="ringostat", settings={"answer_key": "goto"})
    assert KIND.lookup_answer(answer, bare)[1] == b"380671112299"
    assert KIND.lookup_answer(an_answer(), bare)[1] == b""
    assert orjson.loads(KIND.lookup_answer(answer, keyed)[1]) == {"goto": "380671112299"}
    plain = orjson.loads(KIND.lookup_answer(an_answer("101"), PBX)[1])
    assert plain == {"destination": "101", **an_answer("101")}


def test_the_call_log_gives_the_same_calls_as_the_webhooks() -> None:
    body = (CASES / "ringostat" / "calls_list.json").read_bytes()
    events, refused = parse_calls_list(body, PBX)
    seen = call_of(a_request("after", query=dict(parse_qsl(CASE["classic_query"]))))
    read = fold([event for event in events if event.call_key == seen.call_key])
    for name in (
        "client",
        "line",
        "direction",
        "disposition",
        "talk_seconds",
        "started_at",
        "ended_at",
        "recording",
    ):
        assert getattr(read, name) == getattr(seen, name), name
    assert [event.call_key for event in events] == ["ua-1795262400.101", "ua-1795262700.105"]
    assert ["call 2: calldate" in refused[0], "call 3: calldate" in refused[1]] == [True, True]


def test_an_empty_log_is_no_calls_and_an_error_page_is_refused() -> None:
    assert parse_calls_list(b"[]", PBX) == ((), ())
    for body in (b"<html>", b'{"error":1}'):
        with pytest.raises(WireInvalid):
            parse_calls_list(body, PBX)


def test_a_range_is_asked_for_day_by_day_and_halved_when_the_answer_is_full() -> None:
    days = windows(NOON - timedelta(hours=60), NOON)
    assert [day.until - day.since for day in days] == [timedelta(hours=h) for h in (24, 24, 12)]
    assert (days[0].since, days[-1].until) == (NOON - timedelta(hours=60), NOON)
    assert halves(days[0], MOST_CALLS - 1) == ()
    first, second = halves(days[0], MOST_CALLS)
    assert (first.since, first.until, second.until) == (days[0].since, second.since, days[0].until)
    assert halves(Window(NOON, NOON + timedelta(seconds=1)), MOST_CALLS) == ()


def test_the_log_is_asked_for_in_the_projects_zone() -> None:
    kyiv = a_connection("ringostat", settings={"time_zone": "Europe/Kyiv"})
    asked = parse_qs(query(Window(NOON, NOON + timedelta(hours=1)), kyiv))
    assert (asked["from"], asked["to"]) == (["2026-11-21 14:00:00"], ["2026-11-21 15:00:00"])
    assert asked["export_type"] == ["json"]


def test_a_callbacks_employee_is_no_line() -> None:
    call = call_of(a_hook(caller="380671112233", callee="106", call_type="callback", employee_number="106"))
    assert (call.client, call.line) == ("380671112233", None)
