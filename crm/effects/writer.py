"""The one who writes to an account's CRM: takes its waiting effects, packs them into the fewest requests, and records
what became of each. Intent is committed before a request leaves, the outcome after it.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

from crm.effects.batching import BY_NUMBER, COMPLEX, Batch, next_batch
from crm.effects.model import EffectStore, Ready
from crm.effects.owners import StandIns
from crm.effects.pauses import is_alarm
from crm.effects.sender import Sender, WriterSettings
from crm.errors import CrmError
from crm.lane import Lane
from crm.port import Crm
from routing.client import EntityKind
from routing.orders import CREATING
from runtime.circuit_breaker import CircuitBreaker, Permit
from runtime.database.lease import Held

log = structlog.get_logger(__name__)

CatchUp = Callable[[Lane, Collection[EntityKind]], Awaitable[bool]]
"""Brings these kinds of the directory up to date with the CRM. True: the CRM tells of its changes by itself, and in time.
Raises CrmError."""
ReleaseMore = Callable[[], Awaitable[int]]
"""Releases more of a backfill; how many effects, 0 = there are no more just now."""

_LIVE = (Lane.REALTIME, Lane.EVENTS, Lane.SYNC)
_PEOPLE: tuple[EntityKind, ...] = ("contact", "company")


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterStatus:
    """How the account's writing fares. reason: code of the CRM's present mood, "" when all is well."""

    last_success: datetime | None
    last_error: str
    last_error_at: datetime | None
    closed_until: datetime | None
    reason: str
    reason_since: datetime | None
    is_alarm: bool
    requests_under_way: int


@dataclass(frozen=True, slots=True)
class WriterTurn:
    """Something to do now; nothing else that would collide with it is given out until it is done."""

    lane: Lane
    run: Callable[[], Awaitable[None]]
    permit: Permit
    clients: tuple[str, ...] = ()
    is_look: bool = False


@dataclass(slots=True)
class _UnderWay:
    live: int = 0
    backfill: int = 0
    looks: int = 0
    clients: Counter[str] = field(default_factory=Counter)

    def begin(self, work: WriterTurn, step: int = 1) -> None:
        if work.lane >= Lane.BACKFILL:
            self.backfill += step
        else:
            self.live += step
        self.looks += step if work.is_look else 0
        for client in work.clients:
            self.clients[client] += step
            if not self.clients[client]:
                del self.clients[client]

    def end(self, work: WriterTurn) -> None:
        self.begin(work, -1)


class Writer:
    """One account's. `run` until the lease is lost; `drain` does what is due now and returns.

    now: aware UTC. random: 0 ≤ x < 1, for the jitter. feed: see `Feed`, only with a backfill.
    account_breaker: what the account's client knows of an API that is closed to us. stand_ins: who gets what the CRM will
    not give to a user. on_refused_value: users, stages or fields may have changed in the CRM.
    """

    def __init__(
        self,
        crm: Crm,
        effects: EffectStore,
        account_id: str,
        lease: Held,
        catch_up: CatchUp,
        *,
        settings: WriterSettings | None = None,
        feed: ReleaseMore | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        random: Callable[[], float] = random.random,
        account_breaker: CircuitBreaker | None = None,
        stand_ins: StandIns = lambda _user: (),
        on_refused_value: Callable[[], None] = lambda: None,
    ) -> None:
        self._effects, self._account = effects, account_id
        self._lease, self._catch_up, self._feed, self._now = lease, catch_up, feed, now
        self._settings = settings or WriterSettings()
        self._sender = Sender(
            crm,
            effects,
            account_id,
            lease,
            self._settings,
            now,
            random,
            account_breaker,
            stand_ins,
            on_refused_value,
        )
        self._under_way = _UnderWay()
        self._caught_up_at: dict[EntityKind, datetime] = {}
        self._webhooks_keep_up = False
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    # --- running -----------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """There is something new: look now rather than at the next poll."""
        self._wake.set()

    def stop(self) -> None:
        """Finish what is under way, then let `run` return."""
        self._stopping = True
        self._wake.set()

    async def recover_in_flight(self) -> None:
        """First thing after a takeover: what the predecessor was sending may still arrive; look for it later."""
        found = await self._effects.recover_in_flight(
            self._now() + timedelta(seconds=self._settings.quiet_seconds)
        )
        if found:
            log.info("effects-recovered", account=self._account, effects=found)

    async def run(self) -> None:
        """Until `stop`, or raises LeaseLost, or whatever the database raises; then everything under way is dropped,
        and the next `run` looks for what became of it."""
        await self.recover_in_flight()
        try:
            while not self._stopping or self._tasks:
                self._wake.clear()
                while not self._stopping and (work := await self.next_work()):
                    self._tasks.add(asyncio.create_task(self.do(work)))
                self._tasks -= await self._ended()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._tasks.clear()
            self._under_way = _UnderWay()

    async def recorded(self, seconds: float) -> None:
        """Until what is under way now is over and recorded; `seconds` at the most."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)

    async def drain(self) -> int:
        """Do what is due now, one piece after the other; how many pieces."""
        count = 0
        while work := await self.next_work():
            await self.do(work)
            count += 1
        return count

    async def _ended(self) -> set[asyncio.Task[None]]:
        """Wait until there is something to do; the tasks that are over."""
        signals = [asyncio.ensure_future(event.wait()) for event in (self._wake, self._lease.lost)]
        try:
            seconds = await self._idle_seconds()
            await asyncio.wait([*self._tasks, *signals], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for signal in signals:
                signal.cancel()
        self._lease.check()
        ended = {task for task in self._tasks if task.done()}
        for task in ended:
            task.result()
        return ended

    async def _idle_seconds(self) -> float:
        now = self._now()
        times = [now + timedelta(seconds=self._settings.poll_seconds)]
        if wait := self._sender.breaker.wait_seconds():
            times.append(now + timedelta(seconds=wait))
        elif due := await self._effects.next_due(now):
            times.append(due)
        return max(0.005, min((at - now).total_seconds() for at in times))

    def status(self) -> WriterStatus:
        error, state = self._sender.last_error, self._sender.breaker.state
        return WriterStatus(
            last_success=self._sender.last_success,
            last_error=error[0] if error else "",
            last_error_at=error[1] if error else None,
            closed_until=_at(state.probe_at),
            reason=state.reason,
            reason_since=_at(state.since) if state.reason else None,
            is_alarm=is_alarm(state.reason),
            requests_under_way=self._under_way.live + self._under_way.backfill,
        )

    # --- what to do next ---------------------------------------------------------------------------------------

    async def next_work(self) -> WriterTurn | None:
        """Return the next piece, claimed; None when nothing may or need be done now. Not to be called twice at once."""
        self._lease.check()
        now, breaker = self._now(), self._sender.breaker
        lanes = self._open_lanes()
        permit = breaker.permit() if lanes else None
        if permit is None:
            return None
        work = None
        try:
            work = await self._look(now, permit) or await self._send(now, lanes, permit)
        except CrmError as error:  # of catching up
            await self._sender.on_failure(error, now, permit, is_read=True)
        finally:
            if work is None:
                breaker.unused(permit)
        if work is not None:
            self._under_way.begin(work)
        return work

    async def do(self, work: WriterTurn) -> None:
        try:
            self._lease.check()
            await work.run()
        finally:
            self._sender.breaker.unused(work.permit)
            self._under_way.end(work)

    def _open_lanes(self) -> tuple[Lane, ...]:
        way = self._under_way
        if not self._sender.breaker.is_closed and way.live + way.backfill:
            return ()  # one at a time feels its way
        live = _LIVE if way.live < self._settings.live_requests else ()
        backfill = (Lane.BACKFILL, Lane.MOVES) if way.backfill < self._settings.backfill_requests else ()
        return (*live, *backfill)

    async def _look(self, now: datetime, permit: Permit) -> WriterTurn | None:
        if self._under_way.looks:
            return None
        stored = await self._effects.unverified(now, 250)
        if not stored:
            return None
        return WriterTurn(
            stored[0].lane,
            lambda: self._sender.look(stored, permit),
            permit,
            tuple(s.client for s in stored),
            is_look=True,
        )

    async def _send(self, now: datetime, lanes: Sequence[Lane], permit: Permit) -> WriterTurn | None:
        batch = await self._batch(now, lanes)
        if batch is None:
            return None
        creates = batch.rows[0].what in CREATING
        if creates:
            await self._be_up_to_date(batch, now)
        stored = await self._effects.take(batch.keys, now)
        clients = tuple(s.client for s in stored) if creates else ()
        return WriterTurn(
            batch.lane, lambda: self._sender.send(batch.kind, batch.lane, stored, permit), permit, clients
        )

    async def _batch(self, now: datetime, lanes: Sequence[Lane]) -> Batch | None:
        batch = await self._next_batch(now, lanes)
        if batch is None or batch.lane == Lane.MOVES or (batch.lane == Lane.BACKFILL and not batch.is_full):
            if self._feed and Lane.BACKFILL in lanes and await self._feed():
                batch = await self._next_batch(now, lanes)
            if batch and batch.lane >= Lane.BACKFILL and not batch.is_full and self._under_way.backfill:
                return None  # what is under way may let the next request carry more
        return batch

    async def _next_batch(self, now: datetime, lanes: Sequence[Lane]) -> Batch | None:
        rows = _deciding_first(
            await self._effects.ready(now, lanes, self._settings.window), self._sender.unpaid
        )
        await self._choose_routes(rows)
        return next_batch(
            rows,
            self._sender.sizes,
            busy_clients=self._under_way.clients,
            split=self._sender.split,
            routes=self._sender.routes,
        )

    async def _choose_routes(self, rows: Sequence[Ready]) -> None:
        """Backfilled calls go through the CRM's own matching where it hits the entity that the matrix names."""
        if self._settings.are_notes_dated:
            return
        calls = [r for r in rows if r.lane == Lane.BACKFILL and r.what == "attach_call" and r.target]
        new = [r for r in calls if r.key not in self._sender.routes]
        if not new:
            return
        known = await self._effects.known({r.number for r in new if r.number})
        for row in new:
            client = known.get(row.number or "")
            hit = "deal" if client and len(client.deals) == 1 else client.contact[0] if client else None
            is_right = client is not None and client.is_alone and hit == row.target and len(client.deals) <= 1
            self._sender.routes[row.key] = BY_NUMBER if is_right else f"attach_call:{row.target}"

    async def _be_up_to_date(self, batch: Batch, now: datetime) -> None:
        """Read what of the client may be missing: of one without a contact or company no deals, which they cannot have."""
        is_new_client = batch.kind in (COMPLEX, "create_contact")
        settings = self._settings
        seconds = settings.catch_up_seconds
        if batch.lane >= Lane.BACKFILL:
            seconds = (
                settings.told_catch_up_seconds
                if self._webhooks_keep_up
                else settings.backfill_catch_up_seconds
            )
        oldest = now - timedelta(seconds=seconds)
        wanted = [
            kind
            for kind in (_PEOPLE if is_new_client else (*_PEOPLE, "deal"))
            if kind not in self._caught_up_at or self._caught_up_at[kind] < oldest
        ]
        if wanted:
            # Never slower than events: while this waits for its turn behind a long sync, no live effect is sent either.
            self._webhooks_keep_up = await self._catch_up(min(batch.lane, Lane.EVENTS), wanted)
            self._caught_up_at |= dict.fromkeys(wanted, now)


def _deciding_first(rows: Sequence[Ready], unpaid: str | None) -> Sequence[Ready]:
    """While an account is unpaid, what it was refused for decides whether it is again: a contact would be made, and its
    deal not. Only where nothing of that kind waits any more, anything else is tried."""
    if unpaid is None:
        return rows
    of_that_kind = [row for row in rows if row.what == unpaid]
    needed = {row.contact for row in of_that_kind if row.contact}
    return [row for row in rows if row.what == unpaid or row.key in needed] or rows


def _at(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


__all__ = ["CatchUp", "ReleaseMore", "Writer", "WriterSettings", "WriterStatus", "WriterTurn"]
