from __future__ import annotations

import asyncio
import heapq
from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.budget import TAKEOVER_SECONDS, WINDOW_SECONDS, Budget, Slots, Ticket
from crm.lane import Lane

from .virtual_time import run


@dataclass(frozen=True)
class Sent:
    """One request of a simulation. after: seconds since the one before was asked; counted: share of the latency."""

    lane: Lane
    after: float
    latency: float
    counted: float
    gives_up: float | None


requests = st.lists(
    st.builds(
        Sent,
        lane=st.sampled_from(Lane),
        after=st.floats(0, 0.4),
        latency=st.floats(0, 3),
        counted=st.floats(0, 1),
        gives_up=st.one_of(st.none(), st.floats(0, 2)),
    ),
    min_size=1,
    max_size=60,
)


def play(slots: Slots, plan: list[Sent], start: float = 0.0) -> tuple[list[float], list[Ticket], int]:
    """Run the plan in virtual time: when the CRM counted each request, the tickets as granted, how many never were."""
    agenda: list[tuple[float, int, str, Ticket | Sent]] = []
    serial = 0

    def at(when: float, what: str, whom: Ticket | Sent) -> None:
        nonlocal serial
        serial += 1
        heapq.heappush(agenda, (when, serial, what, whom))

    when = start
    for item in plan:
        when += item.after
        at(when, "ask", item)
    by_ticket: dict[int, Sent] = {}
    counted: list[float] = []
    granted: list[Ticket] = []
    gave_up = 0
    now = start
    while agenda or slots.next_at() is not None:
        wake = slots.next_at()
        if agenda and (wake is None or agenda[0][0] <= wake):
            now, _, what, whom = heapq.heappop(agenda)
            if isinstance(whom, Sent):
                ticket = slots.ask(whom.lane, now)
                by_ticket[id(ticket)] = whom
                if whom.gives_up is not None:
                    at(now + whom.gives_up, "give up", ticket)
            elif what == "done":
                slots.done(whom, now)
            elif whom.granted_at is None:
                gave_up += 1
                slots.done(whom, now)
        else:
            assert wake is not None
            now = max(now, wake)
        for ticket in slots.grant(now):
            item = by_ticket[id(ticket)]
            granted.append(ticket)
            counted.append(now + item.latency * item.counted)
            at(now + item.latency, "done", ticket)
    return sorted(counted), granted, gave_up


def fullest_window(times: list[float]) -> int:
    return max(i + 1 - bisect_left(times, t - WINDOW_SECONDS) for i, t in enumerate(times))


@given(plan=requests, rate=st.integers(1, 7))
def test_no_second_at_the_crm_holds_more_than_the_rate_however_long_requests_take(
    plan: list[Sent], rate: int
) -> None:
    counted, granted, gave_up = play(Slots(rate), plan)
    assert len(granted) + gave_up == len(plan)
    assert not counted or fullest_window(counted) <= rate


@given(plan=requests)
def test_a_lower_lane_is_never_overtaken_and_a_lane_keeps_its_order(plan: list[Sent]) -> None:
    _, granted, _ = play(Slots(2), plan)
    for earlier, later in pairwise(granted):
        assert earlier.granted_at is not None
        if later.asked_at < earlier.granted_at and later.asked_at != earlier.asked_at:
            assert earlier.lane <= later.lane
        if earlier.lane == later.lane:
            assert earlier.asked_at <= later.asked_at


@given(plan=requests)
@settings(max_examples=50)
def test_requests_that_give_up_lose_no_capacity(plan: list[Sent]) -> None:
    slots = Slots(3)
    play(slots, plan)
    later = 10_000.0
    for _ in range(3):
        slots.ask(Lane.SYNC, later)
    assert len(slots.grant(later)) == 3


@given(plan=requests, until=st.floats(1, 20))
def test_after_a_takeover_nothing_is_sent_before_the_window_is_over(plan: list[Sent], until: float) -> None:
    _, granted, _ = play(Slots(7, closed_until=until), plan)
    assert all(t.granted_at is not None and t.granted_at >= until for t in granted)


def test_a_rate_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="rate"):
        Slots(0)


def throttle(slots: Slots, now: float, told: float | None = None) -> float:
    ticket = slots.ask(Lane.EVENTS, now)
    assert ticket in slots.grant(now)
    until = slots.throttled(ticket, now, told)
    slots.done(ticket, now)
    return until - now


def test_429_without_a_time_pauses_ever_longer_and_an_answer_resets_it() -> None:
    slots = Slots(7, random=lambda: 0.0)
    assert [throttle(slots, at) for at in (0.0, 100.0, 200.0)] == [1.5, 3.0, 6.0]
    good = slots.ask(Lane.EVENTS, 300.0)
    slots.grant(300.0)
    slots.on_success(good)
    assert throttle(slots, 400.0) == 1.5


def test_the_pause_is_jittered_by_the_given_chance() -> None:
    assert throttle(Slots(7, random=lambda: 1.0), 0.0) == 1.5 * 1.5


def test_429_with_a_time_pauses_as_told() -> None:
    assert throttle(Slots(7), 0.0, told=300.0) == 300.0


def test_refusals_of_requests_that_were_under_way_together_count_as_one() -> None:
    slots = Slots(7, random=lambda: 0.0)
    together = [slots.ask(Lane.SYNC, 0.0) for _ in range(7)]
    slots.grant(0.0)
    assert {slots.throttled(t, 0.1) for t in together} == {0.1 + 1.5}


def test_what_was_given_up_keeps_its_slot_until_the_crm_answers() -> None:
    slots = Slots(2)
    first, second, third = (slots.ask(Lane.SYNC, 0) for _ in range(3))
    assert slots.grant(0) == [first, second]
    for ticket in (first, second):
        slots.lost(ticket)
        slots.done(ticket, 20)
    assert (slots.grant(500), slots.next_at(), slots.use(500).in_flight) == ([], None, 2)
    slots.answering(600)
    assert slots.next_at() == 600 + TAKEOVER_SECONDS
    assert slots.grant(601) == []
    assert slots.grant(600 + TAKEOVER_SECONDS) == [third]


def test_nobody_is_granted_while_paused() -> None:
    slots = Slots(7)
    slots.pause(5, 10.0)
    slots.ask(Lane.REALTIME, 10.0)
    assert slots.grant(14.9) == []
    assert slots.next_at() == 15.0
    assert len(slots.grant(15.0)) == 1


def test_the_meter_tells_each_lane_apart() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        budget = Budget(2, clock=loop.time)

        async def ask(lane: Lane) -> None:
            async with budget.slot(lane):
                await asyncio.sleep(0.1)

        await asyncio.gather(ask(Lane.SYNC), ask(Lane.SYNC), ask(Lane.SYNC), ask(Lane.REALTIME))
        use = budget.use()
        assert use.lanes[Lane.SYNC].requests == 3
        assert use.lanes[Lane.REALTIME].requests == 1
        assert use.lanes[Lane.REALTIME].waited_seconds == pytest.approx(1.15, abs=0.01)
        assert use.lanes[Lane.SYNC].last_second == 1
        assert use.lanes[Lane.BACKFILL].requests == 0
        assert use.in_flight == 0

    run(story())


def test_a_waiter_cancelled_in_the_queue_or_at_the_moment_of_its_grant_loses_no_slot() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        budget = Budget(1, clock=loop.time)
        order: list[str] = []

        async def ask(name: str) -> None:
            async with budget.slot(Lane.EVENTS):
                order.append(name)

        await ask("first")
        queued, granted, last = (loop.create_task(ask(n)) for n in ("queued", "granted", "last"))
        await asyncio.sleep(0.5)
        queued.cancel()
        loop.call_later(0.55, granted.cancel)  # the very moment when the slot is free again
        await asyncio.gather(queued, granted, last, return_exceptions=True)
        assert queued.cancelled()
        assert order[0] == "first"
        assert order[-1] == "last"
        assert loop.time() < 1000.0 + 2 * 1.05 + 0.1

    run(story())


def test_a_failed_request_holds_its_slot_as_long_as_an_answered_one() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        budget = Budget(1, clock=loop.time)

        async def fail() -> None:
            async with budget.slot(Lane.EVENTS):
                await asyncio.sleep(2)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        async with budget.slot(Lane.EVENTS):
            assert loop.time() == pytest.approx(1003.05, abs=0.01)

    run(story())
