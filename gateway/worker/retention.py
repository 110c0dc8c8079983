"""What is cleaned away in the background, and when: raw events, exchanges with vendors, decisions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import asyncpg

from gateway.settings import Settings
from gateway.store.crm_accounts.exchanges import forget_exchanges
from gateway.store.decisions.decisions import forget_before
from gateway.store.intake.inbox import forget_before as forget_messages
from gateway.store.pbx_links.commands import forget_commands
from runtime.database.pool import Conn

EVERY_SECONDS = 600.0
_BATCH = 5000


async def clean(pool: asyncpg.Pool, settings: Settings) -> int:
    """How many rows were removed. Small batches, so that nothing waits for it; one process of the installation at a time."""
    now = datetime.now(UTC)
    exchanges = timedelta(days=settings.exchange_days)
    cleaners: tuple[Callable[[Conn], Awaitable[int]], ...] = (
        lambda conn: forget_messages(conn, now - timedelta(days=settings.raw_event_days), limit=_BATCH),
        lambda conn: forget_exchanges(conn, exchanges, limit=_BATCH),
        lambda conn: forget_commands(conn, exchanges, limit=_BATCH),
        lambda conn: forget_before(conn, now - timedelta(days=settings.decision_days), limit=_BATCH),
    )
    total = 0
    async with pool.acquire() as conn:
        for forget in cleaners:
            while removed := await _alone(conn, forget):
                total += removed
                await asyncio.sleep(0.05)
    return total


async def _alone(conn: Conn, forget: Callable[[Conn], Awaitable[int]]) -> int:
    async with conn.transaction():
        if not await conn.fetchval("SELECT pg_try_advisory_xact_lock(hashtextextended('housekeeping', 4))"):
            return 0
        return await forget(conn)
