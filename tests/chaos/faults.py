"""The nemesis: two streams of faults from one seed. One kills processes and restarts PostgreSQL, the other puts the CRM
into its moods. A fault counts as fired only when its effect was seen: an exit by SIGKILL, another server process, the
sandbox's own count of spoilt requests, the account found broken."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from crm.effects import backfill
from gateway.store.admin import accounts
from tests.chaos.site import TROUBLE, Site
from tests.e2e.stack import ACCOUNT

KILLABLE = ("gateway0", "gateway1", "worker0", "worker1")
_WRITES = {"method": "POST", "path": "/api/v4/", "integration": "callmatrix"}
_ALL = {"path": "/api/v4/", "integration": "callmatrix"}

# name -> (what it hits, the sandbox's fault, how many requests it spoils, milliseconds)
MOODS: Mapping[str, tuple[dict[str, str], str, int, int]] = {
    "429": (_ALL, "429", 2, 0),
    "500": (_WRITES, "500", 1, 0),
    "502": (_WRITES, "502", 1, 0),
    "504": (_WRITES, "504", 1, 0),
    "truncate": (_WRITES, "truncate", 1, 0),
    "answer_lost": (_WRITES, "answer_lost", 2, 0),
    "reset": (_WRITES, "reset", 1, 0),
    "hang": (_WRITES, "hang", 1, 60_000),
    "late": (_WRITES, "latency", 1, 35_000),  # carried out at once, answered after our time-out
    "slow": (_ALL, "latency", 4, 1500),
    "html": (_ALL, "html", 1, 0),
    "403": (_ALL, "403", 1, 0),
    "402": (_ALL, "402", 1, 0),
}
SHORT_MOODS = ("429", "500", "502", "504", "truncate", "answer_lost", "reset", "hang", "late", "slow")
LONG_MOODS = ("sandbox-killed", "401", "403", "html", "402")
"""Those after which a writer keeps quiet for half a minute and more."""
LAST_MOOD_SECONDS = 20.0
"""Before the end of the traffic."""


@dataclass(slots=True)
class Fault:
    kind: str
    at: float
    is_fired: bool = False
    detail: str = ""


@dataclass(slots=True)
class Pace:
    """Seconds between faults. seconds: length of the run."""

    seconds: float
    kill: float = 4.4
    database: float = 50.0
    mood: float = 4.0
    is_short: bool = False


@dataclass
class Nemesis:
    site: Site
    pace: Pace
    seed: int
    faults: list[Fault] = field(default_factory=list)
    reactivations: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(f"nemesis {self.seed}")
        self._moods_random = random.Random(f"moods {self.seed}")
        self._began = time.monotonic()

    @property
    def counts(self) -> Counter[str]:
        return Counter(fault.kind for fault in self.faults if fault.is_fired)

    @property
    def not_fired(self) -> list[Fault]:
        return [fault for fault in self.faults if not fault.is_fired]

    async def run(self) -> None:
        """Until the run's time is over and the last planned fault has fired."""
        self._began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._kills())
            group.create_task(self._moods())

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    @property
    def _is_over(self) -> bool:
        return self._elapsed >= self.pace.seconds

    async def _fault(self, kind: str, carry_out: Callable[[], Awaitable[bool | str]]) -> None:
        fault = Fault(kind, self._elapsed)
        self.faults.append(fault)
        fired = await carry_out()
        fault.is_fired, fault.detail = bool(fired), str(fired)

    # --- kills and restarts ------------------------------------------------------------------------------------

    async def _kills(self) -> None:
        """A gateway is killed only while the other one could take its place, as long as there is one."""
        database_at = self.pace.database * self._random.uniform(0.3, 0.6)
        restarts = 0
        await asyncio.sleep(2)
        while not self._is_over:
            if self._elapsed >= database_at:
                sig, name = [(signal.SIGQUIT, "immediate"), (signal.SIGINT, "fast")][restarts % 2]
                await self._fault(f"postgresql-{name}", lambda s=sig: self.site.restart_database(s))  # type: ignore[misc]
                restarts += 1
                database_at = self._elapsed + self.pace.database * self._random.uniform(0.8, 1.2)
            else:
                name = self._random.choice(KILLABLE)
                if await self._may_die(name):
                    await self._fault(f"kill-9-{name}", lambda n=name: self._kill(n))  # type: ignore[misc]
                else:
                    await asyncio.sleep(0.2)
                    continue
            await asyncio.sleep(self.pace.kill * self._random.uniform(0.7, 1.3))

    async def _kill(self, name: str) -> bool:
        return self.site.kill(name)

    async def _may_die(self, name: str) -> bool:
        if not self.site.process(name).is_running:
            return False
        if not name.startswith("gateway"):
            return True
        other = self.site.urls[1 - int(name[-1])]
        return await self.site.is_ready(other)

    # --- the CRM's moods ---------------------------------------------------------------------------------------

    async def _moods(self) -> None:
        await asyncio.sleep(3)
        while True:
            for kind in self._round():
                if self._elapsed > self.pace.seconds - LAST_MOOD_SECONDS and not self.pace.is_short:
                    return  # what comes later might find no request to spoil
                await self._fault(f"crm-{kind}", lambda k=kind: self._mood(k))  # type: ignore[misc]
                await asyncio.sleep(self.pace.mood * self._moods_random.uniform(0.5, 1.5))
            if self.pace.is_short:
                return

    def _round(self) -> list[str]:
        """Every mood once. Short runs have those last that keep a writer quiet."""
        quick, slow = list(SHORT_MOODS), list(LONG_MOODS)
        self._moods_random.shuffle(quick)
        self._moods_random.shuffle(slow)
        if self.pace.is_short:
            return [*quick, *slow]
        both = [*quick, *slow]
        self._moods_random.shuffle(both)
        return both

    async def _mood(self, kind: str) -> bool | str:
        if kind == "sandbox-killed":
            return self.site.kill("sandbox")
        if kind == "401":
            return await self._authorisation_breaks()
        match, fault, times, milliseconds = MOODS[kind]
        rules = [{"match": match, "nth": n, "fault": fault, "ms": milliseconds} for n in range(1, times + 1)]
        fired = await self._spoil(rules, times, seconds=120)
        if kind in ("403", "html", "402") and self.pace.is_short:
            self._wake_writers()  # a new process tries at once; the growing pauses have tests of their own
        return f"{fired} requests" if fired else False

    async def _spoil(self, rules: list[dict[str, Any]], wanted: int, seconds: float) -> int:
        """How many requests the plan has spoilt: all that were wanted, or those until the time was up."""
        await self.site.sandbox("faults", {"rules": rules})
        deadline, fired = time.monotonic() + seconds, 0
        while time.monotonic() < deadline and fired < wanted:
            await asyncio.sleep(0.2)
            plan = (await self.site.sandbox("faults"))["rules"]
            fired = sum(rule["fired"] for rule in plan)
        await self.site.sandbox("faults", {"rules": []})
        return fired

    def _wake_writers(self) -> None:
        for name in ("worker0", "worker1"):
            self.site.kill(name)

    async def _authorisation_breaks(self) -> bool | str:
        """Refused until the account is found broken; some calls are stored; then a person reconnects and sends them."""
        await self.site.sandbox("faults", {"rules": [{"match": _ALL, "fault": "401", "always": True}]})
        deadline, state = time.monotonic() + 90, "on"
        while time.monotonic() < deadline and state == "on":
            await asyncio.sleep(0.3)
            rows = await self.site.fetch("SELECT state FROM account WHERE account_id = $1", ACCOUNT)
            state = rows[0]["state"]
        await self.site.sandbox("faults", {"rules": []})
        await asyncio.sleep(self._moods_random.uniform(2, 5))
        await self.reactivate()
        return "account found broken" if state == "broken" else False

    async def reactivate(self) -> None:
        """What an operator does: reconnect, then send what was stored."""
        self.reactivations += 1
        while True:
            try:
                async with self.site.stack.pool.acquire() as conn:
                    await accounts.set_account_state(conn, ACCOUNT, "on")
                    await backfill.start(conn, ACCOUNT, datetime.now(UTC))
                return
            except backfill.RunIsOpen:
                return  # the open run takes up what was held meanwhile, or the checker starts another
            except TROUBLE:
                await asyncio.sleep(0.5)
