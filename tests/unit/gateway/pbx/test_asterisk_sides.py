"""Who is the client where the first channel does not tell: analog phones, logins that show a line, the dialplan's word."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from gateway.configuration import phones_of
from gateway.pbx.asterisk.cdr import cdr_events
from gateway.pbx.asterisk.legs import Legs, step, sweep
from gateway.pbx.asterisk.wire import AmiMessage
from gateway.pbx.connection import Connection
from routing.calls.fold import fold
from routing.calls.model import Call, CallEvent
from routing.staff import Employee, Staff
from tests.unit.gateway.pbx.ami_talk import START, Talk
from tests.unit.gateway.pbx.builders import RECEIVED, a_connection

CLIENT, DID = "79031112233", "74950000077"
STAFF = Staff.of(
    [
        Employee(id="a", name="Anna", extensions=("112",), sip=("as2mkq@pbx.example",)),
        Employee(id="b", name="Boris", extensions=("113",), sip=("sip:bk77",)),
    ]
)
PBX = a_connection("asterisk", phones=phones_of(STAFF))
STRANGERS_PBX = a_connection("asterisk")


def heard(*messages: AmiMessage, pbx: Connection = PBX) -> Call:
    state, events = Legs(), list[CallEvent]()
    for told in messages:
        state, happened = step(state, told, RECEIVED, pbx)
        events += happened
    told_events = [*events, *sweep(state, START + timedelta(hours=1))[1]]
    assert len({event.call_key for event in told_events}) == 1
    return fold(told_events)


def a_call(name: str, caller: str, exten: str, dialled: str, **user_event: str) -> list[AmiMessage]:
    """Somebody dials and they talk for 30 s."""
    talk = Talk("c1")
    return [
        talk.came_in(0, caller, exten, name=name),
        *([talk.user_event(0.1, **user_event)] if user_event else []),
        *talk.rings(1, "c1", "ch02", dialled),
        *talk.answers(5, "c1", "ch02"),
        *talk.parts(35, "c1", "ch02"),
    ]


def told_of(call: Call) -> tuple[Any, ...]:
    return call.direction, call.client, call.answered_by, call.talk_seconds


@pytest.mark.parametrize("pbx", [PBX, STRANGERS_PBX])
def test_an_analog_phone_that_dials_digit_by_digit_calls_out(pbx: Connection) -> None:
    call = heard(*a_call("DAHDI/7-1", "112", "", f"g0/{CLIENT}"), pbx=pbx)
    assert told_of(call) == ("outbound", CLIENT, "112", 30)


def test_an_analog_phone_that_calls_a_colleague_is_an_internal_call() -> None:
    call = heard(*a_call("DAHDI/7-1", "112", "", "113"))
    assert (call.direction, call.client) == ("internal", None)


def test_a_phone_that_is_lifted_and_put_down_is_nobodys_missed_call() -> None:
    talk = Talk("c1")
    call = heard(talk.came_in(0, "112", "", name="DAHDI/7-1"), talk.hangup(3, "c1"))
    assert (call.direction, call.client, call.is_over) == ("internal", None, True)


def test_an_analog_line_from_outside_is_no_phone() -> None:
    talk = Talk("c1")
    messages = [
        talk.came_in(0, "<unknown>", "s", name="DAHDI/1-1"),
        *talk.rings(1, "c1", "ch02", "112"),
        *talk.answers(5, "c1", "ch02"),
        *talk.parts(35, "c1", "ch02"),
    ]
    assert told_of(heard(*messages))[2:] == ("112", 30)
    assert heard(*messages).direction == "inbound"


@pytest.mark.parametrize("said", [{}, {"Direction": "out"}, {"Direction": "out", "Client": CLIENT}])
def test_an_employees_login_is_a_phone_of_ours_whatever_line_it_shows(said: dict[str, str]) -> None:
    call = heard(*a_call("PJSIP/as2mkq-00000007", DID, CLIENT, f"{CLIENT}@trunk", **said))
    assert told_of(call) == ("outbound", CLIENT, "as2mkq", 30)
    assert call.line == DID
    assert STAFF.employee_at(call.answered_by) == STAFF.employees[0]


def test_a_login_that_calls_a_colleague_is_internal_though_it_shows_a_line() -> None:
    call = heard(*a_call("PJSIP/as2mkq-00000007", DID, "113", "bk77"))
    assert (call.direction, call.client) == ("internal", None)


def test_a_login_that_is_rung_for_an_outgoing_call_is_a_colleague() -> None:
    talk = Talk("c1")
    call = heard(
        *a_call("PJSIP/as2mkq-00000007", DID, CLIENT, f"{CLIENT}@trunk")[:-4],
        *talk_on(talk),
    )
    assert [t.party for t in call.talks][:1] == ["as2mkq"]


def talk_on(talk: Talk) -> list[AmiMessage]:
    talk.names |= {"c1": "PJSIP/as2mkq-00000007", "ch02": "PJSIP/trunk-00000002"}
    talk.linked |= {"c1": "c1", "ch02": "c1"}
    return [
        *talk.rings(20, "ch02", "ch03", "bk77"),
        talk.hangup(40, "c1"),
        talk.hangup(40, "ch03"),
        talk.hangup(40, "ch02"),
    ]


@pytest.mark.parametrize("client", [{}, {"Client": CLIENT}])
@pytest.mark.parametrize("dialled", [f"{CLIENT}@trunk", f"trunk/{CLIENT}"])
def test_the_dialplans_word_settles_it_for_logins_that_nobody_knows(
    client: dict[str, str], dialled: str
) -> None:
    messages = a_call("PJSIP/zz9-00000007", DID, CLIENT, dialled, Direction="out", **client)
    call = heard(*messages, pbx=STRANGERS_PBX)
    assert told_of(call) == ("outbound", CLIENT, "zz9", 30)
    assert call.line == DID


def test_the_dialplans_word_settles_it_for_a_trunk_without_a_number() -> None:
    messages = a_call("DAHDI/7-1", "112", "", "provider", Direction="out", Client=CLIENT)
    assert told_of(heard(*messages, pbx=STRANGERS_PBX)) == ("outbound", CLIENT, "112", 30)


def test_the_dialplans_word_settles_it_the_other_way_too() -> None:
    messages = a_call("PJSIP/5-00000007", "112", CLIENT, "113", Direction="in", Client=CLIENT, Did=DID)
    call = heard(*messages, pbx=STRANGERS_PBX)
    assert told_of(call) == ("inbound", CLIENT, "113", 30)
    assert call.line == DID


def test_a_word_that_comes_while_they_talk_still_counts_the_talk() -> None:
    talk = Talk("c1")
    messages = a_call("PJSIP/zz9-00000007", DID, CLIENT, f"{CLIENT}@trunk")
    talk.names["c1"], talk.linked["c1"] = "PJSIP/zz9-00000007", "c1"
    late = talk.user_event(10, Direction="out", Client=CLIENT)
    at = next(n for n, m in enumerate(messages) if m.event == "HangupRequest")
    call = heard(*messages[:at], late, *messages[at:], pbx=STRANGERS_PBX)
    assert (call.direction, call.client, call.is_answered) == ("outbound", CLIENT, True)


def test_the_records_of_a_login_know_it_as_a_phone() -> None:
    record = Talk("c1").cdr(
        30,
        Channel="PJSIP/as2mkq-00000007",
        DestinationChannel="PJSIP/trunk-00000008",
        Source=DID,
        Destination=CLIENT,
        LastApplication="Dial",
        LastData=f"PJSIP/{CLIENT}@trunk,60",
        Disposition="ANSWERED",
        StartTime="2026-11-21 12:00:00",
        AnswerTime="2026-11-21 12:00:05",
        EndTime="2026-11-21 12:00:30",
        BillableSeconds="25",
    )
    call = fold(cdr_events(record, PBX))
    assert (call.direction, call.client, call.answered_by) == ("outbound", CLIENT, "as2mkq")


def test_phones_are_extensions_and_logins_with_and_without_their_host() -> None:
    assert phones_of(STAFF) == {"112", "113", "as2mkq@pbx.example", "as2mkq", "bk77"}


@pytest.mark.parametrize("name", ["Disposition", "StartTime", "AnswerTime", "EndTime", "BillableSeconds"])
@pytest.mark.parametrize("value", ["", "garbage", "\ufffdEC", "²", "-1", "99999999999999999999"])
def test_a_spoilt_field_of_a_record_costs_itself_only(name: str, value: str) -> None:
    fields = {
        "Channel": "PJSIP/112-00000007",
        "DestinationChannel": "PJSIP/trunk-00000008",
        "Source": "112",
        "Destination": CLIENT,
        "LastApplication": "Dial",
        "LastData": f"PJSIP/{CLIENT}@trunk,60",
        "Disposition": "ANSWERED",
        "StartTime": "2026-11-21 12:00:00",
        "AnswerTime": "2026-11-21 12:00:05",
        "EndTime": "2026-11-21 12:00:30",
        "BillableSeconds": "25",
    }
    call = fold(cdr_events(Talk("c1").cdr(30, **{**fields, name: value}), PBX))
    assert (call.call_key, call.direction, call.client, call.is_over) == ("c1", "outbound", CLIENT, True)
    assert call.answered_by == "112"
