"""Who can be rung, in the memory of a gateway: prepared whenever something changes, so that a ringing phone asks a dictionary.

Schedules change it at their edges, presence and the ledgers of turns whenever they move. A question moves no ledger.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg

from crm.store.marks import marked_entities
from gateway.at_work import AtWork
from gateway.configuration import Configuration, Snapshot
from gateway.store.admin.accounts import Account
from gateway.store.distribution.turns import StoredTurns, turns_now
from routing.distribution.decide import distribute, ladder
from routing.distribution.item import WorkItem
from routing.distribution.roster import roster_of
from routing.lookup.available import Ladder, Reachability
from routing.lookup.prepare import prepare
from routing.one_person import reserved_entities
from routing.presence import Presence
from routing.staff import Staff
from runtime.database import channels
from runtime.database.errors import DATABASE_ERRORS
from runtime.metrics import Sample
from runtime.trouble import Trouble

_LOOK_SECONDS = 0.5
"""How soon presence is seen, which tells nobody."""
_READ_AGAIN = timedelta(seconds=30)
"""How old counts of deals may grow, which tell nobody either."""
_PATIENCE = timedelta(minutes=5)
"""So long a template's order is offered on while the database is away: later than that it is nobody's turn that is known."""
_AT_A_TIME = 10
_PEOPLE_OF_A_WALK = frozenset({"person", "group"})


@dataclass(slots=True)
class _Known:
    """What was prepared of an account, from what, and until when it holds."""

    reach: Reachability
    account: Account
    staff: Staff
    presence: Presence
    turns: StoredTurns | None
    until: datetime | None
    read_at: datetime


class ReachablePeople:
    """`get` on the path of the lookup. `run` until cancelled; the listener has to run too."""

    def __init__(self, pool: asyncpg.Pool, configuration: Configuration, at_work: AtWork) -> None:
        self._pool, self._configuration, self._at_work = pool, configuration, at_work
        self._reach: dict[str, Reachability] = {}
        self._known: dict[str, _Known] = {}
        self._moved: set[str] = set()
        self._woken = asyncio.Event()
        self._trouble = Trouble("reachable-people")

    def get(self, account_id: str, otherwise: Reachability, /) -> Reachability:
        return self._reach.get(account_id, otherwise)

    async def run(self) -> None:
        with (
            self._configuration.listener.subscribe([channels.TURNS], self._heard, self._connected),
            self._configuration.changes() as reconfigured,
        ):
            while True:
                reconfigured.clear()
                self._woken.clear()
                try:
                    await self.refresh(datetime.now(UTC))
                    self._trouble.recovered()
                except DATABASE_ERRORS as err:
                    self._trouble.failed(err)
                if reconfigured.is_set():
                    await asyncio.sleep(0)
                else:
                    await self._wait()

    async def refresh(self, now: datetime) -> None:
        """Prepare anew what is not as it was: of every account that a change, an edge or its age has made old."""
        snapshot = self._configuration.now
        wanted = {a.id: a for a in snapshot.accounts.values() if _is_asked_for(a)}
        for gone in self._known.keys() - wanted:
            self._forget(gone)
        self._moved &= wanted.keys()
        for account in wanted.values():
            if self._is_old(account, snapshot, now):
                await self._prepare(account, snapshot, now)

    def _is_old(self, account: Account, snapshot: Snapshot, now: datetime) -> bool:
        known = self._known.get(account.id)
        return (
            known is None
            or account.id in self._moved
            or known.account is not account
            or known.staff is not snapshot.staff[account.id]
            or known.presence is not self._at_work.presence_of(account.id)
            or (known.until is not None and now >= known.until)
            or now - known.read_at >= _READ_AGAIN
        )

    async def _prepare(self, account: Account, snapshot: Snapshot, now: datetime) -> None:
        staff, presence = snapshot.staff[account.id], self._at_work.presence_of(account.id)
        turns, read_at = await self._turns(account, staff, now)
        only = await self._reserved(account)
        await self._shifts_known(account, staff, turns, now)
        found, edge = self._ladder(account, staff, turns, now)
        policy = account.settings.lookup
        timetable = self._at_work.timetable(account.id, policy.schedule) if policy.schedule else None
        prepared = prepare(
            policy,
            staff,
            now,
            timetable=timetable,
            presence=presence,
            only=only,
            ladder=found,
        )
        edges = [at for at in (edge, prepared.until) if at is not None]
        until = min(edges, default=None)
        self._known[account.id] = _Known(prepared.reach, account, staff, presence, turns, until, read_at)
        self._reach[account.id] = prepared.reach

    async def _shifts_known(
        self, account: Account, staff: Staff, turns: StoredTurns | None, now: datetime
    ) -> None:
        """Find out a few people's shifts at a time: phones ring in between. Once found they are remembered."""
        names = [account.settings.lookup.schedule] if account.settings.lookup.schedule else []
        found = [self._at_work.timetable(account.id, name) for name in names]
        if turns is not None:
            found.append(self._at_work.hours_of(account.id, turns.template))
        people = [person.id for person in staff.employees]
        for timetable in (t for t in found if t is not None):
            for position, _ in enumerate(timetable.prepare(people, now), 1):
                if position % _AT_A_TIME == 0:
                    await asyncio.sleep(0)

    async def _turns(
        self, account: Account, staff: Staff, now: datetime
    ) -> tuple[StoredTurns | None, datetime]:
        """Read the template's ledgers; what was read before is good for a while when the database is away."""
        name, known = account.settings.lookup.template, self._known.get(account.id)
        if name is None:
            self._moved.discard(account.id)
            return None, now
        try:
            self._moved.discard(account.id)
            async with self._pool.acquire(timeout=5) as conn:
                return (await turns_now(conn, account.id, [name], staff, now)).get(name), now
        except DATABASE_ERRORS as err:
            self._moved.add(account.id)
            if known is None or now - known.read_at > _PATIENCE:
                return None, now
            self._trouble.failed(err)
            return known.turns, known.read_at

    async def _reserved(self, account: Account) -> Mapping[str, str]:
        """Return clients for one person only; who bears a tag or a field is what was read last when the database is away."""
        policy, known = account.settings.one_person, self._known.get(account.id)
        if not (policy.tags or policy.fields):
            return policy.clients
        try:
            async with self._pool.acquire(timeout=5) as conn:
                return reserved_entities(policy, await marked_entities(conn, account.id))
        except DATABASE_ERRORS as err:
            self._moved.add(account.id)
            self._trouble.failed(err)
            return policy.clients if known is None else known.reach.only

    def _ladder(
        self, account: Account, staff: Staff, turns: StoredTurns | None, now: datetime
    ) -> tuple[Ladder | None, datetime | None]:
        if turns is None:
            return None, None
        roster, zone = roster_of(turns.template, staff), ZoneInfo(account.time_zone)
        everybody = [person.id for person in staff.employees]
        standings = self._at_work.counted(account.id, turns, everybody, now)
        item = WorkItem(kind="ring", id="", entered_at=now)
        people = ladder(roster, item, turns.ledgers, standings, now, zone)
        walk = distribute(roster, item, turns.ledgers, standings, now, zone).steps
        steps = tuple(step for step in walk if step.rule in _PEOPLE_OF_A_WALK)
        edge = self._at_work.edge(account.id, turns.template, everybody, now)
        return Ladder(turns.name, people, steps), edge

    def _forget(self, account_id: str) -> None:
        self._known.pop(account_id, None)
        self._reach.pop(account_id, None)
        self._moved.discard(account_id)

    async def _wait(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._woken.wait()

    def _heard(self, _channel: str, account_id: str) -> None:
        self._moved.add(account_id)
        self._woken.set()

    def _connected(self) -> None:
        self._moved |= self._known.keys()
        self._woken.set()

    def samples(self) -> Iterator[Sample]:
        """For the metrics."""
        away = sum(len(reach.away) for reach in self._reach.values())
        yield "gauge", "lookup_people_away", "Employees whom lookups pass over just now", {}, away


def _is_asked_for(account: Account) -> bool:
    policy = account.settings.lookup
    return (
        policy.availability != "off" or policy.template is not None or account.settings.one_person.knows_any
    )
