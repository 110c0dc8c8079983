"""What is done to them meanwhile: processes killed at any moment and at chosen ones, connections to the database cut, the database
itself ended, and the CRM in its moods. A fault counts once its effect was seen."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.chaos import freezes, moods
from tests.chaos.channels.sends import POINTS
from tests.chaos.channels.shop import TENANT, Shop
from tests.chaos.fault import Fault
from tests.chaos.site import TROUBLE, HarnessFailed

KILLABLE = ("worker0", "gateway0", "worker1", "gateway1")
MOODS = ("429", "500", "answer_lost", "502", "reset", "slow")
"""Those after which a writer goes on within seconds."""
_CUT = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> 'chaos'
"""
_MOST_TIMES = 2.5
_POINT_SECONDS, _MOOD_SECONDS = 25.0, 15.0


@dataclass
class Harm:
    """seconds: of the run. is_short: each fault once or twice."""

    shop: Shop
    seed: int
    seconds: float
    is_short: bool = False
    faults: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(f"harm to channels {self.seed}")
        self._began = time.monotonic()
        self._database = asyncio.Lock()

    @property
    def counts(self) -> Counter[str]:
        return Counter(fault.kind for fault in self.faults if fault.is_fired)

    @property
    def in_vain(self) -> Counter[str]:
        return Counter(f"{fault.kind} {fault.detail}" for fault in self.faults if not fault.is_fired)

    @property
    def not_fired(self) -> list[str]:
        """Kinds that never did."""
        never = {fault.kind for fault in self.faults if fault.has_chance} - self.counts.keys()
        return sorted(never)

    async def run(self) -> None:
        self._began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for stream in (self._kills, self._kills_at_points, self._cuts, self._moods):
                group.create_task(stream())

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    @property
    def _is_over(self) -> bool:
        return self._elapsed >= self.seconds

    def _has_ended(self, *kinds: str) -> bool:
        """Whether the time is over, and these were seen, for which a slow machine needs more of it."""
        is_missing = any(not self.counts[kind] for kind in kinds)
        return self._is_over and (not is_missing or self._elapsed >= _MOST_TIMES * self.seconds)

    async def _fault(self, kind: str, carry_out: Callable[[], Awaitable[object]]) -> None:
        """None, as what it returns: there was nothing to hit."""
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

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds * self._random.uniform(0.6, 1.4))

    async def _kills(self) -> None:
        """In turn, each as soon as it works: killed before that again and again, nobody would ever do anything."""
        names = list(KILLABLE)
        await self._pause(4)
        while not self._is_over:
            name = names.pop(0)
            names.append(name)
            if name.startswith("gateway") or self.shop.site.is_at_work(name):
                await self._fault(f"kill-9-{name}", lambda n=name: self._killed(n))  # type: ignore[misc]
            await self._pause(4 if self.is_short else 5)

    async def _killed(self, name: str) -> bool:
        return self.shop.site.kill(name)

    async def _kills_at_points(self) -> None:
        await self._pause(6)
        while not self._has_ended(*(f"kill-9-{point}" for point in POINTS)):
            for point in POINTS:
                await self._fault(f"kill-9-{point}", lambda p=point: self._at(p))  # type: ignore[misc]
                await self._pause(3)

    async def _at(self, point: str) -> object:
        """None: no message went out in all that time."""
        return await self.shop.points.at(point, _POINT_SECONDS) or None

    async def _cuts(self) -> None:
        """Connections cut, in between the database as good as killed, slow, or silent."""
        kinds: list[tuple[str, Callable[[], Awaitable[object]]]] = [
            ("connections-cut", self._cut),
            ("postgresql-immediate", self._ended),
            ("connections-cut", self._cut),
            ("database-slow", lambda: freezes.DATABASE["database-slow"](self.shop.site, 3)),
            ("database-silent", lambda: freezes.DATABASE["database-silent"](self.shop.site, 3)),
        ]
        await self._pause(5)
        while not self._is_over:
            kind, carry_out = kinds.pop(0)
            kinds.append((kind, carry_out))
            async with self._database:
                await self._fault(kind, carry_out)
            await self._pause(8 if self.is_short else 15)

    async def _cut(self) -> object:
        rows = await self.shop.site.fetch(_CUT)
        return rows[0]["count"]

    async def _ended(self) -> bool:
        return await self.shop.site.restart_database(signal.SIGQUIT)

    async def _moods(self) -> None:
        kinds = list(MOODS)
        self._random.shuffle(kinds)
        await self._pause(5)
        while not self._has_ended(*(f"crm-{kind}" for kind in MOODS[:2])):
            kind = kinds.pop(0)
            kinds.append(kind)
            await self._fault(f"crm-{kind}", lambda k=kind: self._mood(k))  # type: ignore[misc]
            await self._pause(3)

    async def _mood(self, kind: str) -> object:
        """None: nothing was written meanwhile that it could have hit."""
        try:
            async with asyncio.timeout(_MOOD_SECONDS):
                return await moods.spoil(self.shop.site, TENANT, kind)
        except TimeoutError:
            await moods.well(self.shop.site, TENANT)
            return None


async def statuses_seen(shop: Shop, seen: dict[int, set[str]], pause: float = 0.5) -> None:
    """Look at messages of ours again and again, until cancelled: seen takes, by message, each status that one had in its turn, with
    what was lowered as "later > earlier"."""
    last: dict[int, str] = {}
    while True:
        for row in await shop.site.fetch(
            "SELECT message_id, status FROM chat_message WHERE direction = 'out'"
        ):
            id, now = row["message_id"], row["status"]
            before = last.get(id, now)
            if _RANK.get(now, 0) < _RANK.get(before, 0):
                seen.setdefault(id, set()).add(f"{before} > {now}")
            last[id] = now
        await asyncio.sleep(pause)


_RANK = {"sent": 1, "delivered": 2, "read": 3}
"""What is less may become anything: what was not taken waits again."""
