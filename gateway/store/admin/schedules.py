"""Schedules as rows: the version of each that holds, and its earlier ones, which never change."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Any

import orjson

from gateway.store.admin.audit import AuditChange, record
from gateway.store.numbered import NamedVersion, NumberedVersions, VersionLine
from routing.schedules.model import Schedule, WorkPlan
from runtime.database.pool import Conn

_VERSIONS = NumberedVersions(holders="schedule", versions="schedule_version")
_USES = """
SELECT 'user ' || login AS who FROM admin_user WHERE (account_id IS NULL OR account_id = $1) AND $2 = ANY(schedules)
UNION ALL SELECT 'token ' || name FROM api_token WHERE (account_id IS NULL OR account_id = $1) AND $2 = ANY(schedules)
UNION ALL SELECT 'template ' || t.name FROM distribution_template t
    JOIN distribution_version v USING (account_id, name, version)
    WHERE t.account_id = $1 AND t.removed_at IS NULL AND v.body->'working_time'->>'schedule' = $2
ORDER BY 1
"""

_MOST_KEPT = 8
_MOST_SECONDS_AT_ONCE = 0.002
_read: dict[bytes, Schedule] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSchedule:
    """version: the one that holds. saved_by: who saved it."""

    account_id: str
    name: str
    version: int
    schedule: Schedule
    saved_at: datetime
    saved_by: str


async def schedules_of(conn: Conn, account_ids: Collection[str] | None) -> list[StoredSchedule]:
    """Return those of these accounts, None = of all."""
    return [await _stored(row) for row in await _VERSIONS.current(conn, account_ids)]


async def schedule_names(conn: Conn, account_ids: Collection[str] | None) -> list[str]:
    """Return those of these accounts, None = of all: a schedule of hundreds of people takes a while to read."""
    return await _VERSIONS.names(conn, account_ids)


async def schedule_named(conn: Conn, account_id: str, name: str) -> StoredSchedule | None:
    found = await _VERSIONS.current(conn, [account_id], name)
    return await _stored(found[0]) if found else None


async def schedule_at(conn: Conn, account_id: str, name: str, version: int) -> Schedule | None:
    """Return it as it was, also of a schedule that was removed."""
    body = await _VERSIONS.body_at(conn, account_id, name, version)
    return None if body is None else await schedule_of_json(body)


async def schedule_versions(conn: Conn, account_id: str, name: str) -> list[VersionLine]:
    """Newest first."""
    return await _VERSIONS.lines(conn, account_id, name)


async def save_schedule(
    conn: Conn, account_id: str, name: str, schedule: Schedule, by: str
) -> StoredSchedule:
    """Make it the next version, in the caller's transaction; what is the same stays as it is."""
    before = await schedule_named(conn, account_id, name)
    if before is not None and before.schedule == schedule:
        return before
    await _VERSIONS.put(conn, account_id, name, schedule.model_dump(mode="json"), by)
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
    await _VERSIONS.remove(conn, account_id, name)
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


async def schedule_of_json(body: Any) -> Schedule:
    """Read what stands in a row. What a newer program keeps there and this one does not know is left alone. A month of 500
    people is 15,000 values, each of which is checked: the last few that were read are kept, and whatever else the process
    does comes in between."""
    written = orjson.dumps(body)
    if (known := _read.pop(written, None)) is not None:
        _read[written] = known  # the newest
        return known
    plans = {name: await _plans(body[name]) for name in ("groups", "people") if body.get(name)}
    schedule = Schedule.model_validate({**body, **plans}, extra="ignore")
    _read[written] = schedule
    while len(_read) > _MOST_KEPT:
        del _read[next(iter(_read))]
    return schedule


async def _plans(written: Mapping[str, Any]) -> dict[str, WorkPlan]:
    """Return who -> plan."""
    plans, began = {}, perf_counter()
    for who, plan in written.items():
        plans[who] = WorkPlan.model_validate(plan, extra="ignore")
        if perf_counter() - began > _MOST_SECONDS_AT_ONCE:
            await asyncio.sleep(0)
            began = perf_counter()
    return plans


async def _stored(row: NamedVersion) -> StoredSchedule:
    return StoredSchedule(
        account_id=row.account_id,
        name=row.name,
        version=row.version,
        schedule=await schedule_of_json(row.body),
        saved_at=row.saved_at,
        saved_by=row.saved_by,
    )
