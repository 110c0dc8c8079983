"""SQL of the dead-letter desk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from runtime.database.pool import Conn
from runtime.effects.store import wake

# Effects that died together: what failed, and what died only because it needed it. Given any of them, all of them.
_TOGETHER = """
WITH RECURSIVE up (key) AS (
    SELECT unnest($2::text[])
    UNION
    SELECT d.effect_key FROM up JOIN effect e ON e.account_id = $1 AND e.effect_key = up.key
    JOIN effect d ON d.account_id = $1 AND d.effect_key = ANY(e.after) AND d.state = 'dead'
), down (key) AS (
    SELECT key FROM up
    UNION
    SELECT e.effect_key FROM down JOIN effect d ON d.account_id = $1 AND d.effect_key = down.key
    JOIN effect e ON e.account_id = $1 AND e.client = d.client AND d.effect_key = ANY(e.after)
     AND e.state = 'dead' AND e.error_code = 'dependency'
)
SELECT DISTINCT key FROM down
"""


async def page(conn: Conn, account_id: str, after: int, limit: int) -> list[asyncpg.Record]:
    return list(
        await conn.fetch(
            'SELECT seq, system, effect_key, call_id, client, what, "order", error_code, error_field, error_detail, note,'
            " coalesce(sent_at, created_at) AS since, attempts FROM effect"
            " WHERE account_id = $1 AND state = 'dead' AND seq > $2 ORDER BY seq LIMIT $3",
            account_id,
            after,
            limit,
        )
    )


async def count(conn: Conn, account_id: str) -> int:
    found: int = await conn.fetchval(
        "SELECT count(*) FROM effect WHERE account_id = $1 AND state = 'dead'", account_id
    )
    return found


async def one(conn: Conn, account_id: str, key: str) -> Mapping[str, Any] | None:
    row = await conn.fetchrow(
        "SELECT what, \"order\" FROM effect WHERE account_id = $1 AND effect_key = $2 AND state = 'dead' FOR UPDATE",
        account_id,
        key,
    )
    return dict(row) if row else None


async def change(conn: Conn, account_id: str, key: str, order: Mapping[str, Any], note: str | None) -> None:
    await conn.execute(
        'UPDATE effect SET "order" = $3, note = coalesce($4, note) WHERE account_id = $1 AND effect_key = $2',
        account_id,
        key,
        dict(order),
        note,
    )


async def revive(conn: Conn, account_id: str, keys: Sequence[str] | None) -> int:
    """Dead effects (None = all) and those that died with them wait again; how many."""
    if keys is not None:
        keys = [r["key"] for r in await conn.fetch(_TOGETHER, account_id, list(keys))]
    revived = await conn.fetch(
        "WITH revived AS (UPDATE effect SET state = 'waiting', doubts = 0, next_try_at = NULL, error_code = NULL, error_field = NULL,"
        " error_detail = NULL"
        " WHERE account_id = $1 AND state = 'dead' AND ($2::text[] IS NULL OR effect_key = ANY($2))"
        " RETURNING system) SELECT system, count(*) AS n FROM revived GROUP BY system",
        account_id,
        keys,
    )
    for row in revived:
        await wake(conn, account_id, row["system"])
    return sum(row["n"] for row in revived)


async def set_aside(conn: Conn, account_id: str, keys: Sequence[str], note: str) -> int:
    """Dead effects and what needs them are skipped for good; how many."""
    together = [r["key"] for r in await conn.fetch(_TOGETHER, account_id, list(keys))]
    done = await conn.execute(
        "UPDATE effect SET state = 'skipped', note = $3"
        " WHERE account_id = $1 AND state = 'dead' AND effect_key = ANY($2)",
        account_id,
        together,
        note,
    )
    return int(done.split()[-1])
