"""A hangup that is lost, and clocks that differ, hide no missed call."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from routing.calls.model import CallEvent
from tests.integration.intake.office import START, Office, a_call


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
    for n in range(6):
        office.clock.now = START + timedelta(minutes=n)
        await _tell_quick(office, f"before{n}", client=f"+7903000000{n}")
    office.clock.now = START + timedelta(minutes=10)
    await _tell_quick(office, "talk")
    office.clock.now = START + timedelta(minutes=12)
    await _tell_live(office, a_call("missed", at=office.clock()))
    await office.settle()
    assert [c["state"] for c in await office.cases()] == ["open"]
    offset = (await office.call("talk"))["clock_offset"]
    assert abs(offset + timedelta(minutes=5)) < timedelta(seconds=1)
    assert (await office.call("before0"))["clock_offset"] == timedelta(0), "nothing was known then"


async def _tell_quick(office: Office, key: str, **more: Any) -> None:
    """An answered call of half a second, of a PBX whose clock is five minutes ahead."""
    told = a_call(key, at=office.clock(), answered_by="101", seconds=1, **more)
    first = told[0].at
    quick = [
        e.model_copy(update={"at": first + timedelta(minutes=5, seconds=n / 10)}) for n, e in enumerate(told)
    ]
    await office.tell_all(quick)
    await office.idle()
