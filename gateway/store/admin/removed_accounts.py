"""An account that is taken away, with every row that is its own."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

from runtime.database.pool import Conn

_KEPT = ("account", "audit")
"""The account's own row goes last, and what people changed stays told."""
_BATCH = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHoldings:
    """What is lost with an account. unsent: effects that never reached the CRM. open_cases: clients who wait for a call."""

    connections: int
    employees: int
    calls: int
    unsent: int
    open_cases: int
    tokens: int
    users: int


async def holdings_of(conn: Conn, account_id: str) -> AccountHoldings:
    row = await conn.fetchrow(
        "SELECT (SELECT count(*) FROM connection WHERE account_id = $1) AS connections,"
        " (SELECT count(*) FROM employee WHERE account_id = $1) AS employees,"
        " (SELECT count(*) FROM call WHERE account_id = $1) AS calls,"
        " (SELECT count(*) FROM effect WHERE account_id = $1 AND state IN ('waiting', 'sending', 'unknown', 'held')) AS unsent,"
        " (SELECT count(*) FROM missed_case WHERE account_id = $1 AND closed_at IS NULL) AS open_cases,"
        " (SELECT count(*) FROM api_token WHERE account_id = $1) AS tokens,"
        " (SELECT count(*) FROM admin_user WHERE account_id = $1) AS users",
        account_id,
    )
    assert row is not None
    return AccountHoldings(**dict(row))


async def remove_account_row(conn: Conn, account_id: str) -> None:
    """Remove the account, and what hangs on its row by foreign keys: from now on nobody knows it."""
    await conn.execute("DELETE FROM account WHERE account_id = $1", account_id)


async def remove_rows_of(conn: Conn, account_id: str) -> None:
    """Remove all that is left of the account, in batches: each a transaction of its own, so that nobody waits for long."""
    for table in await _tables(conn):
        while await _removed(conn, table, account_id) == _BATCH:
            pass


async def _removed(conn: Conn, table: str, account_id: str) -> int:
    done: str = await conn.execute(
        f'DELETE FROM "{table}" WHERE ctid = ANY (ARRAY('  # noqa: S608 - a table's own name
        f'SELECT ctid FROM "{table}" WHERE account_id = $1 LIMIT {_BATCH}))',
        account_id,
    )
    return int(done.split()[-1])


async def _tables(conn: Conn) -> list[str]:
    """Every table that has an account's rows, whichever they are in this version of the schema."""
    found: list[asyncpg.Record] = await conn.fetch(
        "SELECT table_name FROM information_schema.columns JOIN information_schema.tables"
        " USING (table_catalog, table_schema, table_name) WHERE column_name = 'account_id'"
        " AND table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY table_name"
    )
    return [row["table_name"] for row in found if row["table_name"] not in _KEPT]
