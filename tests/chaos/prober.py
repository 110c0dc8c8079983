"""Lookups at a steady rate whatever happens, in a process of their own: gateway A is asked, and B at once when A does
not answer. `python -m tests.chaos.prober FILE RATE CONNECTION,… URL URL`; ends on SIGTERM and leaves its figures in FILE as JSON."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp

from tests.chaos.tenants import KNOWN_CONTACTS
from tests.e2e.stack import AUTH

DEADLINE_SECONDS = 1.0
"""How long a PBX waits for one answer: what our recipes set. The gateway's own deadline is 150 ms."""

_TICK, _GAP = 0.05, 0.2


class Prober:
    """lookups: (begun, seconds, attempts, seconds of the last attempt, reason); reason "" = nobody answered.

    gaps: (begin, end) of the times in which this very process did not run, though it had something to do: the machine
    was too busy, and what a lookup took then says nothing of a gateway.
    """

    def __init__(self, connections: list[str], urls: list[str], session: aiohttp.ClientSession) -> None:
        self._connections, self._urls, self._session = connections, urls, session
        self.gaps: list[tuple[float, float]] = []
        self._random = random.Random(0)
        self.lookups: list[tuple[float, float, int, float, str]] = []

    async def run(self, rate: float, stop: asyncio.Event) -> None:
        """Open loop: the next one begins whatever became of the last one."""
        tasks: set[asyncio.Task[None]] = set()
        began, count = time.monotonic(), 0
        while not stop.is_set():
            count += 1
            await asyncio.sleep(max(0.0, began + count / rate - time.monotonic()))
            task = asyncio.create_task(self._lookup())
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)

    async def watch(self) -> None:
        """Until cancelled: notes when this process was not let run."""
        while True:
            begun, clock = time.time(), time.monotonic()
            await asyncio.sleep(_TICK)
            if time.monotonic() - clock > _TICK + _GAP:
                self.gaps.append((begun, time.time()))

    async def _lookup(self) -> None:
        begun, clock = time.time(), time.monotonic()
        number = f"+7900{self._random.randint(1, KNOWN_CONTACTS):07d}"
        connection = self._random.choice(self._connections)
        first = self._random.randrange(2)
        attempts = 0
        for gateway in (first, 1 - first):
            attempts += 1
            asked = time.monotonic()
            reason = await self._ask(f"{self._urls[gateway]}/pbx/{connection}/lookup", number)
            if reason:
                break
        now = time.monotonic()
        self.lookups.append((begun, now - clock, attempts, now - asked, reason))

    async def _ask(self, url: str, number: str) -> str:
        try:
            async with self._session.get(
                url,
                params={"phone": number},
                headers=AUTH,
                timeout=aiohttp.ClientTimeout(total=DEADLINE_SECONDS),
            ) as response:
                answer: dict[str, Any] = await response.json()
                return str(answer.get("reason", "")) if response.status == 200 else ""
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return ""


async def main(file: Path, rate: float, connections: list[str], urls: list[str]) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        prober = Prober(connections, urls, session)
        watch = asyncio.create_task(prober.watch())
        await prober.run(rate, stop)
        watch.cancel()
    file.write_text(json.dumps({"lookups": prober.lookups, "gaps": prober.gaps}))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3].split(","), sys.argv[4:]))
