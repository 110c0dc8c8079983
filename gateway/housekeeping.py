"""What is cleaned away in the background, and when: raw events, exchanges with vendors, decisions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog

from gateway.settings import Settings
from gateway.store.decisions import forget_before
from gateway.store.exchanges import forget_exchanges
from gateway.store.inbox import forget_before as forget_messages
from gateway.store.pbx_commands import forget_commands

log = structlog.get_logger(__name__)

_EVERY_SECONDS = 600.0
_BATCH = 5000


class Housekeeping:
    """Small batches, so that nothing waits for it. Only one process of the installation cleans at a time."""

    def __init__(self, pool: asyncpg.Pool, settings: Settings) -> None:
        self._pool = pool
        self._settings = settings
        self.last_success: datetime | None = None
        self.last_error: str | None = None

    async def run(self) -> None:
        while True:
            try:
                await self.clean()
                self.last_success, self.last_error = datetime.now(UTC), None
            except (
                OSError,
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
                asyncpg.InternalClientError,
                TimeoutError,
            ) as err:
                self.last_error = f"{type(err).__name__}: {err}"
                log.warning("housekeeping-failed", error=self.last_error)
            await asyncio.sleep(_EVERY_SECONDS)

    async def clean(self) -> int:
        """How many rows were removed."""
        now = datetime.now(UTC)
        total = 0
        async with self._pool.acquire() as conn:
            if not await conn.fetchval("SELECT pg_try_advisory_lock(hashtextextended('housekeeping', 4))"):
                return 0
            try:
                cleaners: tuple[Callable[[], Awaitable[int]], ...] = (
                    lambda: forget_messages(
                        conn, now - timedelta(days=self._settings.raw_event_days), limit=_BATCH
                    ),
                    lambda: forget_exchanges(
                        conn, timedelta(days=self._settings.exchange_days), limit=_BATCH
                    ),
                    lambda: forget_commands(conn, timedelta(days=self._settings.exchange_days), limit=_BATCH),
                    lambda: forget_before(
                        conn, now - timedelta(days=self._settings.decision_days), limit=_BATCH
                    ),
                )
                for clean in cleaners:
                    while removed := await clean():
                        total += removed
                        await asyncio.sleep(0.05)
            finally:
                await conn.execute("SELECT pg_advisory_unlock(hashtextextended('housekeeping', 4))")
        return total
