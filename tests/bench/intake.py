"""Event intake, committed, against what the same database commits as single-row INSERTs."""

from __future__ import annotations

import asyncio
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import asyncpg
import uvloop

from gateway.intake.inbox import Inbox
from gateway.pbx.connection import Connection
from gateway.pbx.port import Parsed
from routing.calls.model import CallEvent, EventKind
from routing.settings import NumberPolicy
from runtime.database.pool import open_pool
from tests.bench.report import Figure, plain, ratio
from tests.bench.servers import throwaway_database

_CONNECTIONS = 16
_INSERT = (
    "INSERT INTO bare_inbox (account_id, connection_id, dedupe_key, call_key, client, received_at, raw, events)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)


def bench_intake(events: int, rounds: int) -> list[Figure]:
    """In turn, several times, on a server that really syncs to disk; the median of the rounds' ratios counts."""
    with throwaway_database(durable=True) as dsn:
        single, grouped = uvloop.run(_measure(dsn, events, rounds))
    ratios = [g / s for g, s in zip(grouped, single, strict=True)]
    return [
        plain(
            "single-row INSERTs", statistics.median(single), "rows/s", f"{_CONNECTIONS} connections, fsync on"
        ),
        plain("events accepted", statistics.median(grouped), "events/s", "committed, with their job"),
        ratio("event intake / single-row INSERTs", statistics.median(ratios), 0.5, f"median of {rounds}"),
    ]


async def _measure(dsn: str, events: int, rounds: int) -> tuple[list[float], list[float]]:
    pool = await open_pool(dsn, max_size=_CONNECTIONS)
    await pool.execute("CREATE TABLE bare_inbox (LIKE inbox INCLUDING ALL)")
    single, grouped = [], []
    for _ in range(rounds):
        single.append(await _single_rows(pool, events))
        grouped.append(await _accepted(pool, events))
        await pool.execute("DELETE FROM procrastinate_jobs")
    await pool.close()
    return single, grouped


async def _single_rows(pool: asyncpg.Pool, events: int) -> float:
    at = datetime.now(UTC)

    async def insert(index: int) -> None:
        async with pool.acquire() as conn:
            await conn.execute(
                _INSERT,
                "main",
                "pbx",
                uuid.uuid4().bytes * 2,
                str(index),
                f"+7916{index:07d}",
                at,
                b"x" * 200,
                [{}],
            )

    return await _per_second(events, insert)


async def _accepted(pool: asyncpg.Pool, events: int) -> float:
    connection = Connection(account_id="main", id="pbx", name="pbx", kind="generic", secret_hash="")
    run, at, policy = uuid.uuid4().hex[:6], datetime.now(UTC), NumberPolicy()

    async with Inbox(pool) as inbox:

        async def accept(index: int) -> None:
            event = CallEvent(
                kind=EventKind.STARTED,
                call_key=f"{run}{index}",
                at=at,
                direction="inbound",
                client=f"+7916{index:07d}",
                line="+74951230000",
            )
            await inbox.accept(
                connection, Parsed(canonical=f"{run}{index}", events=(event,)), b"x" * 200, at, policy
            )

        return await _per_second(events, accept)


async def _per_second(count: int, work: Callable[[int], Awaitable[None]]) -> float:
    left = iter(range(count))

    async def one() -> None:
        for index in left:
            await work(index)

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(_CONNECTIONS)))
    return count / (time.perf_counter() - began)
