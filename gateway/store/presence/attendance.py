"""What is known of each employee's attendance now, and the intervals that it was."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from routing.attendance.model import Attendance, AttendanceReason, PresenceQuestion, shown, state_of
from runtime.database import channels
from runtime.database.changes import publish
from runtime.database.pool import Conn

_KNOWN = """
SELECT * FROM presence WHERE account_id = $1 AND ($2::text[] IS NULL OR employee_id = ANY($2)) ORDER BY employee_id
"""
_LOCKED = f"{_KNOWN} FOR UPDATE"
_SAVE = """
INSERT INTO presence (account_id, employee_id, mark, since, source, reason, switched_by, signs, asked_at, answer_by, hold,
    deaf_until, dnd, is_in_call, has_page_gone, on_shift)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT (account_id, employee_id) DO UPDATE SET mark = excluded.mark, since = excluded.since, source = excluded.source,
    reason = excluded.reason, switched_by = excluded.switched_by, signs = excluded.signs, asked_at = excluded.asked_at,
    answer_by = excluded.answer_by, hold = excluded.hold, deaf_until = excluded.deaf_until, dnd = excluded.dnd,
    is_in_call = excluded.is_in_call, has_page_gone = excluded.has_page_gone, on_shift = excluded.on_shift
"""
_CLOSE = """
UPDATE presence_interval SET until = greatest($3, since) WHERE account_id = $1 AND employee_id = $2 AND until IS NULL
"""
_OPEN = """
INSERT INTO presence_interval (account_id, employee_id, state, since, source, reason, switched_by)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_HISTORY = """
SELECT interval_id, state, since, until, source, reason, switched_by FROM presence_interval
WHERE account_id = $1 AND employee_id = $2 AND since < $4 AND coalesce(until, 'infinity') > $3
    AND ($5::bigint IS NULL OR interval_id < $5)
ORDER BY interval_id DESC LIMIT $6
"""
_FORGET = """
DELETE FROM presence_interval WHERE ctid IN (
    SELECT ctid FROM presence_interval WHERE until < $1 ORDER BY until LIMIT $2)
"""
_REMOVED = """
WITH left_over AS (
        SELECT p.employee_id AS id FROM presence p WHERE p.account_id = $1
            AND NOT EXISTS (SELECT FROM employee e WHERE e.account_id = p.account_id AND e.employee_id = p.employee_id)),
    gone AS (DELETE FROM presence WHERE account_id = $1 AND employee_id IN (SELECT id FROM left_over)),
    pages AS (DELETE FROM presence_page WHERE account_id = $1 AND employee_id IN (SELECT id FROM left_over))
UPDATE presence_interval SET until = greatest($2, since)
WHERE account_id = $1 AND until IS NULL AND employee_id IN (SELECT id FROM left_over)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceInterval:
    """until: None = it goes on. switched_by: who pressed, "" = nobody."""

    interval_id: int
    state: str
    since: datetime
    until: datetime | None
    source: str
    reason: str
    switched_by: str


async def attendances(
    conn: Conn, account_id: str, employee_ids: Collection[str] | None = None, *, lock: bool = False
) -> dict[str, Attendance]:
    """Return them by employee; who was never watched is missing. lock: until the transaction ends, in one order for everybody."""
    rows = await conn.fetch(
        _LOCKED if lock else _KNOWN,
        account_id,
        None if employee_ids is None else sorted(employee_ids),
    )
    return {row["employee_id"]: _attendance(row) for row in rows}


async def attendances_of(conn: Conn, account_ids: Collection[str]) -> dict[str, dict[str, Attendance]]:
    """Return those of several accounts, by account and employee."""
    found: dict[str, dict[str, Attendance]] = {account_id: {} for account_id in account_ids}
    for row in await conn.fetch("SELECT * FROM presence WHERE account_id = ANY($1)", sorted(account_ids)):
        found[row["account_id"]][row["employee_id"]] = _attendance(row)
    return found


async def save(
    conn: Conn, account_id: str, employee_id: str, before: Attendance | None, after: Attendance, now: datetime
) -> None:
    """Keep it; what history tells of is an interval of its own, and whoever looks on is told of what they would see."""
    question = after.question
    await conn.execute(
        _SAVE,
        account_id,
        employee_id,
        after.mark,
        after.since,
        after.source,
        after.reason.value,
        after.by,
        {source: at.isoformat() for source, at in after.signs.items()},
        question.asked_at if question else None,
        question.answer_by if question else None,
        after.hold,
        after.deaf_until,
        after.dnd,
        after.is_in_call,
        after.has_page_gone,
        after.on_shift,
    )
    is_moved = before is None or shown(before) != shown(after)
    if is_moved:
        await _next_interval(conn, account_id, employee_id, before, after, now)
    if is_moved or before is None or state_of(before) != state_of(after):
        await channels.notify(conn, channels.PRESENCE, account_id)
        await publish(conn, account_id, "presence", employee_id)


async def _next_interval(
    conn: Conn, account_id: str, employee_id: str, before: Attendance | None, after: Attendance, now: datetime
) -> None:
    """Do-not-disturb has no moment of its own: it begins and ends when it is noticed."""
    is_dnd_news = before is not None and before.since == after.since
    at = now if is_dnd_news else after.since
    await conn.execute(_CLOSE, account_id, employee_id, at)
    state = "dnd" if after.dnd == "yes" and after.mark != "off" else after.mark
    values = (state, at, after.source, after.reason.value, after.by)
    await conn.execute(_OPEN, account_id, employee_id, *values)


async def history(
    conn: Conn,
    account_id: str,
    employee_id: str,
    since: datetime,
    until: datetime,
    *,
    before: int | None = None,
    limit: int = 100,
) -> list[PresenceInterval]:
    """Return the intervals that touch this time, newest first. before: an interval's id, to read on."""
    rows = await conn.fetch(_HISTORY, account_id, employee_id, since, until, before, limit)
    return [PresenceInterval(**row) for row in rows]


async def delete_intervals_older_than(conn: Conn, before: datetime, *, limit: int) -> int:
    """Return how many ended ones were removed."""
    status: str = await conn.execute(_FORGET, before, limit)
    return int(status.rpartition(" ")[2])


async def forget_removed(conn: Conn, account_id: str, now: datetime) -> None:
    """Of employees who are gone nothing goes on; what was stays until its days are over. Who is gone the database says: the
    memory of a process may not know yet of somebody who has just come."""
    await conn.execute(_REMOVED, account_id, now)


def _attendance(row: asyncpg.Record) -> Attendance:
    signs: Mapping[str, Any] = row["signs"]
    asked_at, answer_by = row["asked_at"], row["answer_by"]
    return Attendance(
        mark=row["mark"],
        since=row["since"],
        source=row["source"],
        reason=AttendanceReason(row["reason"]),
        by=row["switched_by"],
        signs={source: datetime.fromisoformat(at) for source, at in signs.items()},  # type: ignore[misc]
        question=PresenceQuestion(asked_at, answer_by) if asked_at and answer_by else None,
        hold=row["hold"],
        deaf_until=row["deaf_until"],
        dnd=row["dnd"],
        is_in_call=row["is_in_call"],
        has_page_gone=row["has_page_gone"],
        on_shift=row["on_shift"],
    )
