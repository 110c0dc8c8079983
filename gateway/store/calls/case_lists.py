"""Missed calls as lists and figures for people: those that were closed, and how long clients waited."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from routing.calls.model import Direction
from routing.client import ClientKind
from runtime.database.pool import Conn

_CLOSED = """
SELECT m.case_id, m.client, m.closed_at, m.waited_seconds, m.closed_by, m.closed_note, m.missed_calls[cardinality(m.missed_calls)]
    AS call_id, c.direction AS answered_direction, m.closed_by_call FROM missed_case m
LEFT JOIN call c ON c.account_id = m.account_id AND c.call_id = m.closed_by_call
WHERE m.account_id = $1 AND m.closed_at < coalesce($2::timestamptz, 'infinity') AND ($3::text IS NULL OR m.owner_id = $3)
ORDER BY m.closed_at DESC, m.case_id LIMIT $4
"""
_WAITED = """
SELECT width_bucket(waited_seconds, $4::int[]) AS bucket, count(*) AS n FROM missed_case
WHERE account_id = $1 AND closed_at >= $2 AND waited_seconds IS NOT NULL AND ($3::text IS NULL OR owner_id = $3) GROUP BY 1
"""
_BY_OWNER = """
SELECT owner_id, count(*) FILTER (WHERE state = 'open') AS open,
    count(*) FILTER (WHERE state = 'open' AND task_due_at < $3) AS overdue,
    count(*) FILTER (WHERE state = 'closed') AS closed,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY waited_seconds) FILTER (WHERE state = 'closed') AS median
FROM missed_case WHERE account_id = $1 AND (state = 'open' OR closed_at >= $2) AND ($4::text IS NULL OR owner_id = $4)
GROUP BY 1 ORDER BY overdue DESC, open DESC, closed DESC LIMIT 200
"""


class ClosedCase(NamedTuple):
    """call_id: the latest missed call. answered_direction: of the call that closed it, None: none did, or it is no longer stored."""

    case_id: str
    client: str
    closed_at: datetime
    waited_seconds: int | None
    closed_by: str | None
    closed_note: str
    call_id: str
    answered_direction: Direction | None
    closed_by_call: str | None


class CasesOfOwner(NamedTuple):
    """owner_id: CRM user. median: working seconds of those closed in the time that was asked for."""

    owner_id: str | None
    open: int
    overdue: int
    closed: int
    median: float | None


class CallOfCase(NamedTuple):
    """client_kind: what the CRM knew of the client when the call came; None: nobody asked it."""

    line: str | None
    connection_id: str
    client_kind: ClientKind | None


async def closed_cases(
    conn: Conn,
    account_id: str,
    *,
    before: datetime | None = None,
    owner_id: str | None = None,
    limit: int = 50,
) -> list[ClosedCase]:
    """Return the latest first. owner_id: CRM user whose task it was, None = everybody's."""
    return [ClosedCase(*row) for row in await conn.fetch(_CLOSED, account_id, before, owner_id, limit)]


async def waited(
    conn: Conn, account_id: str, since: datetime, bounds: Sequence[int], owner_id: str | None = None
) -> list[int]:
    """Count those closed since then by how long the client waited: below the first bound (working seconds), between the
    bounds, and from the last on."""
    rows = await conn.fetch(_WAITED, account_id, since, owner_id, list(bounds))
    found = {row["bucket"]: row["n"] for row in rows}
    return [found.get(bucket, 0) for bucket in range(len(bounds) + 1)]


async def cases_by_owner(
    conn: Conn, account_id: str, since: datetime, now: datetime, owner_id: str | None = None
) -> list[CasesOfOwner]:
    rows = await conn.fetch(_BY_OWNER, account_id, since, now, owner_id)
    return [CasesOfOwner(*row) for row in rows]


async def waiting_count(conn: Conn, account_id: str, owner_id: str | None = None) -> int:
    """owner_id: CRM user whose task it is, None = everybody's."""
    found: int = await conn.fetchval(
        "SELECT count(*) FROM missed_case WHERE account_id = $1 AND state = 'open' AND ($2::text IS NULL OR owner_id = $2)",
        account_id,
        owner_id,
    )
    return found


async def calls_of_cases(conn: Conn, account_id: str, ids: Collection[str]) -> dict[str, CallOfCase]:
    """Return over which line calls came, and from whom, by call id; what is no longer stored is left out."""
    rows = await conn.fetch(
        "SELECT call_id, line, connection_id, client_kind FROM call WHERE account_id = $1 AND call_id = ANY($2)",
        account_id,
        list(ids),
    )
    kinds = {row["call_id"]: ClientKind(row["client_kind"]) if row["client_kind"] else None for row in rows}
    return {r["call_id"]: CallOfCase(r["line"], r["connection_id"], kinds[r["call_id"]]) for r in rows}


async def created_by(conn: Conn, account_id: str, effect_keys: Collection[str]) -> dict[str, str]:
    """Return the ids in the CRM of what these effects created; what is not there yet is left out."""
    rows = await conn.fetch(
        "SELECT effect_key, crm_id FROM effect WHERE account_id = $1 AND effect_key = ANY($2) AND state = 'done'"
        " AND crm_id IS NOT NULL",
        account_id,
        list(effect_keys),
    )
    return {row["effect_key"]: row["crm_id"] for row in rows}
