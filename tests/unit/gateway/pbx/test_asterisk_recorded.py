"""Calls that two real Asterisk 22 made with each other, as their manager interface told of them; numbers are invented.

What really happened is known for each: the recording has to be read as that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from gateway.pbx.asterisk.legs import Legs, step, sweep
from gateway.pbx.asterisk.wire import AmiMessage, AmiReader
from routing.calls.fold import fold
from routing.calls.model import Call, CallEvent, Direction, FailedSide
from tests.unit.gateway.pbx.builders import CASES, a_connection

LINES = tuple(f"+749500000{n:02d}" for n in range(1, 24))
PBX = a_connection("asterisk", lines=LINES, settings={"trunks": ["provider"]})
PROBED = "79033334403"


@dataclass(frozen=True)
class Truth:
    """client: with the digits of the line where it came in on one. talks: who talked with the client, in order."""

    direction: Direction
    client: str | None
    talks: tuple[str, ...] = ()
    seconds: int = 0


def inbound(client: str, *talks: str, seconds: int = 0) -> Truth:
    return Truth("inbound", client, talks, seconds)


def outbound(client: str, *talks: str, seconds: int = 0) -> Truth:
    return Truth("outbound", client, talks, seconds)


CLIENT, MOBILE = "79031112233", "79095554433"
TRUTH = {
    "answered": inbound(CLIENT, "101", seconds=6),
    "attended_transfer_by_code": inbound(CLIENT, "101", "102", seconds=25),
    "attended_transfer_by_code_new_client": inbound("79033334407", "101", "102", seconds=25),
    "blind_transfer": inbound(CLIENT, "101", "102", seconds=13),
    "blind_transfer_to_a_mobile": inbound(CLIENT, "101", MOBILE, seconds=13),
    "callback_client_first": outbound("79033334408", "101", seconds=6),
    "callback_client_first_employee_does_not_answer": outbound("79033334408"),
    "callback_client_first_local": outbound("79033334408", "101", seconds=6),
    "callback_client_first_local_employee_does_not_answer": outbound("79033334408"),
    "click_to_call": outbound(CLIENT, "101", seconds=6),
    "click_to_call_client_does_not_answer": outbound(CLIENT),
    "click_to_call_direct_client_does_not_answer": outbound(CLIENT),
    "click_to_call_employee_does_not_answer": outbound("79033334408"),
    "conference": inbound("79033334406", "101", seconds=9),
    "conference_of_three": inbound(CLIENT, "101", "102", seconds=12),
    "forged_headers_in_a_name": inbound(PROBED, "101", seconds=6),
    "forwarded_through_a_local_channel": inbound("79033334409", MOBILE, seconds=6),
    "internal_attended_transfer": Truth("internal", None, ("102",), 6),
    "internal_pickup": Truth("internal", None),
    "outbound": outbound("79033334408", "101", seconds=5),
    "outside_prefix": outbound("79033334405", "101", seconds=6),
    "parked_and_fetched": inbound(CLIENT, "101", "102", seconds=19),
    "phone_redirects_to_a_mobile": inbound(CLIENT, MOBILE, seconds=6),
    "pickup": inbound(CLIENT, "103", seconds=7),
    "pickup_of_a_new_client": inbound("79033334401", "103", seconds=7),
    "queue_of_phones_abandoned": inbound(CLIENT),
    "queue_over_local_channels": inbound(CLIENT, "102", seconds=6),
    "ring_group_optimised": inbound(CLIENT, "102", seconds=6),
    "second_trunk_with_prefix": outbound("79033334409", "102", seconds=6),
    "supervisor_listens_in": inbound("79033334409", "101", seconds=15),
    "transfer_key": inbound("79033334401", "101", "102", seconds=23),
    "voicemail": inbound(CLIENT),
}


UNREACHED = {
    "callback_client_first_employee_does_not_answer": FailedSide.EMPLOYEE_NOT_REACHED,
    "callback_client_first_local_employee_does_not_answer": FailedSide.EMPLOYEE_NOT_REACHED,
    "click_to_call_client_does_not_answer": FailedSide.CLIENT_NOT_REACHED,
    "click_to_call_direct_client_does_not_answer": FailedSide.CLIENT_NOT_REACHED,
    "click_to_call_employee_does_not_answer": FailedSide.EMPLOYEE_NOT_REACHED,
}


@cache
def recorded(name: str) -> tuple[AmiMessage, ...]:
    raw = (CASES / "asterisk" / "recorded" / f"{name}.txt").read_bytes()
    return tuple(AmiReader(banner="as read before").feed(raw))


def heard(messages: tuple[AmiMessage, ...]) -> list[Call]:
    """The calls of a recording, after a sweep once all is quiet."""
    state, events = Legs(), list[CallEvent]()
    at = datetime(2026, 11, 25, tzinfo=UTC)
    for message in messages:
        at = datetime.fromtimestamp(float(message.get("Timestamp") or at.timestamp()), UTC)
        state, happened = step(state, message, at, PBX)
        events += happened
    events += sweep(state, at + timedelta(hours=1))[1]
    return [
        fold([e for e in events if e.call_key == key]) for key in dict.fromkeys(e.call_key for e in events)
    ]


def as_truth(call: Call) -> Truth:
    talks = tuple(talk.party or "" for talk in call.talks)
    return Truth(call.direction, call.client, talks, call.talk_seconds or 0)


def test_every_recording_has_its_truth() -> None:
    assert {file.stem for file in (CASES / "asterisk" / "recorded").glob("*.txt")} == TRUTH.keys()


@pytest.mark.parametrize("name", TRUTH)
def test_a_recorded_call_is_what_really_happened(name: str) -> None:
    first, *others = heard(recorded(name))
    assert as_truth(first) == TRUTH[name]
    assert first.is_over
    assert first.is_answered is bool(TRUTH[name].talks)
    assert first.failed_side is UNREACHED.get(name)
    assert [call.client for call in others] == [None] * len(others), "nobody else talked with a client"


@pytest.mark.parametrize("name", TRUTH)
def test_talks_lie_inside_the_call_and_have_lasted(name: str) -> None:
    for call in heard(recorded(name)):
        for talk in call.talks:
            assert talk.ended_at is not None
            assert call.started_at <= talk.started_at <= talk.ended_at
            assert call.ended_at is None or talk.ended_at <= call.ended_at


@pytest.mark.parametrize("name", [n for n, truth in TRUTH.items() if truth.direction == "inbound"])
def test_with_any_later_message_lost_a_call_stays_answered_or_missed(name: str) -> None:
    """A lost start may cost who called; nothing that is lost may make a missed call of one that was answered, or turn an
    inbound call round."""
    messages = recorded(name)
    telling = {
        "DialBegin",
        "DialEnd",
        "BridgeEnter",
        "BridgeLeave",
        "Hangup",
        "HangupRequest",
        "Newexten",
        "Cdr",
    }
    for place, message in enumerate(messages):
        if message.event not in telling:
            continue
        call = heard(messages[:place] + messages[place + 1 :])[0]
        assert (call.direction, call.client) == ("inbound", TRUTH[name].client)
        assert call.is_answered is bool(TRUTH[name].talks), f"without {message.event} at {place}"


# Their records do not hold the client's number: they show our line, or the channel to the client was never made.
NAMELESS = {
    "callback_client_first",
    "callback_client_first_employee_does_not_answer",
    "click_to_call_employee_does_not_answer",
}


@pytest.mark.parametrize("name", TRUTH)
def test_the_call_detail_records_alone_tell_the_same_to_a_few_seconds(name: str) -> None:
    truth = TRUTH[name]
    reports = [m for m in recorded(name) if m.event == "Cdr"]
    found = [call for call in heard(tuple(reports)) if call.client or call.direction == truth.direction]
    (call,) = [c for c in found if c.direction != "internal"] or found[:1]
    assert call.direction == truth.direction
    assert call.client == (None if name in NAMELESS else truth.client)
    assert call.is_over
    assert call.failed_side is UNREACHED.get(name)
    if truth.direction != "internal":
        assert tuple(talk.party for talk in call.talks) == truth.talks
        assert abs((call.talk_seconds or 0) - truth.seconds) <= 3


@pytest.mark.parametrize("name", [n for n, truth in TRUTH.items() if truth.direction == "inbound"])
def test_from_its_first_record_on_a_call_has_its_client_and_direction(name: str) -> None:
    """Records come one by one, some seconds apart."""
    reports = [m for m in recorded(name) if m.event == "Cdr"]
    for end in range(1, len(reports) + 1):
        for call in heard(tuple(reports[:end])):
            assert call.client is None or (call.direction, call.client) == ("inbound", TRUTH[name].client)
