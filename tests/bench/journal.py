"""How long questions to a large journal take: a million calls, a million effects, half a million missed-call cases."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable

import asyncpg
import uvloop

from runtime.database.pool import open_pool
from tests.bench.journal_questions import (
    Question,
    read_questions,
    ready,
    run_job,
    sample_of,
    tell_missed_call,
    upkeep_questions,
    work_questions,
)
from tests.bench.journal_rows import (
    BIG,
    OFTEN,
    JournalSize,
    drop_open_effects,
    fill_journal,
    order_effects,
)
from tests.bench.report import Figure, at_most, plain
from tests.bench.servers import throwaway_database

_TIMES = 15  # PostgreSQL may change a plan from the sixth time on
_MOST_MS = 50.0
_SELDOM = "+79219999999"


def bench_journal(size: JournalSize) -> list[Figure]:
    """On a server that syncs to disk. Medians; none may be over 50 ms."""
    with throwaway_database(durable=True) as dsn:
        return uvloop.run(_measure(dsn, size))


async def _measure(dsn: str, size: JournalSize) -> list[Figure]:
    pool = await open_pool(dsn, max_size=2)
    try:
        bare = await _median(lambda: pool.fetchval("SELECT 1"))
        began = time.monotonic()
        await fill_journal(pool, size)
        seconds = time.monotonic() - began
        sample = await sample_of(pool, size.calls)
        asked = {**read_questions(sample), **work_questions(), **upkeep_questions()}
        return [
            plain("journal: filled in", seconds, "s", f"{size.calls:,} calls, {size.cases:,} cases"),
            plain("journal: a question that asks nothing", bare, "ms"),
            *[await _figure(name, pool, question) for name, question in asked.items()],
            *await _writer(pool, size),
            *await _jobs(pool),
        ]
    finally:
        await pool.close()


async def _figure(name: str, pool: asyncpg.Pool, question: Question) -> Figure:
    return at_most(f"journal: {name}", await _median(lambda: question(pool)), _MOST_MS, "ms")


async def _median(ask: Callable[[], Awaitable[object]], times: int = _TIMES) -> float:
    """Milliseconds."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        await ask()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


async def _writer(pool: asyncpg.Pool, size: JournalSize) -> list[Figure]:
    """What the writer asks before each request, with ever more that waits, and with as much that is held."""
    found = []
    for count in (size.effects // 125, size.effects // 10):
        await _order(pool, count, "waiting")
        found.append(await _figure(f"writer: what is ready of {count:,} that wait", pool, ready()))
        await _drop(pool)
    await _order(pool, count, "held")
    found.append(await _figure(f"writer: what is ready beside {count:,} that are held", pool, ready()))
    await _drop(pool)
    return found


async def _order(pool: asyncpg.Pool, count: int, state: str) -> None:
    async with pool.acquire() as conn:
        await order_effects(conn, count, state)


async def _drop(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn:
        await drop_open_effects(conn)


async def _jobs(pool: asyncpg.Pool) -> list[Figure]:
    often: int = await pool.fetchval(
        "SELECT count(*) FROM call WHERE account_id = $1 AND client = $2", BIG, OFTEN
    )
    return [
        at_most(
            f"journal: job of a client with {calls:,} calls",
            await _job(pool, client),
            _MOST_MS,
            "ms",
            "a missed call",
        )
        for client, calls in ((_SELDOM, 0), (OFTEN, often))
    ]


async def _job(pool: asyncpg.Pool, client: str) -> float:
    took = []
    for _ in range(_TIMES):
        async with pool.acquire() as conn:
            await tell_missed_call(conn, client, f"new {client} {time.time()}")
        took.append(await _median(lambda: run_job(pool, client), times=1))
    return statistics.median(took)
