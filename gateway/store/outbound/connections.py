"""PBXs to which no calls are given: stopped until a person says otherwise, or away for a moment."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from runtime.database.pool import Conn

_STOP = """
INSERT INTO outbound_connection (account_id, connection, stopped_at, code, words) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (account_id, connection) DO UPDATE SET stopped_at = excluded.stopped_at, code = excluded.code,
    words = excluded.words WHERE outbound_connection.stopped_at IS NULL RETURNING true
"""
_AWAY = """
INSERT INTO outbound_connection (account_id, connection, away_until, code, words) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (account_id, connection) DO UPDATE SET away_until = excluded.away_until,
    code = CASE WHEN outbound_connection.stopped_at IS NULL THEN excluded.code ELSE outbound_connection.code END,
    words = CASE WHEN outbound_connection.stopped_at IS NULL THEN excluded.words ELSE outbound_connection.words END
"""
_GO_ON = """
WITH lifted AS (UPDATE outbound_connection SET stopped_at = NULL, away_until = NULL, code = '', words = ''
    WHERE account_id = $1 AND connection = $2 AND stopped_at IS NOT NULL RETURNING account_id),
looked AS (UPDATE outbound_item i SET look_at = NULL FROM lifted WHERE i.account_id = lifted.account_id
    AND i.connection = $2 AND i.state = 'waiting')
SELECT EXISTS (SELECT 1 FROM lifted)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionStop:
    """connection: its name. stopped_at: since when nothing is placed by it, until a person says that it goes on. away_until: it
    did not answer, and is tried again then. code, words: why, the PBX's own words."""

    account_id: str
    connection: str
    stopped_at: datetime | None
    code: str
    words: str
    away_until: datetime | None


async def stops_of(conn: Conn, account_ids: Collection[str] | None = None) -> list[ConnectionStop]:
    """Return those of these accounts, None = of all, that are stopped or were away last."""
    rows = await conn.fetch(
        "SELECT account_id, connection, stopped_at, code, words, away_until FROM outbound_connection"
        " WHERE ($1::text[] IS NULL OR account_id = ANY($1)) AND (stopped_at IS NOT NULL OR away_until IS NOT NULL)"
        " ORDER BY account_id, connection",
        None if account_ids is None else list(account_ids),
    )
    return [ConnectionStop(**dict(row)) for row in rows]


async def stop_connection(
    conn: Conn, account_id: str, connection: str, at: datetime, code: str, words: str
) -> bool:
    """Whether it was not stopped before."""
    return bool(await conn.fetchval(_STOP, account_id, connection, at, code, words[:500]))


async def set_away(
    conn: Conn, account_id: str, connection: str, until: datetime, code: str, words: str
) -> None:
    await conn.execute(_AWAY, account_id, connection, until, code, words[:500])


async def forget_connection(conn: Conn, account_id: str, connection: str) -> None:
    """Whoever has its name next is not stopped because of it."""
    await conn.execute(
        "DELETE FROM outbound_connection WHERE account_id = $1 AND connection = $2", account_id, connection
    )


async def lift_stop(conn: Conn, account_id: str, connection: str) -> bool:
    """Let calls be placed by it again; what waits for it is looked at at once. False: it was not stopped."""
    return bool(await conn.fetchval(_GO_ON, account_id, connection))
