"""Schedules as rows: the version of each that holds, and its earlier ones, which never change."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg

from gateway.store.admin.audit import AuditChange, record
from routing.schedules.model import Schedule
from runtime.database.pool import Conn

_CURRENT = """
SELECT s.account_id, s.name, s.version, v.body, v.saved_at, v.saved_by FROM schedule s
JOIN schedule_version v USING (account_id, name, version)
WHERE s.removed_at IS NULL AND ($1::text[] IS NULL OR s.account_id = ANY($1)) AND ($2::text IS NULL OR s.name = $2)
ORDER BY s.account_id, s.name
"""
_PUT = """
INSERT INTO schedule AS s (account_id, name, version) VALUES ($1, $2, 1)
ON CONFLICT (account_id, name) DO UPDATE SET version = s.version + 1, removed_at = NULL RETURNING version
"""
_USES = """
SELECT 'user ' || login AS who FROM admin_user WHERE (account_id IS NULL OR account_id = $1) AND $2 = ANY(schedules)
UNION ALL SELECT 'token ' || name FROM api_token WHERE (account_id IS NULL OR account_id = $1) AND $2 = ANY(schedules)
UNION ALL SELECT 'template ' || t.name FROM distribution_template t
    JOIN distribution_version v USING (account_id, name, version)
    WHERE t.account_id = $1 AND t.removed_at IS NULL AND v.body->'working_time'->>'schedule' = $2
ORDER BY 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSchedule:
    """version: the one that holds. saved_by: who saved it."""

    account_id: str
    name: str
    version: int
    schedule: Schedule
    saved_at: datetime
    saved_by: str


class ScheduleLine(NamedTuple):
    """One version of a schedule."""

    version: int
    saved_at: datetime
    saved_by: str


async def schedules_of(conn: Conn, account_ids: Collection[str] | None) -> list[StoredSchedule]:
    """Return those of these accounts, None = of all."""
    ids = None if account_ids is None else list(account_ids)
    return [_stored(row) for row in await conn.fetch(_CURRENT, ids, None)]


async def schedule_named(conn: Conn, account_id: str, name: str) -> StoredSchedule | None:
    row = await conn.fetchrow(_CURRENT, [account_id], name)
    return _stored(row) if row else None


async def schedule_at(conn: Conn, account_id: str, name: str, version: int) -> Schedule | None:
    """Return it as it was, also of a schedule that was removed."""
    body = await conn.fetchval(
        "SELECT body FROM schedule_version WHERE account_id = $1 AND name = $2 AND version = $3",
        account_id,
        name,
        version,
    )
    return None if body is None else schedule_of_json(body)


async def schedule_versions(conn: Conn, account_id: str, name: str) -> list[ScheduleLine]:
    """Newest first."""
    rows = await conn.fetch(
        "SELECT version, saved_at, saved_by FROM schedule_version WHERE account_id = $1 AND name = $2"
        " ORDER BY version DESC",
        account_id,
        name,
    )
    return [ScheduleLine(*row) for row in rows]


async def save_schedule(
    conn: Conn, account_id: str, name: str, schedule: Schedule, by: str
) -> StoredSchedule:
    """Make it the next version, in the caller's transaction; what is the same stays as it is."""
    before = await schedule_named(conn, account_id, name)
    if before is not None and before.schedule == schedule:
        return before
    version = await conn.fetchval(_PUT, account_id, name)
    await conn.execute(
        "INSERT INTO schedule_version (account_id, name, version, body, saved_by) VALUES ($1, $2, $3, $4, $5)",
        account_id,
        name,
        version,
        schedule.model_dump(mode="json"),
        by,
    )
    old = before.schedule if before else None
    await _tell(conn, account_id, name, "changed" if before else "added", old, schedule)
    saved = await schedule_named(conn, account_id, name)
    assert saved is not None
    return saved


async def remove_schedule(conn: Conn, account_id: str, name: str) -> bool:
    """Whether there was one. In the caller's transaction. Its versions stay."""
    gone = await schedule_named(conn, account_id, name)
    if gone is None:
        return False
    await conn.execute(
        "UPDATE schedule SET removed_at = now() WHERE account_id = $1 AND name = $2", account_id, name
    )
    await _tell(conn, account_id, name, "removed", gone.schedule, None)
    return True


async def uses_of_schedule(conn: Conn, account_id: str, name: str) -> list[str]:
    """Return what stands on it: "template ads", and who may touch this one and not all of them: "user olga"."""
    return [row["who"] for row in await conn.fetch(_USES, account_id, name)]


async def _tell(
    conn: Conn, account_id: str, name: str, action: str, before: Schedule | None, after: Schedule | None
) -> None:
    change = AuditChange(
        what="schedule",
        object=name,
        action=action,
        account_id=account_id,
        before=None if before is None else before.model_dump(mode="json", exclude_defaults=True),
        after=None if after is None else after.model_dump(mode="json", exclude_defaults=True),
    )
    await record(conn, change)


def schedule_of_json(body: Any) -> Schedule:
    """Read what stands in a row. What a newer program keeps there and this one does not know is left alone."""
    return Schedule.model_validate(body, extra="ignore")


def _stored(row: asyncpg.Record) -> StoredSchedule:
    return StoredSchedule(
        account_id=row["account_id"],
        name=row["name"],
        version=row["version"],
        schedule=schedule_of_json(row["body"]),
        saved_at=row["saved_at"],
        saved_by=row["saved_by"],
    )
