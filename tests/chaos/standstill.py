"""Nothing waits in silence: what a run is at, told every half minute, and its end where nothing happens any more.

A run that stands still says what stands: which faults are under way and who waits for whom, which process lives and how it
is, what the gateways say of themselves, what the database waits for, and how late this very process is.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

import aiohttp

from tests.chaos.faults import Nemesis
from tests.chaos.freezes import state_of
from tests.chaos.pbx import Pbx
from tests.chaos.site import TROUBLE, HarnessFailed, Site

_TELL_SECONDS = 30.0
_STAND_SECONDS = 180.0
"""Longer than any fault lasts: so long nothing was taken of what the telephone systems have to tell."""
_ASK_SECONDS = 3.0
_TICK = 0.1

_WAITING = """
SELECT wait_event_type || ' ' || wait_event || ': ' || left(query, 60) AS what, count(*) AS n FROM pg_stat_activity
WHERE datname = current_database() AND state <> 'idle' AND wait_event_type IN ('Lock', 'LWLock', 'IO') GROUP BY 1 ORDER BY 2 DESC
"""


class StoodStill(Exception):
    """Nothing happened any more, or the run did not end when its time was over. The text says what stands."""


class Watch:
    """lag: seconds, the longest for which this process was not let run since it was last told."""

    def __init__(self, site: Site, pbx: Pbx, nemesis: Nemesis, say: Callable[[str], None]) -> None:
        self._site, self._pbx, self._nemesis, self._say = site, pbx, nemesis, say
        self._lag = 0.0

    async def run(self, last_at: float) -> None:
        """Until cancelled. last_at: seconds after the begin when the run must be over. Raises StoodStill."""
        lag = asyncio.create_task(self._measure_lag())
        told_at, taken, changed_at = time.monotonic(), 0, time.monotonic()
        try:
            while True:
                await asyncio.sleep(1)
                now = time.monotonic()
                if len(self._pbx.accepted) != taken or not self._pbx.under_way:
                    taken, changed_at = len(self._pbx.accepted), now
                if now - changed_at > _STAND_SECONDS:
                    raise StoodStill(f"no event was taken for {_STAND_SECONDS:g} s: {await self.whole()}")
                if self._pbx.elapsed > last_at:
                    raise StoodStill(f"not over after {last_at:.0f} s: {await self.whole()}")
                if now - told_at > _TELL_SECONDS:
                    told_at = now
                    self._say(self._line())
        finally:
            lag.cancel()

    async def _measure_lag(self) -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(_TICK)
            self._lag = max(self._lag, time.monotonic() - began - _TICK)

    def _line(self) -> str:
        lag, self._lag = self._lag, 0.0
        counts, pbx = self._nemesis.counts, self._pbx
        parts = [
            f"{len(pbx.accepted)} events", f"{pbx.under_way} not taken yet" if pbx.under_way else "",
            f"{counts.total()} faults fired", f"this process was {lag:.1f} s late" if lag > 0.5 else "",
            f"under way: {', '.join(self._nemesis.doing()) or 'nothing'}",
        ]  # fmt: skip
        return f"{pbx.elapsed:.0f} s: " + ", ".join(part for part in parts if part)

    async def whole(self) -> str:
        """Everything that may be in the way."""
        lines = [
            self._line(),
            f"last answer that made a PBX try again: {self._pbx.last_failure or 'none'}",
            *[await self._gateway(url) for url in self._site.urls],
            *[self._process(name) for name in self._site.names],
            f"line to the database: {state_of(self._site.line.process.pid) or 'gone'}",
            await self._database(),
        ]
        return "\n    ".join(lines)

    async def _gateway(self, url: str) -> str:
        try:
            async with self._site.stack.http.get(
                f"{url}/readyz", timeout=aiohttp.ClientTimeout(total=_ASK_SECONDS)
            ) as answer:
                return f"{url}/readyz: {answer.status} {(await answer.text())[:200]}"
        except (aiohttp.ClientError, TimeoutError) as err:
            return f"{url}/readyz: {err!r}"

    def _process(self, name: str) -> str:
        process = self._site.process(name)
        if process.popen is None or not process.is_running:
            return f"{name}: does not run; it said last: {self._said(name)}"
        return f"{name}: {state_of(process.popen.pid)}; it said last: {self._said(name)}"

    def _said(self, name: str) -> str:
        with contextlib.suppress(OSError):
            return self._site.process(name).said().strip().rpartition("\n")[2][:200]
        return "nothing"

    async def _database(self) -> str:
        try:
            rows = await self._site.fetch(_WAITING, seconds=0)
        except (*TROUBLE, HarnessFailed) as err:
            return f"database: {err!r}"
        waiting = ", ".join(f"{row['n']} × {row['what']}" for row in rows)
        return f"database: {waiting or 'nobody waits'}"
