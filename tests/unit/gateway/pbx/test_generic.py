"""The generic kind: what it reads, what it refuses by name, what it answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.pbx.generic.adapter import GenericKind
from gateway.pbx.port import WireInvalid
from routing.calls.fold import fold
from routing.calls.model import CallEvent, Disposition, EventKind
from tests.unit.gateway.pbx.builders import RECEIVED, a_case, a_connection, a_request, an_answer

KIND = GenericKind()


def a_new_call(**fields: Any) -> dict[str, Any]:
    return {
        "event": "newCall",
        "callId": "c1",
        "from": "+79001234567",
        "to": "+74951234567",
        "direction": "in",
        "at": "2026-11-21T15:00:00+03:00",
        **fields,
    }


_texts = st.sampled_from(["newCall", "hangup", "2026-11-21T12:00:00Z"]) | st.text(
    "a1 +я[]{\x00\u0661", max_size=6
)


def parse(body: dict[str, Any], **connection: Any) -> Any:
    return KIND.parse(a_request(body=body), a_connection(**connection))


def test_json_form_and_query_say_the_same_and_are_the_same_message() -> None:
    fields = a_new_call(extension="101", utm_source="ya", pool="main")
    as_json = KIND.parse(a_request(body=fields), a_connection())
    as_form = KIND.parse(a_request(form=fields), a_connection())
    as_query = KIND.parse(a_request(query={**fields, "token": "demo"}), a_connection())
    assert as_json == as_form == as_query
    started, rang = as_json.events
    assert (started.kind, started.client, started.line) == (EventKind.STARTED, "+79001234567", "+74951234567")
    assert started.at == datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    assert started.params == {"utm_source": "ya", "pool": "main"}
    assert (rang.kind, rang.party) == (EventKind.RANG, "101")


def test_the_order_of_fields_does_not_make_another_message() -> None:
    fields = a_new_call()
    backwards = dict(reversed(fields.items()))
    assert parse(fields).canonical == parse(backwards).canonical
    assert parse(fields).canonical != parse(a_new_call(callId="c2")).canonical


def test_without_a_time_the_time_of_receipt_counts() -> None:
    assert parse(a_new_call(at=None)).events[0].at == RECEIVED


def test_the_event_may_stand_in_the_path() -> None:
    fields = a_new_call()
    del fields["event"]
    parsed = KIND.parse(a_request("newCall", body=fields), a_connection())
    assert parsed.events[0].kind is EventKind.STARTED


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("event", {"event": "explode"}),
        ("event", {"event": None}),
        ("event", {"event": {"a": 1}}),
        ("callId", {"callId": ""}),
        ("callId", {"callId": ["c1"]}),
    ],
)
def test_what_nothing_can_be_kept_of_is_refused_by_its_name(field: str, fields: dict[str, Any]) -> None:
    with pytest.raises(WireInvalid) as refused:
        parse(a_new_call(**fields))
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("from", {"from": {"number": 1}}),
        ("direction", {"direction": "sideways"}),
        ("at", {"at": "yesterday"}),
        ("at", {"at": "2026-11-21T12:00:00"}),
        ("at", {"at": "0001-01-01T00:00:00+14:00"}),
        ("billsec", {"event": "hangup", "billsec": "a while"}),
        ("billsec", {"event": "hangup", "billsec": -1}),
        ("cause", {"event": "hangup", "cause": "aliens"}),
        ("recording", {"event": "recording", "recording": {"href": "x"}}),
        ("at", {"at": "2099-01-01T00:00:00Z"}),
        ("params", {"params": "a=b"}),
    ],
)
def test_any_other_wrong_field_costs_itself_only(field: str, fields: dict[str, Any]) -> None:
    sent = a_new_call(**fields)
    parsed = parse(sent)
    assert parsed.spoilt == (field,)
    (call,) = {event.call_key: fold(parsed.events) for event in parsed.events}.values()
    whole = {"from": "+79001234567", "direction": "inbound", "at": RECEIVED}
    del whole[field if field in whole else "at"]
    told = {"from": call.client, "direction": call.direction, "at": parsed.events[0].at}
    assert (call.call_key, call.line) == ("c1", "+74951234567")
    assert {name: told[name] for name in whole if name != "at"} == {
        name: value for name, value in whole.items() if name != "at"
    }
    assert field != "at" or told["at"] == RECEIVED


@pytest.mark.parametrize("body", [b"{", b"[1]", b'{"a":' * 100_000, b"a=1&" * 1001])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(WireInvalid) as refused:
        KIND.parse(a_request(body=body), a_connection())
    assert refused.value.field == "body"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from(["event", "callId", "at", "from", "billsec", "user", "x"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(codec="utf-8"))
        | st.lists(st.text(st.characters(codec="utf-8"))),
    )
)
def test_whatever_is_sent_is_an_event_or_a_named_refusal(fields: dict[str, Any]) -> None:
    try:
        told = parse(fields).events
    except WireInvalid as refused:
        told = refused.field
    assert told or str(fields.get("event")).lower() in ("dtmf", "ping")


def test_unknown_fields_are_kept_and_params_win_over_them() -> None:
    parsed = parse(a_new_call(roistat="1", landing="/a", params={"landing": "/b", "n": 5, "o": {"k": [1]}}))
    assert parsed.events[0].params == {"roistat": "1", "landing": "/b", "n": "5", "o": '{"k":[1]}'}


def test_sipgates_own_messages_make_one_answered_call() -> None:
    case = a_case("generic", "sipgate")
    events: list[CallEvent] = []
    for name in ("newCall", "answer", "hangup"):
        request = a_request(
            form=None, body=case[name].encode(), headers={"Content-Type": "application/x-www-form-urlencoded"}
        )
        events += KIND.parse(request, a_connection(lines=())).events
    call = fold(events)
    assert (call.client, call.line) == ("492111234567", "4915791234567")
    assert call.rung[:2] == ("Alice", "Bob")
    assert (call.disposition, call.answered_by) == (Disposition.ANSWERED, "21199999999")


@pytest.mark.parametrize("shown", ["79001234567", "74951234567"], ids=["the client", "our line"])
@pytest.mark.parametrize("direction", ["in", "out"])
def test_a_leg_to_a_mobile_with_an_id_of_its_own_is_part_of_the_call_that_it_came_from(
    direction: str, shown: str
) -> None:
    """For the PBX the leg goes out. What it shows is the client's number or ours."""
    first = {"callId": "a", "from": "79001234567", "to": "74951234567", "direction": "in"}
    leg = {"callId": "b", "origCallId": "a", "from": shown, "to": "79051112222", "direction": direction}
    told = [
        {"event": "newCall", "at": "2026-11-21T12:00:00Z", **first},
        {"event": "newCall", "at": "2026-11-21T12:00:04Z", **leg},
        {"event": "answer", "at": "2026-11-21T12:00:09Z", "answeringNumber": "79051112222", **leg},
        {"event": "hangup", "at": "2026-11-21T12:00:29Z", "cause": "normalClearing", **leg},
        {"event": "hangup", "at": "2026-11-21T12:00:29Z", "cause": "forwarded", **first},
    ]
    pbx = a_connection(lines=("74951234567",))
    events = [e for fields in told for e in KIND.parse(a_request(form=fields), pbx).events]
    for lost in range(-1, len(told)):
        kept = [fields for place, fields in enumerate(told) if place != lost]
        call = fold([e for fields in kept for e in KIND.parse(a_request(form=fields), pbx).events])
        assert (call.call_key, call.direction, call.line) == ("a", "inbound", "74951234567"), lost
        assert call.client == "79001234567", lost
        if lost != 2:
            assert (call.answered_by, call.talk_seconds) == ("79051112222", 20), lost
    assert fold(events).rung == ("79051112222",)


def test_a_voicemail_that_picks_up_is_nobody() -> None:
    case = a_case("generic", "sipgate")
    events: list[CallEvent] = []
    for name in ("newCall", "voicemail"):
        events += KIND.parse(a_request(body=case[name].encode()), a_connection(lines=())).events
    hangup = dict(parse_qsl(case["hangup"])) | {"answeringNumber": "voicemail"}
    call = fold([*events, *KIND.parse(a_request(form=hangup), a_connection()).events])
    assert (call.is_over, call.is_answered) == (True, False)


@pytest.mark.parametrize(("place", "is_left"), [("queue", True), ("voicemail", True), ("ivr", False)])
def test_a_client_passed_on_to_a_queue_or_mailbox_is_left_waiting(place: str, is_left: bool) -> None:
    told: list[dict[str, Any]] = [
        {"event": "newCall", "at": "2026-11-21T15:00:00+03:00"},
        {"event": "answer", "at": "2026-11-21T15:00:05+03:00", "extension": "101"},
        {"event": "leave", "at": "2026-11-21T15:00:15+03:00", "extension": "101"},
        {"event": "answer", "at": "2026-11-21T15:00:15+03:00", "extension": place},
        {"event": "hangup", "at": "2026-11-21T15:00:59+03:00", "cause": "normalClearing", "billsec": 54},
    ]
    call = fold([event for fields in told for event in parse(a_new_call(**fields)).events])
    assert (call.answered_by, call.talk_seconds, call.is_left_waiting) == ("101", 10, is_left)


def test_key_presses_are_accepted_and_mean_nothing() -> None:
    assert (
        KIND.parse(a_request(body=a_case("generic", "sipgate")["dtmf"].encode()), a_connection()).events == ()
    )


def test_zammads_own_messages_make_one_answered_call_unless_the_answer_is_missing() -> None:
    case = a_case("generic", "zammad")
    events = [e for name in ("newCall", "answer", "hangup") for e in parse(case[name]).events]
    call = fold(events)
    assert (call.disposition, call.answered_by, call.params["queue"]) == (Disposition.ANSWERED, "21", "sales")
    missed = fold([e for name in ("newCall", "hangup") for e in parse(case[name]).events])
    assert missed.disposition is Disposition.CANCELLED


def test_a_hangup_with_talk_time_proves_the_answer_that_got_lost() -> None:
    hangup = a_new_call(
        event="hangup", at="2026-11-21T15:01:00+03:00", billsec=40, extension="101", cause="normalClearing"
    )
    call = fold([*parse(a_new_call()).events, *parse(hangup).events])
    assert (call.answered_by, call.talk_seconds, call.wait_seconds) == ("101", 40, 20)


@pytest.mark.parametrize(
    ("caller", "called", "told"),
    [
        ("+79001234567", "8 (495) 123-45-67", ("inbound", "+79001234567", "8 (495) 123-45-67")),
        ("84951234567", "89001234567", ("outbound", "89001234567", "84951234567")),
        ("101", "+79001234567", ("outbound", "+79001234567", None)),
        ("+79001234567", "101", ("inbound", "+79001234567", "101")),
        ("101", "102", ("internal", None, None)),
        ("+79001234567", "+79007654321", ("inbound", None, None)),
        ("Anonymous", "+74951234567", ("inbound", "anonymous", "+74951234567")),
    ],
)
def test_direction_is_worked_out_where_it_is_not_told(
    caller: str, called: str, told: tuple[Any, ...]
) -> None:
    call = fold(parse(a_new_call(**{"from": caller, "to": called, "direction": None})).events)
    assert (call.direction, call.client, call.line) == told


@pytest.mark.parametrize("direction", ["in", "out"])
def test_two_extensions_are_internal_even_when_the_pbx_says_otherwise(direction: str) -> None:
    call = fold(parse(a_new_call(**{"from": "101", "to": "102", "direction": direction})).events)
    assert (call.direction, call.client) == ("internal", None)


def test_a_short_line_of_a_test_set_up_is_no_extension() -> None:
    call = fold(parse(a_new_call(**{"from": "101", "to": "700", "direction": "in"}), lines=("700",)).events)
    assert (call.direction, call.client, call.line) == ("inbound", "101", "700")


@pytest.mark.parametrize(
    ("headers", "query", "known"),
    [
        ({"Authorization": "Bearer demo"}, {}, True),
        ({"authorization": "bearer demo"}, {}, True),
        ({}, {"token": "demo"}, True),
        ({"Authorization": "Basic dTpkZW1v"}, {}, True),
        ({"Authorization": "Basic ???"}, {}, False),
        ({"Authorization": "Bearer wrong"}, {}, False),
        ({}, {"token": ""}, False),
        ({}, {}, False),
    ],
)
def test_the_secret_comes_as_bearer_basic_or_token(headers: Any, query: Any, known: bool) -> None:
    assert KIND.authenticate(a_request(query=query, headers=headers), a_connection()) is known


@pytest.mark.parametrize(
    ("query", "phone"),
    [
        ({"phone": " 79001234567"}, "+79001234567"),
        ({"phone": "+7 900 123-45-67"}, "+7 900 123-45-67"),
        ({"phone": "79001234567 "}, "79001234567"),
        ({"phone": " "}, None),
        ({}, None),
        ({"from": "79001234567"}, "79001234567"),
    ],
)
def test_a_plus_that_arrived_as_a_space_is_a_plus(query: dict[str, str], phone: str | None) -> None:
    assert KIND.lookup_request(a_request(query=query), a_connection()).phone == phone


def test_a_question_in_an_unreadable_body_is_a_question_without_a_number() -> None:
    asked = KIND.lookup_request(a_request(body=b"{", query={"did": "1"}), a_connection())
    assert (asked.phone, asked.did) == (None, "1")


def test_answers_are_written_in_the_dialect_and_format_overrides_it() -> None:
    answer = an_answer("101", "102")
    assert orjson.loads(KIND.lookup_answer(answer, a_connection())[1]) == answer
    assert KIND.lookup_answer(answer, a_connection(), "text")[1] == b"101"
    assert KIND.lookup_answer(an_answer(), a_connection(), "text")[1] == b""
    sipgate = a_connection(dialect="sipgate", settings={"events_url": "https://gw/e?a=1&token=x"})
    content_type, body = KIND.lookup_answer(answer, sipgate)
    assert content_type == "application/xml"
    assert b'onAnswer="https://gw/e?a=1&amp;token=x"' in body
    assert b"<Dial><Number>101</Number><Number>102</Number></Dial>" in body
    assert KIND.lookup_answer(an_answer(), a_connection(), "xml")[1].endswith(b"<Response></Response>")
    assert KIND.lookup_answer(answer, sipgate, "json")[0] == "application/json"
    zammad = a_connection(dialect="zammad")
    assert orjson.loads(KIND.lookup_answer(answer, zammad)[1]) == {"action": "dial", "number": "101"}
    assert KIND.lookup_answer(an_answer(), zammad)[1] == b"{}"
    assert orjson.loads(KIND.lookup_answer(answer, a_connection(), "klingon")[1]) == answer


def test_a_number_is_spelled_as_the_connection_wants_it() -> None:
    answer = an_answer("+79001112233", kind="phone")
    for spelling, told in (("e164", b"+79001112233"), ("digits", b"79001112233"), ("8", b"89001112233")):
        connection = a_connection(settings={"number_spelling": spelling})
        assert KIND.lookup_answer(answer, connection, "text")[1] == told


def test_sipgates_new_call_is_an_event_and_a_question() -> None:
    parsed = parse(a_new_call(), dialect="sipgate")
    assert parsed.asks is not None
    assert (parsed.asks.phone, parsed.asks.did) == ("+79001234567", "+74951234567")
    assert parsed.answer == (
        "application/xml",
        b'<?xml version="1.0" encoding="UTF-8"?><Response></Response>',
    )
    assert parse(a_new_call(event="hangup"), dialect="sipgate").asks is None
    assert parse(a_new_call()).asks is None
