"""Each recording of a real call is read as what really happened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby

import pytest

from gateway.pbx.asterisk.legs import Legs, resumed, step, sweep
from gateway.pbx.asterisk.wire import AmiMessage
from routing.calls.fold import fold
from routing.calls.model import Call, CallEvent, EventKind
from tests.unit.gateway.pbx.builders import a_connection
from tests.unit.gateway.pbx.recorded_calls import (
    FOLDER,
    FROM_RECORDS,
    LINES,
    NOT_CONNECTED,
    OWN_MOBILE,
    TRUNKS,
    TRUTH,
    UNREACHED,
    Truth,
    recorded,
)

PBX = a_connection("asterisk", lines=LINES, settings={"trunks": TRUNKS}, own_numbers={f"+{OWN_MOBILE}"})
A_LINK_IN_USE = Legs(hears_bridges=True)


def events_of(messages: tuple[AmiMessage, ...], state: Legs = A_LINK_IN_USE) -> list[CallEvent]:
    """What a recording tells, a sweep once all is quiet included."""
    events = list[CallEvent]()
    at = datetime(2026, 11, 25, tzinfo=UTC)
    for message in messages:
        at = datetime.fromtimestamp(float(message.get("Timestamp") or at.timestamp()), UTC)
        state, happened = step(state, message, at, PBX)
        events += happened
    return [*events, *sweep(state, at + timedelta(hours=1))[1]]


def heard(messages: tuple[AmiMessage, ...], state: Legs = A_LINK_IN_USE) -> list[Call]:
    events = events_of(messages, state)
    return [
        fold([e for e in events if e.call_key == key]) for key in dict.fromkeys(e.call_key for e in events)
    ]


def the_call(calls: list[Call], name: str) -> Call:
    """The one that the recording is about: the client's, the first of an internal one."""
    return next((call for call in calls if call.client == TRUTH[name].client), calls[0])


def as_truth(call: Call) -> Truth:
    talks = tuple(talk.party or "" for talk in call.talks)
    return Truth(call.direction, call.client, talks, call.talk_seconds or 0)


def test_every_recording_has_its_truth() -> None:
    assert {file.stem for file in FOLDER.glob("*.txt")} == TRUTH.keys()


@pytest.mark.parametrize("name", TRUTH)
def test_a_recorded_call_is_what_really_happened(name: str) -> None:
    calls = heard(recorded(name))
    first = calls.pop(calls.index(the_call(calls, name)))
    assert as_truth(first) == replace(TRUTH[name], beside=None)
    assert first.is_over
    assert first.is_answered is bool(TRUTH[name].talks)
    assert first.failed_side is UNREACHED.get(name)
    assert first.params.get("not_connected") == NOT_CONNECTED.get(name)
    named = [call for call in calls if call.client]
    assert [call.client for call in named] == [c for c in [TRUTH[name].beside] if c], "nobody else has a call"
    assert all(call.answered_by == TRUTH[name].talks[0] for call in named)


@pytest.mark.parametrize("name", TRUTH)
def test_no_other_client_is_ever_named(name: str) -> None:
    """Whose call it is is settled by the first message that names a client, and messages are worked on as they come."""
    told = {event.client for event in events_of(recorded(name)) if event.client}
    assert told <= {TRUTH[name].client, TRUTH[name].beside}


@pytest.mark.parametrize("name", TRUTH)
def test_talks_lie_inside_the_call_and_have_lasted(name: str) -> None:
    for call in heard(recorded(name)):
        for talk in call.talks:
            assert talk.ended_at is not None
            assert call.started_at <= talk.started_at <= talk.ended_at
            assert call.ended_at is None or talk.ended_at <= call.ended_at


OF_BRIDGES = {
    "BridgeCreate",
    "BridgeEnter",
    "BridgeLeave",
    "BridgeDestroy",
    "ConfbridgeJoin",
    "ConfbridgeLeave",
}
NOT_DIALLED = {
    "agent_behind_a_queue",
    "leg_made_by_ari",
    "conference",
    "conference_of_three",
    "two_clients_in_a_room",
}
TALKED = [name for name, truth in TRUTH.items() if truth.talks and name not in NOT_DIALLED]


@pytest.mark.parametrize("name", TALKED)
def test_on_a_link_that_never_tells_of_bridges_who_picks_up_talks(name: str) -> None:
    """An event filter may keep them away; then picking up is all there is."""
    told = tuple(m for m in recorded(name) if m.event not in OF_BRIDGES)
    call = the_call(heard(told, Legs()), name)
    picked_up = FROM_RECORDS.get(name, TRUTH[name]).talks[0]
    assert call.talks[0].party == picked_up or not picked_up


@pytest.mark.parametrize("name", TALKED)
def test_a_talk_into_which_nobody_was_seen_going_is_known_from_those_who_leave_it(name: str) -> None:
    told = tuple(m for m in recorded(name) if m.event != "BridgeEnter")
    assert the_call(heard(told), name).is_answered


@pytest.mark.parametrize("name", ["answered", "blind_transfer", "outbound", "queue_of_phones_answered"])
def test_after_a_link_that_broke_once_somebody_had_picked_up_a_call_is_answered(name: str) -> None:
    """Whether they were put through meanwhile nobody can tell: it is not made a missed call."""
    messages = recorded(name)
    picked_up = next(n for n, m in enumerate(messages) if m.event == "DialEnd" and m.get("Channel"))
    state, at = A_LINK_IN_USE, datetime(2026, 11, 25, tzinfo=UTC)
    for message in messages[: picked_up + 1]:
        state, events = step(state, message, at, PBX)
        assert EventKind.ANSWERED not in {e.kind for e in events}
    assert EventKind.ANSWERED in {e.kind for e in resumed(state, at, PBX)[1]}


TELLING = {
    "DialBegin",
    "DialState",
    "DialEnd",
    "BridgeEnter",
    "BridgeLeave",
    "Hangup",
    "HangupRequest",
    "Newexten",
    "Cdr",
}


def with_one_lost(name: str) -> Iterator[tuple[str, Call]]:
    """The call of a recording without each of its telling messages in turn, and what was lost."""
    messages = recorded(name)
    for place, message in enumerate(messages):
        if message.event in TELLING:
            left = heard(messages[:place] + messages[place + 1 :])
            yield f"{message.event} at {place}", the_call(left, name)


@pytest.mark.parametrize("name", [n for n, truth in TRUTH.items() if truth.direction == "inbound"])
def test_with_any_later_message_lost_a_call_stays_answered_or_missed(name: str) -> None:
    """A lost start may cost who called; nothing that is lost may make a missed call of one that was answered, or turn an
    inbound call round."""
    for lost, call in with_one_lost(name):
        assert (call.direction, call.client) == ("inbound", TRUTH[name].client), lost
        if name in NOT_DIALLED and lost.startswith("BridgeEnter"):
            continue  # that they met is told once
        assert call.is_answered is bool(TRUTH[name].talks), lost


# That it is an employee's own number that is rung, that a phone sends a click on, and that the client is up, is told once.
IN_ONE_MESSAGE = {
    "click_to_a_desk_and_a_mobile": "DialBegin",
    "click_to_a_phone_that_redirects": "DialBegin DialEnd",
    "click_to_an_own_mobile": "DialBegin",
    "robot_alone": "DialEnd",
}


@pytest.mark.parametrize("name", [n for n, truth in TRUTH.items() if truth.direction == "outbound"])
def test_with_any_later_message_lost_an_outgoing_call_reached_whom_it_reached(name: str) -> None:
    """Which number was dialled may hang on one message; whether somebody talked does not."""
    for lost, call in with_one_lost(name):
        assert call.direction == "outbound", lost
        if lost.split()[0] in IN_ONE_MESSAGE.get(name, "").split():
            continue
        assert call.is_answered is bool(TRUTH[name].talks), lost
        if not TRUTH[name].talks:
            assert call.failed_side is UNREACHED[name], lost


# Their records do not hold the client's number: they show our line, or the channel to the client was never made.
NAMELESS = {
    "callback_client_first",
    "callback_client_first_employee_does_not_answer",
    "click_to_call_employee_does_not_answer",
    "robot_alone",
    "robot_and_then_an_operator",
}


# Seconds of a consultation, of which records know nothing: to them the first colleague talks on.
CONSULTED = {"attended_transfer_by_code": 9, "attended_transfer_by_code_new_client": 9}


@pytest.mark.parametrize("name", TRUTH)
def test_the_call_detail_records_alone_tell_the_same_to_a_few_seconds(name: str) -> None:
    truth = FROM_RECORDS.get(name, TRUTH[name])
    reports = [m for m in recorded(name) if m.event == "Cdr"]
    beside = TRUTH[name].beside
    found = [call for call in heard(tuple(reports)) if not beside or call.client != beside]
    found = [call for call in found if call.client or call.direction == truth.direction]
    (call,) = [c for c in found if c.direction != "internal"] or found[:1]
    assert call.direction == truth.direction
    assert call.client == (None if name in NAMELESS else truth.client)
    assert call.is_over
    assert call.failed_side is UNREACHED.get(name)
    if truth.direction != "internal":
        # Who goes on after a transfer that was refused has one record for both.
        talkers = [key for key, _ in groupby(talk.party or "" for talk in call.talks)]
        assert talkers == [key for key, _ in groupby(truth.talks)]
        assert abs((call.talk_seconds or 0) - truth.seconds - CONSULTED.get(name, 0)) <= 3


@pytest.mark.parametrize("name", [n for n, truth in TRUTH.items() if truth.direction == "inbound"])
def test_from_its_first_record_on_a_call_has_its_client_and_direction(name: str) -> None:
    """Records come one by one, some seconds apart."""
    reports = [m for m in recorded(name) if m.event == "Cdr"]
    for end in range(1, len(reports) + 1):
        for call in heard(tuple(reports[:end])):
            if call.client == TRUTH[name].beside:
                continue
            assert call.client is None or (call.direction, call.client) == ("inbound", TRUTH[name].client)
