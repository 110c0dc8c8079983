"""Heartbeats of open pages, one row for each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from routing.attendance.pages import PageBeat
from runtime.database.pool import Conn

_KEEP = """
INSERT INTO presence_page AS p (account_id, employee_id, page, seen_at, input_at, is_closed)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::boolean[])
    AS told (account_id, employee_id, page, seen_at, input_at, is_closed)
WHERE EXISTS (SELECT FROM account a WHERE a.account_id = told.account_id)
ON CONFLICT (account_id, employee_id, page) DO UPDATE SET seen_at = greatest(p.seen_at, excluded.seen_at),
    input_at = greatest(p.input_at, excluded.input_at),
    is_closed = CASE WHEN excluded.seen_at >= p.seen_at THEN excluded.is_closed ELSE p.is_closed END
"""
_PAGES = """
SELECT employee_id, page, seen_at, input_at, is_closed FROM (
    SELECT *, row_number() OVER (PARTITION BY employee_id ORDER BY seen_at DESC) AS place FROM presence_page
    WHERE account_id = $1) AS pages
WHERE place <= $2
"""


async def keep(conn: Conn, beats: Mapping[tuple[str, str, str], PageBeat]) -> None:
    """beats: by (account, employee, page). Of a page the newest word counts, whoever brings it."""
    rows = sorted(beats.items())
    await conn.execute(
        _KEEP,
        [key[0] for key, _ in rows],
        [key[1] for key, _ in rows],
        [key[2] for key, _ in rows],
        [beat.seen_at for _, beat in rows],
        [beat.input_at for _, beat in rows],
        [beat.is_closed for _, beat in rows],
    )


async def pages_of(conn: Conn, account_id: str, most: int) -> dict[str, list[PageBeat]]:
    """Return the latest ones of each employee."""
    found: dict[str, list[PageBeat]] = {}
    for row in await conn.fetch(_PAGES, account_id, most):
        beat = PageBeat(row["page"], row["seen_at"], row["input_at"], row["is_closed"])
        found.setdefault(row["employee_id"], []).append(beat)
    return found


async def forget_pages(conn: Conn, before: datetime, *, limit: int) -> int:
    """Return how many pages that nobody heard since were removed."""
    status: str = await conn.execute(
        "DELETE FROM presence_page WHERE ctid IN (SELECT ctid FROM presence_page WHERE seen_at < $1 LIMIT $2)",
        before,
        limit,
    )
    return int(status.rpartition(" ")[2])
