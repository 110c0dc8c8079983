"""What is held of an account by day, and how far a backfill is by day and by kind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from runtime.database.pool import Conn

_HELD_DAYS = """
SELECT (coalesce(c.started_at + c.clock_offset, e.created_at) AT TIME ZONE a.time_zone)::date AS day,
       count(DISTINCT e.call_id) AS calls, count(*) AS changes
FROM effect e JOIN account a ON a.account_id = e.account_id
LEFT JOIN call c ON c.account_id = e.account_id AND c.call_id = e.call_id
WHERE e.account_id = $1 AND e.system = 'crm' AND e.state = 'held' GROUP BY 1 ORDER BY 1
"""

_DAYS_OF_RUN = """
SELECT day, count(*) FILTER (WHERE NOT is_open) AS settled, count(*) AS calls FROM (
    SELECT (coalesce(c.started_at + c.clock_offset, min(e.created_at)) AT TIME ZONE a.time_zone)::date AS day,
        bool_or(e.state IN ('held', 'waiting', 'sending', 'unknown')) AS is_open
    FROM backfill_call b JOIN account a ON a.account_id = b.account_id
    JOIN effect e ON e.account_id = b.account_id AND e.call_id = b.call_id AND e.system = 'crm'
    LEFT JOIN call c ON c.account_id = b.account_id AND c.call_id = b.call_id
    WHERE b.account_id = $1 AND b.run_id = $2 GROUP BY b.call_id, c.started_at, c.clock_offset, a.time_zone) AS one
GROUP BY day ORDER BY day
"""


class HeldDay(NamedTuple):
    """day: in the account's zone. calls: of which something is held. changes: how much."""

    day: date
    calls: int
    changes: int


class DayProgress(NamedTuple):
    """Of one day of a run: how many of its calls are settled."""

    day: date
    settled: int
    calls: int


async def held_days(conn: Conn, account_id: str) -> list[HeldDay]:
    """Return the days of which something is held, the oldest first."""
    return [HeldDay(*row) for row in await conn.fetch(_HELD_DAYS, account_id)]


async def progress_by_day(conn: Conn, account_id: str, run_id: str) -> list[DayProgress]:
    return [DayProgress(*row) for row in await conn.fetch(_DAYS_OF_RUN, account_id, run_id)]


async def done_by_kind(conn: Conn, account_id: str, run_id: str) -> dict[str, int]:
    """Return how many orders of each kind were carried out for the calls of a run."""
    rows = await conn.fetch(
        "SELECT e.what, count(*) AS done FROM backfill_call b JOIN effect e ON e.account_id = b.account_id"
        " AND e.call_id = b.call_id AND e.system = 'crm' WHERE b.account_id = $1 AND b.run_id = $2"
        " AND e.state = 'done' GROUP BY e.what",
        account_id,
        run_id,
    )
    return {row["what"]: row["done"] for row in rows}


async def promised(conn: Conn, account_id: str, run_id: str) -> Mapping[str, Any]:
    """Return what the preview said when the run began: the names of `backfill.Preview`."""
    found: Mapping[str, Any] | None = await conn.fetchval(
        "SELECT preview FROM backfill_run WHERE account_id = $1 AND run_id = $2", account_id, run_id
    )
    return found or {}
