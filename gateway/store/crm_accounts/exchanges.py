"""Exchanges with vendors and reports of workers, as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from runtime.database.pool import Conn

ExchangeRow = tuple[str, str, datetime, str, str, int | None, int, str, str, str, str]
"""account_id, vendor, at, method, target, status, took_ms, lane, sent, received, error"""

_COLUMNS = (
    "account_id",
    "vendor",
    "at",
    "method",
    "target",
    "status",
    "took_ms",
    "lane",
    "sent",
    "received",
    "error",
)


async def add_exchanges(conn: Conn, rows: Sequence[ExchangeRow]) -> None:
    await conn.copy_records_to_table("vendor_exchange", records=rows, columns=_COLUMNS)


async def exchanges(conn: Conn, account_id: str, *, before: int | None, limit: int) -> list[asyncpg.Record]:
    """Newest first."""
    return await conn.fetch(
        "SELECT * FROM vendor_exchange WHERE account_id = $1 AND ($2::bigint IS NULL OR exchange_id < $2)"
        " ORDER BY exchange_id DESC LIMIT $3",
        account_id,
        before,
        limit,
    )


async def delete_exchanges_older_than(conn: Conn, older_than: timedelta, limit: int = 5000) -> int:
    done: str = await conn.execute(
        "DELETE FROM vendor_exchange WHERE (account_id, exchange_id) IN (SELECT account_id, exchange_id"
        " FROM vendor_exchange WHERE at < now() - $1::interval LIMIT $2)",
        older_than,
        limit,
    )
    return int(done.split()[-1])


async def report(conn: Conn, account_id: str, name: str, body: Mapping[str, Any]) -> None:
    await conn.execute(
        "INSERT INTO worker_report (account_id, report, at, body) VALUES ($1, $2, now(), $3)"
        " ON CONFLICT (account_id, report) DO UPDATE SET at = now(), body = $3",
        account_id,
        name,
        dict(body),
    )


async def report_accounts(conn: Conn, name: str, bodies: Mapping[str, Mapping[str, Any]]) -> None:
    """Report several accounts, in one statement. bodies: by account."""
    await conn.execute(
        "INSERT INTO worker_report (account_id, report, at, body)"
        " SELECT account_id, $1, now(), body FROM unnest($2::text[], $3::jsonb[]) AS told (account_id, body)"
        " ORDER BY account_id"
        " ON CONFLICT (account_id, report) DO UPDATE SET at = now(), body = excluded.body",
        name,
        list(bodies),
        [dict(body) for body in bodies.values()],
    )


async def latest_report(conn: Conn, account_id: str, name: str) -> asyncpg.Record | None:
    """at, body."""
    return await conn.fetchrow(
        "SELECT at, body FROM worker_report WHERE account_id = $1 AND report = $2", account_id, name
    )


async def key_set_at(conn: Conn, account_id: str) -> datetime | None:
    """When the key to the CRM that holds was stored."""
    found: datetime | None = await conn.fetchval(
        "SELECT updated_at FROM crm_token WHERE account_id = $1", account_id
    )
    return found


async def reports(conn: Conn, account_id: str | None = None) -> list[asyncpg.Record]:
    """account_id, report, at, body of the latest of each."""
    return await conn.fetch(
        "SELECT * FROM worker_report WHERE $1::text IS NULL OR account_id = $1 ORDER BY account_id, report",
        account_id,
    )
