"""The nemesis: streams of faults from one seed. One kills processes and restarts PostgreSQL, one freezes processes and slows
the database, one for each account puts its CRM into its moods, one spoils the renewal of a key. A fault counts as fired only
when its effect was seen."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from crm.effects import backfill
from gateway.store.admin import accounts
from tests.chaos import freezes, keys, moods
from tests.chaos.fault import Fault, Pace
from tests.chaos.outgoing.held import HELD_POINTS
from tests.chaos.outgoing.kill_points import SEEN_POINTS
from tests.chaos.outgoing.part import Outgoing
from tests.chaos.prober import DEADLINE_SECONDS
from tests.chaos.site import TROUBLE, HarnessFailed, Site
from tests.chaos.tenants import Tenant
from tests.chaos.turns import Turn

KILLABLE = ("gateway0", "gateway1", "worker0", "worker1")
LAST_MOOD_SECONDS = 20.0
"""Before the end of the traffic: what comes later might find no request to spoil."""
_SETTLED_SECONDS = 2 * DEADLINE_SECONDS + 0.5
_ASKED_TWICE_SECONDS = 60.0
"""So long a worker must have lived to be sure of a refusal: it asks twice."""
_AT_WORK_SECONDS, _LAST_POINT_SECONDS = 120.0, 120.0
_MAY_GO_SECONDS = 60.0
"""How long a gateway waits for the other one to be ready, before it is left in peace."""


@dataclass
class Nemesis:
    """reconnected: how often a person had to authorise, by account."""

    site: Site
    pace: Pace
    seed: int
    outgoing: Outgoing
    faults: list[Fault] = field(default_factory=list)
    reconnected: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._random = random.Random(f"nemesis {self.seed}")
        self._began = time.monotonic()
        self._database = Turn("database")  # one fault of it at a time
        self._person = Turn("person")
        self._ready_since: dict[str, float] = {}
        self._workers = Turn("workers")  # nobody else's while a key is renewed
        self._gateways = Turn("gateways")  # one of them out at a time
        # one plan of faults each
        self._crm = {t.account: Turn(t.sandbox) for t in self.site.tenants}
        self.outgoing.may_kill = lambda: not self._workers.is_taken
        self._points_left = 2

    @property
    def counts(self) -> Counter[str]:
        return Counter(fault.kind for fault in self.faults if fault.is_fired)

    def around(self, at: datetime, seconds: float = 15.0) -> list[str]:
        """What was being done to them at this time, or shortly before."""
        near = timedelta(seconds=seconds)
        return [
            f"{f.began_at:%H:%M:%S}–{f.ended_at or at:%H:%M:%S} {f.kind} {f.detail}"
            for f in self.faults
            if f.began_at <= at and (f.ended_at is None or f.ended_at >= at - near)
        ]

    @property
    def has_points_left(self) -> bool:
        return self._points_left > 0

    @property
    def in_vain(self) -> Counter[str]:
        return Counter(fault.kind for fault in self.faults if not fault.has_chance)

    @property
    def not_fired(self) -> list[Fault]:
        """Where there was something to hit; and chosen moments to which nobody ever came, though they were seen to."""
        never = {f"kill-9-{point}" for point in (*HELD_POINTS, *SEEN_POINTS)} - self.counts.keys()
        return [f for f in self.faults if not f.is_fired and (f.has_chance or f.kind in never)]

    def doing(self) -> list[str]:
        """Faults under way, and who waits for whom."""
        under_way = [f"{f.kind} for {self._elapsed - f.at:.0f} s" for f in self.faults if not f.is_over]
        turns = (self._database, self._person, self._workers, self._gateways, *self._crm.values())
        return [*under_way, *(f"[{told}]" for turn in turns if (told := turn.told()))]

    async def run(self) -> None:
        """Until the run's time is over and the last planned fault has fired."""
        self._began = time.monotonic()
        watches = [asyncio.create_task(self._watch()), asyncio.create_task(self._watch_gateways())]
        try:
            await self._every_stream()
        finally:
            for watch in watches:
                watch.cancel()

    async def _every_stream(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._kills())
            group.create_task(self._freezes())
            for points in (HELD_POINTS, SEEN_POINTS):
                group.create_task(self._kills_at(points))
            for tenant, kinds in self._shared_out():
                group.create_task(self._moods(tenant, kinds))
            for tenant in self.site.tenants:
                if tenant.key == "oauth" and not self.pace.is_short:  # it needs minutes
                    group.create_task(self._keys(tenant))

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    @property
    def _is_over(self) -> bool:
        return self._elapsed >= self.pace.seconds

    async def _fault(self, kind: str, carry_out: Callable[[], Awaitable[bool | str | None]]) -> None:
        """One that the harness could not carry out is told as not fired: it ends no run."""
        fault = Fault(kind, self._elapsed, datetime.now(UTC))
        self.faults.append(fault)
        try:
            fired = await carry_out()
        except (*TROUBLE, HarnessFailed) as err:
            fault.detail = repr(err)
        else:
            fault.is_fired, fault.has_chance, fault.detail = bool(fired), fired is not None, str(fired)
        finally:
            fault.is_over, fault.ended_at = True, datetime.now(UTC)

    # --- kills and restarts ------------------------------------------------------------------------------------

    async def _kills(self) -> None:
        """A gateway is killed only while the other one could take its place, as long as there is one."""
        database_at = self.pace.database * self._random.uniform(0.3, 0.6)
        restarts = 0
        await asyncio.sleep(2)
        while not self._is_over:
            if self._elapsed >= database_at:
                sig, name = [(signal.SIGQUIT, "immediate"), (signal.SIGINT, "fast")][restarts % 2]
                async with self._database.of(f"postgresql-{name}"):
                    await self._fault(f"postgresql-{name}", lambda s=sig: self.site.restart_database(s))  # type: ignore[misc]
                restarts += 1
                database_at = self._elapsed + self.pace.database * self._random.uniform(0.8, 1.2)
            elif not await self._one_killed():
                await asyncio.sleep(0.2)
                continue
            await asyncio.sleep(self.pace.kill * self._random.uniform(0.7, 1.3))

    async def _one_killed(self) -> bool:
        """Of those that were killed least often so far, whoever can be killed now."""
        counts = self.counts
        for name in sorted(KILLABLE, key=lambda n: (counts[f"kill-9-{n}"], self._random.random())):
            if await self._killed(name):
                return True
        return False

    async def _killed(self, name: str) -> bool:
        async def kill() -> bool:
            return self.site.kill(name)

        if not name.startswith("gateway"):
            if self._workers.is_taken or not self.site.is_at_work(name):
                return False
            await self._fault(f"kill-9-{name}", kill)
            return True
        if self._gateways.is_taken:
            return False
        async with self._gateways.of(f"kill-9-{name}"):
            if not await self._may_go(name):
                return False
            await self._fault(f"kill-9-{name}", kill)
            return True

    async def _may_go(self, name: str) -> bool:
        """Whether this gateway is up, not just started, and the other one can take over: it has been ready for so long that
        nobody who got no answer from it is asking this one now."""
        this, other = self.site.urls[int(name[-1])], self.site.urls[1 - int(name[-1])]
        since = self._ready_since.get(other)
        return (
            since is not None
            and time.monotonic() - since >= _SETTLED_SECONDS
            and self.site.process(name).is_running
            and await self.site.is_ready(other)
            and await self.site.is_ready(this)
        )

    async def _watch_gateways(self) -> None:
        """Since when each of them is ready, as far as anybody can see from outside."""
        while True:
            for url in self.site.urls:
                if await self.site.is_ready(url):
                    self._ready_since.setdefault(url, time.monotonic())
                else:
                    self._ready_since.pop(url, None)
            await asyncio.sleep(0.2)

    async def _kills_at(self, points: Sequence[str]) -> None:
        """Workers killed at a chosen moment of what goes out: each moment once, in long runs again until the time is over."""
        await asyncio.sleep(8)
        tries: Counter[str] = Counter()
        while (point := self._next_point(points, tries)) is not None:
            tries[point] += 1
            await self.site.until_at_work(0 if self._is_over else _AT_WORK_SECONDS)
            await self._fault(f"kill-9-{point}", lambda p=point: self.outgoing.kill_at(p, self._database))  # type: ignore[misc]
            await asyncio.sleep(self.pace.point * self._random.uniform(0.3, 1))
        self._points_left -= 1

    def _next_point(self, points: Sequence[str], tries: Mapping[str, int]) -> str | None:
        """One that has not fired yet, twice at most; then the one that was tried least. None where the run might end meanwhile."""
        if not self.pace.is_short and self._elapsed > self.pace.seconds + _LAST_POINT_SECONDS:
            return None
        fired = self.outgoing.points.fired
        missing = [point for point in points if not fired[point] and tries[point] < 2]
        is_late = self.pace.is_short or self._elapsed > self.pace.seconds - LAST_MOOD_SECONDS
        wanted = missing or ([] if is_late else points)
        return min(wanted, key=lambda point: (tries[point], self._random.random()), default=None)

    # --- what stands still, or is slow -------------------------------------------------------------------------

    async def _freezes(self) -> None:
        await asyncio.sleep(4)
        kinds = [kind for kind in freezes.KINDS if kind != "stop-sandbox" or not self.pace.is_short]
        while not self._is_over or (kinds and self.pace.is_short):
            kinds = kinds or list(freezes.KINDS)
            kind = kinds.pop(self._random.randrange(len(kinds)))
            await self._freeze(kind)
            if self.pace.is_short and not kinds:
                return
            await asyncio.sleep(self.pace.freeze * self._random.uniform(0.7, 1.3))

    async def _freeze(self, kind: str) -> None:
        seconds = self._random.uniform(2, 3.5 if self.pace.is_short else 6)
        if kind == "stop-gateway":
            name = f"gateway{self._random.randrange(2)}"
            async with self._gateways.of(kind):
                await self._fault(kind, lambda: self._gateway_stopped(name, seconds))
        elif kind in ("stop-worker", "stop-sandbox"):
            names = (
                ["worker0", "worker1"] if kind == "stop-worker" else [t.sandbox for t in self.site.tenants]
            )
            await self._fault(kind, lambda: freezes.stopped(self.site, self._random.choice(names), seconds))
        else:
            async with self._database.of(kind):
                await self._fault(kind, lambda: freezes.DATABASE[kind](self.site, seconds))

    async def _gateway_stopped(self, name: str, seconds: float) -> str | None:
        """None: the other one was not ready to take over."""
        deadline = time.monotonic() + _MAY_GO_SECONDS
        while not await self._may_go(name):
            if time.monotonic() > deadline:
                return None
            await asyncio.sleep(0.2)
        return await freezes.stopped(self.site, name, seconds)

    # --- the CRM's moods ---------------------------------------------------------------------------------------

    def _shared_out(self) -> Iterable[tuple[Tenant, list[str]]]:
        """The moods of each account's CRM. Short runs have each mood once, at one of them, and those last that keep a writer
        quiet. The CRM of what goes out is well then."""
        if not self.pace.is_short:
            return [(tenant, []) for tenant in self.site.tenants]
        quick, slow = list(moods.SHORT), list(moods.LONG)
        self._random.shuffle(quick)
        self._random.shuffle(slow)
        every = [tenant for tenant in self.site.tenants if not tenant.is_outgoing]
        return [(tenant, [*quick[n :: len(every)], *slow[n :: len(every)]]) for n, tenant in enumerate(every)]

    async def _moods(self, tenant: Tenant, kinds: list[str]) -> None:
        """kinds: in their order; none = all of them again and again until the run is over."""
        chance = random.Random(f"moods {self.seed} {tenant.account}")
        await asyncio.sleep(3)
        left = list(kinds)
        while left or not kinds:
            if not kinds and self._elapsed > self.pace.seconds - LAST_MOOD_SECONDS:
                return
            if not left:
                left = [*moods.SHORT] if tenant.is_outgoing else [*moods.SHORT, *moods.LONG]
                chance.shuffle(left)
            kind = left.pop(0)
            async with self._crm[tenant.account].of(f"crm-{kind}"):
                await self._fault(f"crm-{kind}", lambda k=kind: self._mood(tenant, k))  # type: ignore[misc]
            await asyncio.sleep(self.pace.mood * chance.uniform(0.5, 1.5))

    async def _mood(self, tenant: Tenant, kind: str) -> bool | str | None:
        if kind == "401":
            return await self._authorisation_breaks(tenant)
        fired = await moods.spoil(self.site, tenant, kind)
        if kind in ("403", "html", "402") and self.pace.is_short:
            for name in ("worker0", "worker1"):
                self.site.kill(
                    name
                )  # a new process tries at once; the growing pauses have tests of their own
        return fired

    async def _authorisation_breaks(self, tenant: Tenant) -> bool | str | None:
        """Refused until the account is found broken; then a person reconnects and sends what was stored."""
        await moods.refuse_all(self.site, tenant)
        try:
            is_broken = await self._until_broken(tenant, 90)
        finally:
            await moods.well(self.site, tenant)
        if is_broken:
            return "account found broken"
        return False if self.site.have_worked(_ASKED_TWICE_SECONDS) else None

    async def _until_broken(self, tenant: Tenant, seconds: float) -> bool:
        before, deadline = self.reconnected[tenant.account], time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.reconnected[tenant.account] > before or await self._is_broken(tenant):
                return True
            await asyncio.sleep(0.3)
        return False

    async def _is_broken(self, tenant: Tenant) -> bool:
        return tenant.account in await self._broken()

    async def _broken(self) -> set[str]:
        rows = await self.site.fetch("SELECT account_id FROM account WHERE state = 'broken'")
        return {row["account_id"] for row in rows}

    # --- the renewal of keys -----------------------------------------------------------------------------------

    async def _keys(self, tenant: Tenant) -> None:
        faults: dict[str, Callable[[], Awaitable[bool | str | None]]] = {
            "key-kept-at-an-orderly-end": lambda: keys.worker_ends(self.site, tenant),
            "key-lost-by-a-kill": lambda: self._key_is_lost(tenant),
        }
        await asyncio.sleep(6)
        while True:
            for kind, carry_out in faults.items():
                await self.site.until_at_work(_AT_WORK_SECONDS)
                async with (
                    self._crm[tenant.account].of(kind),
                    self._database.of(kind),
                    self._workers.of(kind),
                ):
                    await self._fault(kind, carry_out)
                await asyncio.sleep(self.pace.mood)
            if self.pace.is_short or self._elapsed > self.pace.seconds - 3 * LAST_MOOD_SECONDS:
                return
            await asyncio.sleep(15)

    async def _key_is_lost(self, tenant: Tenant) -> bool | str | None:
        """An account that has nothing to write is not found broken: the status page tells, and a person authorises anew."""
        before = self.reconnected[tenant.account]
        if not (is_lost := await keys.workers_are_killed(self.site, tenant)):
            return is_lost
        is_broken = await self._until_broken(tenant, 20)
        if self.reconnected[tenant.account] == before:
            await self.reconnect(tenant)
        return "account found broken" if is_broken else "key authorised anew"

    # --- the person in charge ----------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """What an operator does when an account is found broken: a moment later they authorise it anew and send what was
        stored."""
        since: dict[str, float] = {}
        while True:
            await asyncio.sleep(1)
            with contextlib.suppress(*TROUBLE, HarnessFailed):  # a moment later
                broken = await self._broken()
                since = {account: since.get(account, time.monotonic()) for account in broken}
                for account, at in list(since.items()):
                    if time.monotonic() - at > 3:
                        await self.reconnect(self.site.tenant(account))
                        del since[account]

    async def reconnect(self, tenant: Tenant) -> None:
        async def work() -> None:
            await self.site.connect(tenant)
            async with self.site.connection() as conn:
                await accounts.set_account_state(conn, tenant.account, "on")

        async with self._person.of(tenant.account):
            await self.site.insist(f"connecting {tenant.account} again", work)
        self.reconnected[tenant.account] += 1
        await self.send_stored(tenant)

    async def send_stored(self, tenant: Tenant) -> None:
        """The open run takes up what was held meanwhile, or the checker starts another."""

        async def work() -> None:
            try:
                async with self.site.connection() as conn:
                    await backfill.start(conn, tenant.account, datetime.now(UTC))
            except (backfill.RunIsOpen, backfill.AccountNotOn):
                return

        await self.site.insist(f"sending what was stored of {tenant.account}", work)
