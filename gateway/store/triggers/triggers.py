"""Triggers as rows: the version of each that holds, its earlier ones, and since when it is on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.store.admin.audit import AuditChange, record
from gateway.store.numbered import NamedVersion, NumberedVersions, VersionLine
from routing.triggers.model import Trigger
from runtime.database.pool import Conn

_VERSIONS = NumberedVersions(holders="pipeline_trigger", versions="pipeline_trigger_version")

_ON = """
SELECT t.name, t.version, v.body, v.saved_at, v.saved_by, t.on_since FROM pipeline_trigger t
JOIN pipeline_trigger_version v USING (account_id, name, version)
WHERE t.account_id = $1 AND t.removed_at IS NULL AND t.on_since IS NOT NULL
ORDER BY (v.body->>'position')::int, t.name
"""

_SWITCH = """
UPDATE pipeline_trigger SET on_since = CASE WHEN $3 THEN coalesce(on_since, now()) END
WHERE account_id = $1 AND name = $2
"""

# What waits is as its trigger was; what a trigger that is off has started is not wanted any more. Who has come into a campaign
# is the campaign's.
_NOT_BEGUN = """
account_id = $1 AND source = 'trigger' AND "order"->>'trigger' = $2
  AND (state = 'waiting' AND kind <> 'campaign' OR state = 'held' AND client IS NULL)
"""
_DROP = f"""
UPDATE outbound_item SET state = 'dropped', reason = $3, ended_at = now() WHERE {_NOT_BEGUN}
"""  # noqa: S608 - a constant condition
_COUNT = f"""
SELECT count(*) FROM outbound_item WHERE {_NOT_BEGUN}
"""  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedTrigger:
    """version: the one that holds. saved_by: of it. on_since: only of those that are on, where they are asked for."""

    name: str
    version: int
    trigger: Trigger
    saved_at: datetime
    saved_by: str
    on_since: datetime | None = None


async def triggers_of(conn: Conn, account_id: str) -> list[SavedTrigger]:
    """Return what holds of each, in the order in which they are looked at."""
    found = [_saved(row) for row in await _VERSIONS.current(conn, [account_id])]
    return sorted(found, key=lambda s: (s.trigger.pipeline_id, s.trigger.position, s.name))


async def trigger_of(conn: Conn, account_id: str, name: str) -> SavedTrigger | None:
    found = await _VERSIONS.current(conn, [account_id], name)
    return _saved(found[0]) if found else None


async def triggers_on(conn: Conn, account_id: str) -> list[SavedTrigger]:
    rows = await conn.fetch(_ON, account_id)
    return [
        SavedTrigger(trigger=Trigger.model_validate(body), **rest)
        for body, rest in ((row["body"], {k: v for k, v in row.items() if k != "body"}) for row in rows)
    ]


async def trigger_at(conn: Conn, account_id: str, name: str, version: int) -> Trigger | None:
    """Return it as it was, removed ones too."""
    body = await _VERSIONS.body_at(conn, account_id, name, version)
    return None if body is None else Trigger.model_validate(body)


async def trigger_versions(conn: Conn, account_id: str, name: str) -> list[VersionLine]:
    """Newest first."""
    return await _VERSIONS.lines(conn, account_id, name)


async def save_trigger(conn: Conn, account_id: str, trigger: Trigger, by: str) -> SavedTrigger:
    """Make it the next version, in the caller's transaction; one that is the same stays as it is. What one that is switched off
    has put into the queue is dropped."""
    before = await trigger_of(conn, account_id, trigger.name)
    if before is not None and before.trigger == trigger:
        return before
    await _VERSIONS.put(conn, account_id, trigger.name, trigger.model_dump(mode="json"), by)
    await conn.execute(_SWITCH, account_id, trigger.name, trigger.is_on)
    if not trigger.is_on:
        await conn.execute(_DROP, account_id, trigger.name, "switched_off")
    await _told(conn, account_id, trigger.name, before, trigger)
    saved = await trigger_of(conn, account_id, trigger.name)
    assert saved is not None
    return saved


async def remove_trigger(conn: Conn, account_id: str, name: str) -> bool:
    """Whether there was one. What it has put into the queue is dropped; what it fired on stays told."""
    before = await trigger_of(conn, account_id, name)
    if before is None:
        return False
    await _VERSIONS.remove(conn, account_id, name)
    await conn.execute(_SWITCH, account_id, name, False)
    await conn.execute(_DROP, account_id, name, "removed")
    await _told(conn, account_id, name, before, None)
    return True


async def waiting_of_trigger(conn: Conn, account_id: str, name: str) -> int:
    """Return how much of what it has put into the queue would be dropped with it."""
    count: int = await conn.fetchval(_COUNT, account_id, name)
    return count


async def _told(
    conn: Conn, account_id: str, name: str, before: SavedTrigger | None, after: Trigger | None
) -> None:
    action = "removed" if after is None else "changed" if before else "added"
    change = AuditChange(
        what="trigger",
        object=name,
        action=action,
        account_id=account_id,
        before=before.trigger.model_dump(mode="json") if before else None,
        after=after.model_dump(mode="json") if after else None,
    )
    await record(conn, change)


def _saved(row: NamedVersion) -> SavedTrigger:
    return SavedTrigger(
        name=row.name,
        version=row.version,
        trigger=Trigger.model_validate(row.body),
        saved_at=row.saved_at,
        saved_by=row.saved_by,
    )
