"""The planner knows a table that has just been filled, and what is held for a moment is let go of."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from crm.amocrm.store import PgTokenStore
from gateway.db.statistics import refresh_statistics
from runtime.database.pool import Conn
from tests.waiting import until

_FILL = """
INSERT INTO directory_number (account_id, kind, entity_id, number)
SELECT $1, 'contact', n::text, 79000000000 + n FROM generate_series(1, $2) n
"""


async def _account(pool: asyncpg.Pool, account_id: str) -> None:
    await pool.execute(
        "INSERT INTO account (account_id, name, base_url, webhook_secret) VALUES ($1, 'A', 'http://crm', 's')",
        account_id,
    )


async def _without_autovacuum(pool: asyncpg.Pool) -> None:
    """It looks once a minute, and would sometimes be before us."""
    await pool.execute("ALTER TABLE directory_number SET (autovacuum_enabled = false)")


async def _told(pool: asyncpg.Pool) -> None:
    """What the sessions of the pool have counted reaches the server's view once they have been idle for a moment."""
    await asyncio.sleep(1.2)
    await pool.fetchval("SELECT pg_stat_force_next_flush()")
    await pool.fetchval("SELECT 1")


async def test_the_planner_soon_knows_how_large_a_new_account_beside_a_large_one_is(
    pool: asyncpg.Pool,
) -> None:
    async def estimate() -> int:
        rows = await pool.fetch("EXPLAIN SELECT 1 FROM directory_number WHERE account_id = 'small'")
        text = "\n".join(row[0] for row in rows)
        return int(text.split("rows=")[1].split()[0])

    await _without_autovacuum(pool)
    for account in ("large", "small"):
        await _account(pool, account)
    await pool.execute(_FILL, "large", 20_000)
    await _told(pool)
    assert "directory_number" in await refresh_statistics(pool)
    await pool.execute(_FILL, "small", 3_000)
    assert await estimate() < 300, "PostgreSQL has learnt to do this by itself"
    await _told(pool)
    deadline = asyncio.get_running_loop().time() + 15
    while "directory_number" not in await refresh_statistics(pool):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.3)
    assert 2_000 < await estimate() < 4_500


async def test_tables_that_hardly_changed_are_left_alone(pool: asyncpg.Pool) -> None:
    await _without_autovacuum(pool)
    await _account(pool, "a")
    await pool.execute(_FILL, "a", 150)
    await _told(pool)
    assert "directory_number" not in await refresh_statistics(pool)


async def test_queries_of_the_service_are_not_compiled(pool: asyncpg.Pool) -> None:
    assert await pool.fetchval("SHOW jit") == "off"


async def _fails_inside(conn: asyncpg.Connection) -> None:
    raise ZeroDivisionError


async def _unlock_is_refused(conn: asyncpg.Connection) -> None:
    """As every statement until the end of a transaction that failed."""
    await conn.execute("BEGIN")
    with contextlib.suppress(asyncpg.DivisionByZeroError):
        await conn.execute("SELECT 1 / 0")


@pytest.mark.parametrize(
    ("meanwhile", "raised"),
    [(_fails_inside, ZeroDivisionError), (_unlock_is_refused, asyncpg.InFailedSQLTransactionError)],
)
async def test_a_lock_of_a_session_is_free_afterwards_whatever_happened(
    pool: asyncpg.Pool,
    meanwhile: Callable[[Conn], Awaitable[None]],
    raised: type[Exception],
) -> None:
    async def refresh() -> None:
        async with PgTokenStore(pool, "a").exclusive() as held:
            await meanwhile(held._conn)

    await _account(pool, "a")
    with pytest.raises(raised):
        await refresh()
    free = (
        "SELECT NOT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory'"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
    )
    await until(lambda: pool.fetchval(free), "no lock is held", seconds=5)
