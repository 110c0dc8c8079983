"""A hangup that is lost, and clocks that differ, hide no missed call."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from gateway.health.status import installation_status
from routing.calls.model import CallEvent, EventKind
from tests.integration.intake.office import START, Office, a_call, an_event

AHEAD = timedelta(minutes=5)


async def _tell_live(office: Office, events: list[CallEvent], behind: timedelta = timedelta(0)) -> None:
    """Each as it happens. behind: so far the PBX's clock is behind ours."""
    began = office.clock()
    first = events[0].at
    for event in events:
        office.clock.now = began + (event.at - first)
        await office.tell(event.model_copy(update={"at": event.at - behind}))
    await office.idle()


async def test_missed_calls_after_a_talk_whose_hangup_was_lost_get_their_task(office: Office) -> None:
    await _tell_live(office, a_call("talk", answered_by="101")[:2])
    office.clock.now = START + timedelta(hours=1)
    await _tell_live(office, a_call("missed", at=office.clock()))
    await office.settle()
    assert [c["state"] for c in await office.cases()] == ["open"]
    await office.settle(seconds=2 * 3600)  # the timer takes the hangup for lost
    assert (await office.call("talk"))["is_over"]
    assert [c["state"] for c in await office.cases()] == ["open"]


async def test_a_talk_that_does_go_on_closes_the_case_when_it_ends(office: Office) -> None:
    talk = a_call("talk", answered_by="101", seconds=1800)
    await _tell_live(office, talk[:2])
    office.clock.now = START + timedelta(minutes=10)
    await _tell_live(office, a_call("missed", at=office.clock()))
    await office.settle()
    office.clock.now = START + timedelta(minutes=30)
    await office.tell(talk[2])
    await office.settle()
    assert [(c["state"], c["closed_by_call"] is not None) for c in await office.cases()] == [("closed", True)]
    assert [t["state"] for t in await office.effects("create_task")] == ["skipped"]


async def test_a_missed_call_of_a_pbx_whose_clock_is_behind_is_after_the_talk(office: Office) -> None:
    await _tell_live(office, a_call("talk", answered_by="101", seconds=60))
    office.clock.now = START + timedelta(minutes=5)
    await _tell_live(office, a_call("missed", at=office.clock()), behind=timedelta(minutes=10))
    await office.settle()
    (case,) = await office.cases()
    assert (case["state"], case["opened_at"]) == ("open", START + timedelta(minutes=5))


async def test_what_is_told_late_and_together_is_believed_by_its_own_times(office: Office) -> None:
    await _tell_live(office, a_call("talk", at=START + timedelta(minutes=5), answered_by="101", seconds=60))
    office.clock.now = START + timedelta(minutes=20)
    await office.tell_all(a_call("missed", at=START))
    await office.settle()
    assert await office.cases() == []


async def test_a_lost_hangup_and_a_missed_call_that_are_told_late_together_leave_a_case(
    office: Office,
) -> None:
    office.clock.now = START + timedelta(minutes=10)
    await office.tell_all(a_call("talk", at=START, answered_by="101")[:2])
    await office.tell_all(a_call("missed", at=START + timedelta(minutes=5)))
    await office.settle()
    assert [c["state"] for c in await office.cases()] == ["open"]


async def test_a_talk_of_less_than_a_second_hides_no_later_missed_call_though_the_clock_is_ahead(
    office: Office,
) -> None:
    """The calls before show that the clock is ahead: this one alone is too short to."""
    await _talk_of_a_clock_that_is_ahead(office)
    assert [c["state"] for c in await office.cases()] == ["open"]
    offset = (await office.call("talk"))["clock_offset"]
    assert abs(offset + AHEAD) < timedelta(seconds=1)
    assert (await office.call("before0"))["clock_offset"] == timedelta(0), "nothing was known then"


async def test_a_recording_that_comes_when_the_clock_is_mended_closes_no_case(office: Office) -> None:
    await _talk_of_a_clock_that_is_ahead(office)
    before = (await office.call("talk"))["clock_offset"]
    assert abs(await _offset_in_status(office) + AHEAD.total_seconds()) < 1
    for n in range(15):
        office.clock.now = START + timedelta(minutes=15 + n)
        await _tell_quick(office, f"after{n}", ahead=timedelta(0), client=f"+790400000{n:02}")
    office.clock.now = START + timedelta(minutes=40)
    await office.tell(an_event(EventKind.RECORDING, "talk", at=START, recording="https://pbx/r.mp3"))
    await office.settle()
    assert (await office.call("talk"))["clock_offset"] == before
    assert [c["state"] for c in await office.cases()] == ["open"]
    assert await _offset_in_status(office) == 0, "an old call told anew is no news of the clock"


async def test_a_message_that_cannot_be_read_costs_no_other_call_of_its_connection(office: Office) -> None:
    await _tell_quick(office, "old", client="+79030000001")
    await office.pool.execute("UPDATE inbox SET events = $1", {"of": "another version"})
    office.clock.now = START + timedelta(minutes=5)
    await _tell_quick(office, "next")
    states = await office.rows("SELECT DISTINCT state FROM inbox WHERE call_key = 'next'")
    assert states == [{"state": "applied"}]


async def _offset_in_status(office: Office) -> float:
    (account,) = (await installation_status(office.pool, office.clock())).accounts
    return account.connections[0].clock_offset_seconds or 0.0


async def _talk_of_a_clock_that_is_ahead(office: Office) -> None:
    """A quick talk after six others, and a missed call of the same client two minutes later on a right clock."""
    for n in range(6):
        office.clock.now = START + timedelta(minutes=n)
        await _tell_quick(office, f"before{n}", client=f"+7903000000{n}")
    office.clock.now = START + timedelta(minutes=10)
    await _tell_quick(office, "talk")
    office.clock.now = START + timedelta(minutes=12)
    await _tell_live(office, a_call("missed", at=office.clock()))
    await office.settle()


async def _tell_quick(office: Office, key: str, *, ahead: timedelta = AHEAD, **more: Any) -> None:
    """An answered call of less than a second, of a PBX whose clock is ahead by so much."""
    told = a_call(key, at=office.clock(), answered_by="101", seconds=1, **more)
    first = told[0].at
    quick = [
        e.model_copy(update={"at": first + ahead + timedelta(seconds=n / 10)}) for n, e in enumerate(told)
    ]
    await office.tell_all(quick)
    await office.idle()
