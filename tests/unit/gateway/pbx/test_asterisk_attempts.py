"""What an attempt of ours came to, from the events of a real Asterisk: by the leg, and by the cause of its Hangup."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.pbx.asterisk.legs import step
from gateway.pbx.asterisk.wire import AmiMessage
from routing.calls.fold import fold
from routing.outbound.attempts import AttemptOutcome
from routing.outbound.outcome import outcome_of
from tests.unit.gateway.pbx.ami_talk import Talk
from tests.unit.gateway.pbx.builders import RECEIVED
from tests.unit.gateway.pbx.test_asterisk_legs import PBX, calls, run

ATTEMPT, CLIENT_LEG, NUMBER = "0b0f6c2e-5f5b-4c43-9d2b-0d6f7e1a2b3c", "ch02", "79001234567"


def an_originate(talk: Talk, *, is_picked_up: bool = True) -> list[AmiMessage]:
    begun = [
        talk.new(0, ATTEMPT, "PJSIP/101-00000001", caller=NUMBER),
        talk.dial(0, "DialBegin", None, ATTEMPT, DialString="101"),
    ]
    return [*begun, talk.dial(4, "DialEnd", None, ATTEMPT, DialStatus="ANSWER")] if is_picked_up else begun


def employees(status: str | None, cause: str) -> list[AmiMessage]:
    talk = Talk(ATTEMPT)
    begun = an_originate(talk, is_picked_up=False)
    end = [] if status is None else [talk.dial(4, "DialEnd", None, ATTEMPT, DialStatus=status)]
    return [*begun, *end, talk.hangup(4, ATTEMPT, cause)]


def clients(status: str, cause: str) -> list[AmiMessage]:
    """After it Asterisk hangs the employee up with the cause of the client's leg."""
    talk = Talk(ATTEMPT)
    return [
        *an_originate(talk),
        *talk.rings(5, ATTEMPT, CLIENT_LEG, f"{NUMBER}@trunk"),
        talk.dial_end(9, ATTEMPT, CLIENT_LEG, status),
        talk.hangup(9, CLIENT_LEG, cause),
        talk.hangup(10, ATTEMPT, cause),
    ]


def outcome(messages: list[AmiMessage]) -> tuple[str, str]:
    told = calls(messages)
    assert set(told) == {ATTEMPT}
    assert told[ATTEMPT].attempt == ATTEMPT
    known: AttemptOutcome | None = outcome_of(told[ATTEMPT])
    assert known is not None
    return known.side, known.reason


@pytest.mark.parametrize(
    ("status", "cause", "reason"),
    [
        ("BUSY", "17", "busy"),
        ("NOANSWER", "21", "declined"),
        ("NOANSWER", "19", "no_answer"),
        ("NOANSWER", "1", "unreachable"),
        ("CONGESTION", "34", "unreachable"),
        (None, "19", "no_answer"),
        (None, "16", "no_answer"),
    ],
)
def test_an_employee_who_was_not_reached(status: str | None, cause: str, reason: str) -> None:
    assert outcome(employees(status, cause)) == ("operator", reason)


@pytest.mark.parametrize(
    ("status", "cause", "reason"),
    [
        ("BUSY", "17", "busy"),
        ("NOANSWER", "21", "declined"),
        ("NOANSWER", "19", "no_answer"),
        ("NOANSWER", "1", "bad_number"),
        ("NOANSWER", "28", "bad_number"),
        ("CHANUNAVAIL", "3", "unreachable"),
        ("CONGESTION", "34", "unreachable"),
        ("CANCEL", "16", "cancelled"),
    ],
)
def test_a_client_who_was_not_reached(status: str, cause: str, reason: str) -> None:
    assert outcome(clients(status, cause)) == ("client", reason)


def test_a_client_whose_hangup_is_lost_did_not_answer() -> None:
    told = [
        one for one in clients("NOANSWER", "21") if one.get("Uniqueid") != CLIENT_LEG or one.event != "Hangup"
    ]
    assert outcome(told) == ("client", "no_answer")


def test_an_employee_who_leaves_before_the_client_is_dialled() -> None:
    talk = Talk(ATTEMPT)
    assert outcome([*an_originate(talk), talk.hangup(6, ATTEMPT, "16")]) == ("operator", "hung_up")


def test_both_have_talked() -> None:
    talk = Talk(ATTEMPT)
    told = [
        *an_originate(talk),
        *talk.rings(5, ATTEMPT, CLIENT_LEG, f"{NUMBER}@trunk"),
        *talk.answers(9, ATTEMPT, CLIENT_LEG),
        *talk.parts(30, ATTEMPT, CLIENT_LEG),
    ]
    assert outcome(told) == ("talked", "talked")


def test_a_call_of_asterisks_own_id_is_no_attempt() -> None:
    talk = Talk("1795262400.7")
    told = calls(
        [talk.came_in(0, NUMBER, "74951234567", "PJSIP/trunk-00000001"), talk.hangup(4, "1795262400.7", "16")]
    )
    assert [call.attempt for call in told.values()] == [None]


def test_a_record_read_back_names_the_attempt_too() -> None:
    record = {
        "Event": "Cdr",
        "UniqueID": ATTEMPT,
        "LinkedID": ATTEMPT,
        "Channel": "PJSIP/101-00000001",
        "Source": NUMBER,
        "Destination": NUMBER,
        "DestinationChannel": f"PJSIP/{NUMBER}-00000002",
        "StartTime": "2026-11-21 12:00:00",
        "EndTime": "2026-11-21 12:00:20",
        "Disposition": "NO ANSWER",
    }
    assert [call.attempt for call in calls([AmiMessage(tuple(record.items()))]).values()] == [ATTEMPT]


@pytest.mark.parametrize("heard", [2, 3, 4, 5])
def test_case_35_of_a_call_that_ended_while_nobody_listened_nobody_knows_who_was_reached(heard: int) -> None:
    """The link is cut after so many events, and neither phone is listed when it is back."""
    state, events = run(clients("BUSY", "17")[:heard])
    minute = RECEIVED + timedelta(minutes=1)
    _, at_last = step(state, AmiMessage((("Event", "CoreShowChannelsComplete"),)), minute, PBX)
    call = fold([*events, *at_last])
    assert (call.is_over, call.attempt) == (True, ATTEMPT)
    assert outcome_of(call) == AttemptOutcome(side="unknown", reason="never_heard_of", raw="no_answer")


EMPLOYEE_UP, CLIENT_RINGS = (ATTEMPT, "6"), (CLIENT_LEG, "5")
HEARD_ALL, NOTHING, RANG = 6, 0, 2
RINGS_ON = slice(6, None)
"""What is heard from the end of the client's ringing on."""


def listing(*channels: tuple[str, str]) -> list[AmiMessage]:
    """Each as (Uniqueid, ChannelState), a minute later."""
    talk = Talk(ATTEMPT)
    names = {ATTEMPT: "PJSIP/101-00000001", CLIENT_LEG: "PJSIP/trunk-00000002"}
    told = []
    for uid, state in channels:
        talk.new(0, uid, names[uid], caller=NUMBER, exten=NUMBER if uid == ATTEMPT else "")
        told.append(talk.event(60, "CoreShowChannel", uid, ChannelState=state, Duration="00:00:55"))
    return [*told, AmiMessage((("Event", "CoreShowChannelsComplete"),))]


@pytest.mark.parametrize(
    ("heard", "channels", "then", "side", "reason"),
    [
        (NOTHING, [EMPLOYEE_UP, CLIENT_RINGS], clients("NOANSWER", "21")[RINGS_ON], "client", "declined"),
        (NOTHING, [CLIENT_RINGS, EMPLOYEE_UP], clients("BUSY", "17")[RINGS_ON], "client", "busy"),
        (RANG, [EMPLOYEE_UP, CLIENT_RINGS], clients("NOANSWER", "19")[RINGS_ON], "client", "no_answer"),
        (RANG, [CLIENT_RINGS, EMPLOYEE_UP], clients("NOANSWER", "19")[RINGS_ON], "client", "no_answer"),
        (NOTHING, [EMPLOYEE_UP], clients("BUSY", "17")[-1:], "unknown", "never_heard_of"),
        (NOTHING, [EMPLOYEE_UP, (CLIENT_LEG, "6")], clients("BUSY", "17")[-2:], "unknown", "never_heard_of"),
        (RANG, [EMPLOYEE_UP], clients("BUSY", "17")[-1:], "unknown", "never_heard_of"),
        (NOTHING, [(ATTEMPT, "5")], employees("NOANSWER", "19")[2:], "operator", "no_answer"),
        (HEARD_ALL, [EMPLOYEE_UP, CLIENT_RINGS], clients("BUSY", "17")[RINGS_ON], "client", "busy"),
        (NOTHING, None, clients("BUSY", "17")[RINGS_ON], "unknown", "never_heard_of"),
        (NOTHING, None, clients("BUSY", "17")[-2:], "unknown", "never_heard_of"),
        (NOTHING, None, employees("NOANSWER", "19")[2:], "unknown", "never_heard_of"),
    ],
)
def test_of_a_call_that_is_first_heard_of_half_way_the_true_side_is_told_or_none(
    heard: int, channels: list[tuple[str, str]] | None, then: list[AmiMessage], side: str, reason: str
) -> None:
    """The worker that ordered it is killed after so many events, or loses its link; who listens next begins with the list, where
    Asterisk gives one."""
    state, events = run(clients("BUSY", "17")[:heard])
    for one in [*(listing(*channels) if channels else ()), *then]:
        state, more = step(state, one, RECEIVED + timedelta(minutes=1), PBX)
        events += more
    known = outcome_of(fold(events))
    assert known is not None
    assert (known.side, known.reason) == (side, reason)


def test_a_leg_whose_end_was_told_may_be_missing_from_the_list() -> None:
    told = [one for one in employees("NOANSWER", "19") if one.event != "Hangup"]
    state, events = run(told)
    minute = RECEIVED + timedelta(minutes=1)
    _, at_last = step(state, AmiMessage((("Event", "CoreShowChannelsComplete"),)), minute, PBX)
    known = outcome_of(fold([*events, *at_last]))
    assert known is not None
    assert (known.side, known.reason) == ("operator", "no_answer")
