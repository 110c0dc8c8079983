"""What the journal knows of the calls that a PBX lists, and how far each connection's log has been compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from runtime.database.pool import Conn

_KNOWN = """
SELECT asked.call_key, c.call_id IS NOT NULL AS is_known, coalesce(c.is_over, false) AS is_over,
    c.disposition = 'answered' AS is_answered, coalesce((c.facts->>'is_end_lost')::boolean, false) AS is_end_lost,
    EXISTS (SELECT 1 FROM inbox i WHERE i.account_id = $1 AND i.connection_id = $2 AND i.call_key = asked.call_key)
        AS is_told,
    EXISTS (SELECT 1 FROM inbox i WHERE i.account_id = $1 AND i.connection_id = $2 AND i.call_key = asked.call_key
        AND i.state = 'pending') AS is_pending
FROM unnest($3::text[]) AS asked (call_key)
LEFT JOIN call c ON c.account_id = $1 AND c.connection_id = $2 AND c.call_key = asked.call_key
"""

_SAME_TIME = """
SELECT DISTINCT asked.call_key
FROM unnest($3::text[], $4::text[], $5::timestamptz[]) AS asked (call_key, client, began_at)
JOIN call c ON c.account_id = $1 AND c.connection_id = $2 AND c.client = asked.client
    AND c.started_at BETWEEN asked.began_at - $6::interval AND asked.began_at + $6::interval
WHERE c.call_key <> ALL ($7::text[])
"""

_LEGS = """
SELECT DISTINCT leg FROM inbox i CROSS JOIN LATERAL jsonb_array_elements(i.events) AS event (told)
    CROSS JOIN LATERAL (SELECT event.told->>'leg' AS leg) AS named
WHERE i.account_id = $1 AND i.connection_id = $2 AND i.received_at BETWEEN $4 AND $5 AND leg = ANY ($3::text[])
"""


@dataclass(frozen=True, slots=True)
class KnownCall:
    """What the journal says of one call. is_told: messages of it lie in the inbox. is_pending: some are not applied."""

    is_known: bool
    is_over: bool
    is_answered: bool
    is_end_lost: bool
    is_told: bool
    is_pending: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPosition:
    """One connection's row. began_at: when the connection was made: older calls are none of ours. missing_at: when a
    sweep last found a call that we did not know."""

    began_at: datetime
    read_until: datetime | None = None
    compared: int = 0
    missing: int = 0
    imported: int = 0
    refused: int = 0
    missing_at: datetime | None = None
    last_success: datetime | None = None
    failures: int = 0
    failing_since: datetime | None = None
    last_error: str | None = None


async def known_calls(
    conn: Conn, account_id: str, connection_id: str, call_keys: Sequence[str]
) -> Mapping[str, KnownCall]:
    rows = await conn.fetch(_KNOWN, account_id, connection_id, list(call_keys))
    return {
        r["call_key"]: KnownCall(
            r["is_known"],
            r["is_over"],
            bool(r["is_answered"]),
            r["is_end_lost"],
            r["is_told"],
            r["is_pending"],
        )
        for r in rows
    }


async def same_time_calls(
    conn: Conn,
    account_id: str,
    connection_id: str,
    calls: Sequence[tuple[str, str, datetime]],
    *,
    within: timedelta,
    listed: Sequence[str],
) -> frozenset[str]:
    """Which of these (call_key, client, began_at) the journal has under another id that the log does not list."""
    if not calls:
        return frozenset()
    keys, clients, times = zip(*calls, strict=True)
    rows = await conn.fetch(
        _SAME_TIME, account_id, connection_id, list(keys), list(clients), list(times), within, list(listed)
    )
    return frozenset(r["call_key"] for r in rows)


async def heard_legs(
    conn: Conn, account_id: str, connection_id: str, legs: Sequence[str], since: datetime, until: datetime
) -> frozenset[str]:
    """Which of these legs any message of that time speaks of."""
    if not legs:
        return frozenset()
    rows = await conn.fetch(_LEGS, account_id, connection_id, list(legs), since, until)
    return frozenset(r["leg"] for r in rows)


async def progress(conn: Conn, account_id: str, connection_id: str) -> SweepPosition | None:
    """None: there is no such connection any more."""
    row = await conn.fetchrow(
        "SELECT c.created_at, p.* FROM connection c LEFT JOIN pbx_reconciliation p USING (account_id, connection_id)"
        " WHERE c.account_id = $1 AND c.connection_id = $2",
        account_id,
        connection_id,
    )
    if row is None:
        return None
    if row["compared"] is None:
        return SweepPosition(began_at=row["created_at"])
    return SweepPosition(
        began_at=row["created_at"],
        read_until=row["read_until"],
        compared=row["compared"],
        missing=row["missing"],
        imported=row["imported"],
        refused=row["refused"],
        missing_at=row["missing_at"],
        last_success=row["last_success"],
        failures=row["failures"],
        failing_since=row["failing_since"],
        last_error=row["last_error"],
    )


async def save_progress(conn: Conn, account_id: str, connection_id: str, now: SweepPosition) -> None:
    """Nothing is kept for a connection that was removed meanwhile."""
    try:
        await conn.execute(
            "INSERT INTO pbx_reconciliation (account_id, connection_id, read_until, compared, missing, imported, refused,"
            " missing_at, last_success, failures, failing_since, last_error)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
            " ON CONFLICT (account_id, connection_id) DO UPDATE SET read_until = $3, compared = $4, missing = $5,"
            " imported = $6, refused = $7, missing_at = $8, last_success = $9, failures = $10, failing_since = $11,"
            " last_error = $12",
            account_id,
            connection_id,
            now.read_until,
            now.compared,
            now.missing,
            now.imported,
            now.refused,
            now.missing_at,
            now.last_success,
            now.failures,
            now.failing_since,
            now.last_error,
        )
    except asyncpg.ForeignKeyViolationError:
        return
