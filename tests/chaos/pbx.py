"""The telephone systems: they tell the planned events to both gateways and try again until one says 200."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import aiohttp

from tests.chaos.traffic import PlannedCall, PlannedEvent
from tests.e2e.stack import AUTH

ATTEMPT_SECONDS = 3.0
AT_ONCE = 16
"""So many messages one telephone system has under way; the others wait their turn. Without it, every message that was not
taken yet would be sent again every few seconds, and a busy machine would have to do with nothing else for ever."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """An event for which a gateway said 200. happened: when it truly did. at: when that was said. told_at: the PBX's own time
    in the event, None where it tells none."""

    call: PlannedCall
    event: PlannedEvent
    happened: datetime
    at: datetime
    told_at: datetime | None
    gateway: int
    attempts: int
    was_duplicate: bool


class Pbx:
    """refused: answers that no repetition mends (4xx); there must be none."""

    def __init__(self, urls: Sequence[str], session: aiohttp.ClientSession, seed: int) -> None:
        self._urls = urls
        self._session = session
        self._random = random.Random(seed)
        self.began_at = datetime.now(UTC)
        self._began = time.monotonic()
        self.accepted: list[Accepted] = []
        self.refused: list[str] = []
        self.failures: Counter[str] = Counter()
        self.last_failure = ""
        self.under_way = 0
        self._at_once: dict[str, asyncio.Semaphore] = {}

    async def play(self, calls: Sequence[PlannedCall]) -> None:
        """Returns when every event that is ever told was accepted."""
        self.began_at, self._began = datetime.now(UTC), time.monotonic()
        async with asyncio.TaskGroup() as group:
            for call in calls:
                group.create_task(self._call(call))

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._began

    async def _call(self, call: PlannedCall) -> None:
        await self._until(min(e.sent_at for e in call.events))
        async with asyncio.TaskGroup() as group:
            for event in call.events:
                if not event.is_lost:
                    for copy in range(event.copies):
                        group.create_task(self._tell(call, event, copy))

    async def _until(self, at: float) -> None:
        await asyncio.sleep(max(0.0, at - self.elapsed))

    async def _tell(self, call: PlannedCall, event: PlannedEvent, copy: int) -> None:
        body, told_at = self._body(event)
        await self._until(event.sent_at + copy * self._random.uniform(0, 1.5))
        self.under_way += 1
        async with self._at_once.setdefault(call.connection, asyncio.Semaphore(AT_ONCE)):
            gateway, attempts, answer = await self._until_said(call.connection, body)
        self.under_way -= 1
        if "accepted" in answer:
            at, happened = datetime.now(UTC), self.began_at + timedelta(seconds=event.at)
            is_duplicate = bool(answer["duplicate"])
            self.accepted.append(
                Accepted(call, event, happened, at, told_at, gateway, attempts, is_duplicate)
            )

    async def _until_said(self, connection: str, body: dict[str, Any]) -> tuple[int, int, dict[str, Any]]:
        """Which gateway took it or refused it for good, at which attempt, and what it said. The run's end is the only limit:
        see standstill.py."""
        gateway = self._random.randrange(len(self._urls))
        for attempt in count(1):
            answer = await self._post(gateway, connection, body)
            if answer is not None:
                return gateway, attempt, answer
            gateway = (gateway + 1) % len(self._urls)
            await asyncio.sleep(min(0.1 * 2 ** min(attempt, 5), 2.0))
        raise AssertionError("count() ended")

    def _body(self, event: PlannedEvent) -> tuple[dict[str, Any], datetime | None]:
        fields = dict(event.fields)
        skew = fields.pop("_skew", None)
        if skew is None:
            return fields, None
        told_at = self.began_at + timedelta(seconds=event.at + skew)
        return {**fields, "at": told_at.isoformat()}, told_at

    async def _post(self, gateway: int, connection: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """What the gateway said; None: tell it again."""
        try:
            async with self._session.post(
                f"{self._urls[gateway]}/pbx/{connection}/events",
                json=body,
                headers=AUTH,
                timeout=aiohttp.ClientTimeout(total=ATTEMPT_SECONDS),
            ) as response:
                if response.status == 200:
                    return dict(await response.json())
                self.failures[str(response.status)] += 1
                if 400 <= response.status < 500 and response.status not in (401, 408, 429):
                    self.refused.append(f"{response.status} {await response.text()} for {body}")
                    return {}
                self.last_failure = f"{response.status} {(await response.text())[:200]}"
        except (aiohttp.ClientError, TimeoutError) as err:
            self.failures[type(err).__name__] += 1
            self.last_failure = repr(err)
        return None
