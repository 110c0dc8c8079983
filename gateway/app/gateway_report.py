"""What a gateway process tells of itself, so that pages, which have no lookups of their own, can show it."""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import asyncpg

from gateway.health.reports import GATEWAY_PREFIX, INSTALLATION
from gateway.store.crm_accounts.exchanges import report
from gateway.store.health.status import delete_reports_of_gone_processes
from runtime.loops import Loop
from runtime.metrics import Latency

EVERY_SECONDS = 5.0
_PARTS, _PART_SECONDS = 12, 300.0
"""The latest hour, in parts of five minutes."""


class RecentLatency:
    """What was observed in the latest hour: a histogram grows only, so it is remembered how it stood before."""

    def __init__(self, latency: Latency) -> None:
        self._latency = latency
        self._before: deque[tuple[float, list[int]]] = deque(maxlen=_PARTS + 1)

    def figures(self, at: float) -> dict[str, Any]:
        """Return count, p50_ms, p99_ms of the hour, and parts: p99_ms of each five minutes, the oldest first, None where
        nothing was asked. at: seconds of a clock that only goes on."""
        now = list(self._latency.counts)
        if not self._before or at - self._before[-1][0] >= _PART_SECONDS:
            self._before.append((at, now))
        edges = [*(counts for _, counts in self._before), now]
        parts = [self._between(a, b) for a, b in pairwise(edges)]
        hour = self._between(edges[0], now)
        return {
            "count": hour.count,
            "p50_ms": _ms(hour, 0.5),
            "p99_ms": _ms(hour, 0.99),
            "parts": [_ms(part, 0.99) for part in parts],
        }

    def _between(self, before: list[int], after: list[int]) -> Latency:
        found = Latency(self._latency.bounds)
        found.counts = [b - a for a, b in zip(before, after, strict=True)]
        return found


def _ms(latency: Latency, share: float) -> float | None:
    found = latency.quantile(share)
    return None if found is None else found * 1000


class GatewayReport:
    """numbers: how many the directory of each account holds in this process. clock: seconds that only go on."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        latency: Latency,
        numbers: Callable[[], Mapping[str, int]],
        clock: Callable[[], float],
    ) -> None:
        self._pool, self._numbers, self._clock = pool, numbers, clock
        self._name = f"{GATEWAY_PREFIX}{socket.gethostname()}-{os.getpid()}"
        self._started_at, self._recent = datetime.now(UTC), RecentLatency(latency)
        self.loop = Loop("gateway-report", self.tell, EVERY_SECONDS)

    async def tell(self) -> None:
        lookups = self._recent.figures(self._clock())
        body = {"started_at": self._started_at, "lookups": lookups, "numbers": dict(self._numbers())}
        async with self._pool.acquire() as conn:
            await report(conn, INSTALLATION, self._name, body)
            await delete_reports_of_gone_processes(conn, GATEWAY_PREFIX)
