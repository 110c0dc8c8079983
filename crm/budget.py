"""The requests per second that a CRM grants one account, divided into lanes.

`Slots` decides and knows no clock; `Budget` is the same for asyncio. A request holds one of `rate` slots from before it
is sent until one second and a margin after its answer. Whenever the CRM counted a request, it was between the two, so
no window of one second at the CRM can hold more than `rate` of them, whatever the network did to their order. One that
was given up without an answer keeps its slot until the CRM is known to answer: a CRM that stands still has it in its
hands, and counts it when it goes on.
"""

from __future__ import annotations

import asyncio
import random
import time
from bisect import insort
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from crm.lane import Lane
from runtime.backoff import grown_pause

WINDOW_SECONDS = 1.0
MARGIN_SECONDS = 0.05  # timers and clocks are not exact
TAKEOVER_SECONDS = WINDOW_SECONDS + 0.5
"""What a predecessor sent last may count for so long in the CRM's window."""
FIRST_PAUSE_SECONDS = 1.5
LONGEST_PAUSE_SECONDS = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneUse:
    """What a lane has used so far. last_second: requests granted in the second before the reading."""

    requests: int = 0
    waiting: int = 0
    waited_seconds: float = 0.0
    last_second: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetUse:
    """One reading of the meter. paused_seconds: how long nothing will be sent from now on, 0 = open."""

    rate: int
    in_flight: int
    paused_seconds: float
    throttled: int
    lanes: Mapping[Lane, LaneUse]


@dataclass(slots=True)
class _LaneMeter:
    requests: int = 0
    waited_seconds: float = 0.0
    recent: deque[float] = field(default_factory=deque)


@dataclass(slots=True, eq=False)
class Ticket:
    """One request's place in the queue, later its slot. granted_at: None while it waits."""

    lane: Lane
    asked_at: float
    granted_at: float | None = None


class Slots:
    """Who may send now. Every method takes the time, in seconds of any steady clock.

    closed_until: nothing before this time (after a takeover: the predecessor's requests still count).
    """

    def __init__(
        self,
        rate: int,
        *,
        margin: float = MARGIN_SECONDS,
        closed_until: float = 0.0,
        random: Callable[[], float] = random.random,
    ) -> None:
        if rate < 1:
            raise ValueError(f"rate must be at least 1, not {rate}")
        self.rate = rate
        self._hold = WINDOW_SECONDS + margin
        self._random = random
        self._closed_until = closed_until
        self._queues: dict[Lane, deque[Ticket]] = {lane: deque() for lane in Lane}
        self._busy: set[Ticket] = set()
        self._cooling: deque[float] = deque()  # when each slot that was given back is free again; ascending
        self._lost = 0
        self._meters = {lane: _LaneMeter() for lane in Lane}
        self._throttled = 0
        self._streak = 0
        self._paused_at = float("-inf")

    def ask(self, lane: Lane, now: float) -> Ticket:
        """Return a place at the end of the lane's queue."""
        ticket = Ticket(lane, now)
        self._queues[lane].append(ticket)
        return ticket

    def grant(self, now: float) -> list[Ticket]:
        """Those that may send now: lower lanes first, in a lane the first to ask."""
        self._warm(now)
        granted: list[Ticket] = []
        while now >= self._closed_until and self._free() and (queue := self._next_queue()):
            ticket = queue.popleft()
            ticket.granted_at = now
            self._busy.add(ticket)
            self._count(ticket, now)
            granted.append(ticket)
        return granted

    def done(self, ticket: Ticket, now: float) -> None:
        """Note that the answer is there, or that there will be none. A ticket that was never granted leaves its queue."""
        if ticket in self._busy:
            self._busy.remove(ticket)
            insort(self._cooling, now + self._hold)
        elif ticket.granted_at is None and ticket in self._queues[ticket.lane]:
            self._queues[ticket.lane].remove(ticket)

    def lost(self, ticket: Ticket) -> None:
        """Note that it was sent and nobody waits for its answer any more: its slot stays taken until `answering`."""
        if ticket in self._busy:
            self._busy.remove(ticket)
            self._lost += 1

    def answering(self, now: float) -> None:
        """Note that the CRM has answered what was sent after all that was lost: it counts that by now, if ever."""
        for _ in range(self._lost):
            insort(self._cooling, now + TAKEOVER_SECONDS)
        self._lost = 0

    def unused(self, ticket: Ticket) -> None:
        """Give a granted slot back at once: nothing was sent."""
        if ticket in self._busy:
            self._busy.remove(ticket)
            meter = self._meters[ticket.lane]
            meter.requests -= 1
            if ticket.granted_at is not None and ticket.granted_at in meter.recent:
                meter.recent.remove(ticket.granted_at)

    def throttled(self, ticket: Ticket, now: float, retry_after: float | None = None) -> float:
        """Note a 429: send nothing for as long as told, else ever longer. Gives the time it lasts until.

        429s of requests that were under way together count as one.
        """
        self._throttled += 1
        if ticket.granted_at is not None and ticket.granted_at > self._paused_at:
            self._streak += 1
            self._paused_at = now
        seconds = retry_after
        if seconds is None:
            grown = grown_pause(max(self._streak, 1), FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
            seconds = grown * (1.0 + self._random() / 2)
        return self.pause(seconds, now)

    def on_success(self, ticket: Ticket) -> None:
        """Note an answer other than 429 to a request sent after the last pause: the back-off starts small again."""
        if ticket.granted_at is not None and ticket.granted_at > self._paused_at:
            self._streak = 0

    def open_in(self, seconds: float, now: float) -> None:
        """Send nothing for this long and no longer, whatever pause there was."""
        self._closed_until = now + seconds

    def pause(self, seconds: float, now: float) -> float:
        """Send nothing for this long. Never shortens a longer pause."""
        self._closed_until = max(self._closed_until, now + seconds)
        return self._closed_until

    def next_at(self) -> float | None:
        """When `grant` should be called again; None when only `ask` or `done` can change anything."""
        if not any(self._queues.values()):
            return None
        if self._free():
            return self._closed_until
        return max(self._closed_until, self._cooling[0]) if self._cooling else None

    def use(self, now: float) -> BudgetUse:
        return BudgetUse(
            rate=self.rate,
            in_flight=len(self._busy) + self._lost,
            paused_seconds=max(0.0, self._closed_until - now),
            throttled=self._throttled,
            lanes={lane: self._lane_use(lane, now) for lane in Lane},
        )

    def _free(self) -> bool:
        return len(self._busy) + len(self._cooling) + self._lost < self.rate

    def _warm(self, now: float) -> None:
        while self._cooling and self._cooling[0] <= now:
            self._cooling.popleft()

    def _next_queue(self) -> deque[Ticket] | None:
        return next((self._queues[lane] for lane in Lane if self._queues[lane]), None)

    def _count(self, ticket: Ticket, now: float) -> None:
        meter = self._meters[ticket.lane]
        meter.requests += 1
        meter.waited_seconds += now - ticket.asked_at
        meter.recent.append(now)
        while meter.recent and meter.recent[0] <= now - WINDOW_SECONDS:
            meter.recent.popleft()

    def _lane_use(self, lane: Lane, now: float) -> LaneUse:
        meter = self._meters[lane]
        return LaneUse(
            requests=meter.requests,
            waiting=len(self._queues[lane]),
            waited_seconds=meter.waited_seconds,
            last_second=sum(1 for at in meter.recent if at > now - WINDOW_SECONDS),
        )


class Slot:
    """One request's permission, as long as its `async with` lasts."""

    def __init__(self, slots: Slots, ticket: Ticket, clock: Callable[[], float]) -> None:
        self._slots, self._ticket, self._clock = slots, ticket, clock

    def throttled(self, retry_after: float | None = None) -> None:
        """Say that this request was answered 429. retry_after: seconds, None when not told."""
        self._slots.throttled(self._ticket, self._clock(), retry_after)

    def on_success(self) -> None:
        self._slots.on_success(self._ticket)

    def lost(self) -> None:
        """Say that it was sent and nobody waits for its answer any more: its slot stays taken until `Budget.answering`."""
        self._slots.lost(self._ticket)

    def unused(self) -> None:
        """Say that nothing was sent: the slot is free again at once."""
        self._slots.unused(self._ticket)


class Budget:
    """The requests per second of one account in one process. All who talk to its CRM share one Budget.

    rate: requests in any second. closed_until: by `clock`, nothing before it.
    """

    def __init__(
        self,
        rate: int = 7,
        *,
        clock: Callable[[], float] = time.monotonic,
        margin: float = MARGIN_SECONDS,
        closed_until: float = 0.0,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._clock = clock
        self._slots = Slots(rate, margin=margin, closed_until=closed_until, random=random)
        self._wakers: dict[Ticket, asyncio.Future[None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def slot(self, lane: Lane) -> AsyncIterator[Slot]:
        """Wait for permission to send one request; leave the block when its answer has been read or it failed."""
        ticket = self._slots.ask(lane, self._clock())
        try:
            await self._turn_of(ticket)
            yield Slot(self._slots, ticket, self._clock)
        finally:
            self._slots.done(ticket, self._clock())
            self._wake()

    def pause(self, seconds: float) -> None:
        """Send nothing for this long; what is under way is not touched."""
        self._slots.pause(seconds, self._clock())
        self._wake()

    def open_in(self, seconds: float) -> None:
        """End a pause so long from now."""
        self._slots.open_in(seconds, self._clock())
        self._wake()

    def answering(self) -> None:
        """Say that the CRM answers what was asked after all that was lost."""
        self._slots.answering(self._clock())
        self._wake()

    def use(self) -> BudgetUse:
        """Return a reading of the meter."""
        return self._slots.use(self._clock())

    async def _turn_of(self, ticket: Ticket) -> None:
        waker = asyncio.get_running_loop().create_future()
        self._wakers[ticket] = waker
        try:
            self._wake()
            await waker
        except asyncio.CancelledError:
            self._slots.unused(ticket)
            raise
        finally:
            self._wakers.pop(ticket, None)

    def _wake(self) -> None:
        for ticket in self._slots.grant(self._clock()):
            waker = self._wakers[ticket]
            if not waker.done():
                waker.set_result(None)
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        at = self._slots.next_at()
        if at is not None:
            delay = max(at - self._clock(), 0.001)
            self._timer = asyncio.get_running_loop().call_later(delay, self._wake)
