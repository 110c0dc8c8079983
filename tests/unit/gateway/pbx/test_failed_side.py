"""Whose side it was that nobody talked in a call that we made, as each PBX can tell it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from gateway.pbx.connection import Connection
from gateway.pbx.kinds import KINDS
from gateway.pbx.port import Inbound
from routing.calls.fold import fold
from routing.calls.lost import close_lost
from routing.calls.model import Call, FailedSide
from routing.outbound.outcome import outcome_of
from runtime.vendors.mango_signing import signed_form
from tests.unit.gateway.pbx.ami_talk import Talk
from tests.unit.gateway.pbx.builders import FORM, a_connection, a_request
from tests.unit.gateway.pbx.test_asterisk_legs import calls, recorded

EMPLOYEE, HUNG_UP, CLIENT = FailedSide
NUMBER = "79001234567"
ATTEMPT = "0b0f6c2e-5f5b-4c43-9d2b-0d6f7e1a2b3c"


def told(kind: str, *requests: Inbound, **fields: Any) -> Call:
    connection: Connection = a_connection(kind, **fields)
    return fold([event for request in requests for event in KINDS[kind].parse(request, connection).events])


# -- the generic format ---------------------------------------------------------------------------------------------


def a_push(event: str = "hangup", **fields: Any) -> Inbound:
    sides = {"from": "101", "to": NUMBER, "direction": "out"}
    return a_request(body={"event": event, "callId": "g", **sides, **fields})


@pytest.mark.parametrize(
    ("side", "is_known_as"),
    [
        ("employee", EMPLOYEE),
        ("operator", EMPLOYEE),
        ("employee_hung_up", HUNG_UP),
        ("Client", CLIENT),
        ("client-not-reached", CLIENT),
        ("weather", None),
        ("", None),
    ],
)
def test_the_generic_format_has_a_field_for_it(side: str, is_known_as: FailedSide | None) -> None:
    call = told("generic", a_push("newCall"), a_push(cause="noAnswer", side=side))
    assert (call.is_over, call.failed_side) == (True, is_known_as)


def test_of_an_answered_an_incoming_and_a_running_call_no_side_failed() -> None:
    assert told("generic", a_push("newCall"), a_push(billsec=5, side="client")).failed_side is None
    incoming = a_push(
        **{"from": NUMBER, "to": "101", "direction": "in", "cause": "noAnswer", "side": "employee"}
    )
    assert told("generic", incoming).failed_side is None
    assert told("generic", a_push("newCall", side="employee")).failed_side is None


# -- Ringostat ------------------------------------------------------------------------------------------------------


def a_report(call_type: str, status: str) -> Inbound:
    query = {
        "call_id": "r",
        "call_type": call_type,
        "disposition": status,
        "caller": NUMBER,
        "callee": "74951234567",
    }
    return a_request("after_call", query={**query, "billsec": "0", "duration": "20"})


@pytest.mark.parametrize(
    ("call_type", "status", "side"),
    [
        ("callback", "NO ANSWER", EMPLOYEE),
        ("callback", "NO+EXTENSION", EMPLOYEE),
        ("callback", "BUSY", EMPLOYEE),
        ("callback", "CLIENT_NO_ANSWER", CLIENT),
        ("out", "NO ANSWER", CLIENT),
        ("out", "BUSY", CLIENT),
        ("in", "NO ANSWER", None),
    ],
)
def test_ringostat_tells_it_by_its_status(call_type: str, status: str, side: FailedSide | None) -> None:
    assert told("ringostat", a_report(call_type, status)).failed_side is side


# -- MANGO ----------------------------------------------------------------------------------------------------------


def a_leg(call_id: str, state: str, seq: int, reason: int | None = None, initiator: str = "API") -> Inbound:
    """Leg A rings the employee, leg B the client."""
    sides: dict[str, Any] = {
        "from": {"number": "74951234567"},
        "to": {"extension": "101", "number": "sip:101@x"},
    }
    if call_id == "B":
        sides = {"from": {"extension": "101", "taken_from_call_id": "A"}, "to": {"number": NUMBER}}
    about = {"entry_id": "m", "call_id": call_id, "call_state": state, "location": "abonent", **sides}
    more = {"seq": seq, "timestamp": 1795262400 + seq, "command_id": ATTEMPT, "callback_initiator": initiator}
    ended = {"disconnect_reason": reason} if reason else {}
    return a_request(
        "events/call",
        body=signed_form("key", "salt", {**about, **more, **ended}),
        headers={"Content-Type": FORM},
    )


def a_mango_summary(reason: int) -> Inbound:
    ours, theirs = {"extension": "101"}, {"number": NUMBER}
    about = {"entry_id": "m", "call_direction": 2, "from": ours, "to": theirs, "talk_time": 0}
    times = {
        "create_time": 1795262400,
        "end_time": 1795262420,
        "disconnect_reason": reason,
        "entry_result": 0,
    }
    body = signed_form("key", "salt", {**about, **times})
    return a_request("events/summary", body=body, headers={"Content-Type": FORM})


RUNG_A, UP_A = a_leg("A", "Appeared", 1), a_leg("A", "Connected", 2)
RUNG_B = a_leg("B", "Appeared", 3)


@pytest.mark.parametrize(
    ("legs", "side"),
    [
        ([RUNG_A, a_leg("A", "Disconnected", 2, 1111)], EMPLOYEE),
        ([RUNG_A, a_leg("A", "Disconnected", 2, 1122)], EMPLOYEE),
        ([RUNG_A, UP_A, a_leg("A", "Disconnected", 3, 1110)], HUNG_UP),
        ([RUNG_A, UP_A, RUNG_B, a_leg("B", "Disconnected", 4, 1111)], CLIENT),
        (
            [RUNG_A, UP_A, RUNG_B, a_leg("B", "Disconnected", 4, 1121), a_leg("A", "Disconnected", 5, 1100)],
            CLIENT,
        ),
    ],
)
def test_mango_tells_it_by_which_legs_there_were(legs: list[Inbound], side: FailedSide) -> None:
    for order in (legs, legs[::-1], [*legs, *legs]):
        call = told("mango", *order, a_mango_summary(1111), keys={"api_key": "key", "api_salt": "salt"})
        assert (call.direction, call.is_answered, call.failed_side) == ("outbound", False, side)
        assert call.attempt == ATTEMPT


@pytest.mark.parametrize(
    ("reason", "outcome", "without_report"),
    [
        (1133, "bad_number", "bad_number"),
        (1311, "machine", "machine"),
        (1121, "busy", "no_answer"),
        (1122, "declined", "no_answer"),
        (1111, "no_answer", "no_answer"),
    ],
)
def test_mango_tells_why_it_did_not_reach_the_client(reason: int, outcome: str, without_report: str) -> None:
    legs = [RUNG_A, UP_A, RUNG_B, a_leg("B", "Disconnected", 4, reason), a_leg("A", "Disconnected", 5, 1100)]
    for order in (legs, legs[::-1], [*legs, *legs]):
        for report, why in (([], without_report), ([a_mango_summary(reason)], outcome)):
            call = told("mango", *order, *report, keys={"api_key": "key", "api_salt": "salt"})
            known = outcome_of(close_lost(call, call.started_at + timedelta(minutes=2)))
            assert known is not None
            assert (known.side, known.reason) == ("client", why)


def test_an_extension_that_is_no_number_is_no_bad_number_of_the_client() -> None:
    legs = [RUNG_A, a_leg("A", "Disconnected", 2, 1133)]
    known = outcome_of(
        told("mango", *legs, a_mango_summary(1133), keys={"api_key": "key", "api_salt": "salt"})
    )
    assert known is not None
    assert (known.side, known.reason) == ("operator", "unreachable")


def test_mango_need_not_say_who_ordered_a_call_that_carries_our_id() -> None:
    legs = [a_leg("A", "Appeared", 1, initiator=""), a_leg("A", "Connected", 2, initiator="")]
    call = told("mango", *legs, keys={"api_key": "key", "api_salt": "salt"})
    assert (call.direction, call.is_answered, call.is_callback, call.attempt) == (
        "outbound",
        False,
        True,
        ATTEMPT,
    )


# -- FreeSWITCH -----------------------------------------------------------------------------------------------------


def a_first_leg(**variables: str) -> Inbound:
    """FreeSWITCH rang 101 and showed the client's number."""
    about = {"uuid": "f", "direction": "outbound", "dialed_user": "101", "hangup_cause": "NO_ANSWER"}
    times = {"start_epoch": "1795262400", "end_epoch": "1795262420", "caller_id_number": NUMBER}
    flow = [
        {
            "caller_profile": {"caller_id_number": NUMBER, "destination_number": "101"},
            "times": {"bridged_time": "0"},
        }
    ]
    return a_request(body={"variables": {**about, **times, **variables}, "callflow": flow})


@pytest.mark.parametrize(
    ("variables", "side"),
    [
        ({}, EMPLOYEE),
        ({"hangup_cause": "USER_BUSY", "answer_epoch": "0"}, EMPLOYEE),
        ({"answer_epoch": "1795262405", "hangup_cause": "NORMAL_CLEARING"}, HUNG_UP),
        ({"answer_epoch": "1795262405", "originate_disposition": "USER_BUSY"}, CLIENT),
    ],
)
def test_freeswitch_tells_it_of_a_leg_that_it_made(variables: dict[str, str], side: FailedSide) -> None:
    call = told("freeswitch", a_first_leg(**variables))
    assert (call.direction, call.client, call.is_answered) == ("outbound", NUMBER, False)
    assert call.failed_side is side


# -- Asterisk: what the recordings do not hold ------------------------------------------------------------------------


def test_an_employee_who_hangs_up_before_the_client_is_dialled() -> None:
    talk = Talk("c1")
    told_ = [
        talk.new(0, "c1", "PJSIP/101-00000001"),
        talk.dial(0, "DialBegin", None, "c1", DialString="101"),
        talk.dial(4, "DialEnd", None, "c1", DialStatus="ANSWER"),
        talk.hangup(6, "c1"),
    ]
    (call,) = calls(told_).values()
    assert (call.direction, call.failed_side) == ("outbound", HUNG_UP)


@pytest.mark.parametrize("status", ["BUSY", "NOANSWER", "CONGESTION", "CANCEL"])
def test_a_client_who_does_not_answer_a_phones_own_call(status: str) -> None:
    talk = Talk("c1")
    told_ = [
        talk.came_in(0, "101", NUMBER, "PJSIP/101-00000001"),
        *talk.rings(1, "c1", "ch02", f"{NUMBER}@trunk"),
        talk.dial_end(9, "c1", "ch02", status),
        talk.hangup(9, "ch02"),
        talk.hangup(10, "c1"),
    ]
    (call,) = calls(told_).values()
    assert (call.direction, call.client, call.failed_side) == ("outbound", NUMBER, CLIENT)


@pytest.mark.parametrize("status", ["BUSY", "NOANSWER", "CONGESTION"])
def test_whatever_the_employees_phone_says_it_was_the_employee(status: str) -> None:
    talk = Talk("c1")
    told_ = [
        talk.new(0, "c1", "PJSIP/101-00000001"),
        talk.dial(0, "DialBegin", None, "c1", DialString="101"),
        talk.dial(4, "DialEnd", None, "c1", DialStatus=status),
        talk.hangup(4, "c1", "17"),
    ]
    (call,) = calls(told_).values()
    assert (call.direction, call.is_over, call.failed_side) == ("outbound", True, EMPLOYEE)


def test_a_failed_originate_is_no_call() -> None:
    """Asterisk runs the extension `failed` on a channel that is nobody's, with ids of its own."""
    talk = Talk("x1")
    told_ = [
        talk.new(0, "x1", "OutgoingSpoolFailed", exten="failed"),
        talk.new(1, "ch02", "PJSIP/102-00000002"),
        talk.dial(1, "DialBegin", "x1", "ch02", DialString="102"),
        talk.hangup(2, "ch02"),
        talk.cdr(
            3,
            Channel="OutgoingSpoolFailed",
            Source=NUMBER,
            Disposition="FAILED",
            StartTime="2026-11-21 12:00:00",
        ),
        talk.hangup(3, "x1"),
    ]
    assert calls(told_) == {}
    assert calls(told_[4:5]) == {}, "known from its record only"


def test_a_failed_originate_as_it_was_recorded_is_no_call() -> None:
    """Case 35: a context with the extension `failed`."""
    assert calls(recorded("failed_originate")) == {}
