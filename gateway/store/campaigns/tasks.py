"""Numbers that stand in a contact centre's campaigns: those the gateway put in, with their items, and those of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Literal

import asyncpg

from campaigns.engine import EngineTask, TaskEnd
from campaigns.reasons import MemberReason
from gateway.store.campaigns.campaigns import CampaignRow
from runtime.database.pool import Conn

EngineTaskState = Literal["marked", "lost", "there", "twin", "over", "foreign"]
"""marked: about to be sent. lost: sent, and no answer came. there: taken. twin: the number was there before. foreign: others'."""

_NEXT = """
SELECT i.item_id, i.client, m.name FROM outbound_item i
JOIN campaign_member m ON m.account_id = i.account_id AND m.item_id = i.item_id
WHERE i.account_id = $1 AND i.campaign = $2 AND i.state = 'held' AND i.not_before <= now() AND i.client IS NOT NULL
  AND NOT EXISTS (SELECT FROM campaign_task t WHERE t.account_id = i.account_id AND t.item_id = i.item_id)
ORDER BY i.priority, i.not_before, i.item_id LIMIT 1 FOR UPDATE OF i SKIP LOCKED
"""
_MARK = """
INSERT INTO campaign_task (account_id, campaign_id, marker, item_id, number, is_technical, state, marked_at)
VALUES ($1, $2, $3, $4, $5, $6, 'marked', now()) ON CONFLICT DO NOTHING RETURNING *
"""
# What a worker that is gone had marked may have been sent.
_LEFT = """
UPDATE campaign_task SET state = 'lost' WHERE account_id = $1 AND campaign_id = $2 AND state = 'marked' AND marked_at < now() - $3::interval
"""
_FOREIGN = """
INSERT INTO campaign_task (account_id, campaign_id, marker, number, state, task_ref, marked_at)
SELECT $1, $2, 'task:' || $2 || ':' || ref, '+' || number, 'foreign', ref, now()
FROM unnest($3::text[], $4::text[]) AS n (ref, number) ON CONFLICT DO NOTHING
"""
_UNSENT = """
SELECT i.item_id, i.source = 'trigger' AS is_triggers FROM outbound_item i
WHERE i.account_id = $1 AND i.campaign = $2 AND i.state = 'held' AND i.client IS NOT NULL AND i.reason <> 'linked'
  AND NOT EXISTS (SELECT FROM campaign_task t WHERE t.account_id = i.account_id AND t.item_id = i.item_id)
ORDER BY i.item_id LIMIT 2000 FOR UPDATE OF i SKIP LOCKED
"""
_COUNT = """
INSERT INTO campaign_hour AS h (account_id, campaign_id, hour, side, reason, n)
VALUES ($1, $2, date_trunc('hour', $3::timestamptz, 'UTC'), $4, $5, 1)
ON CONFLICT (account_id, campaign_id, hour, side, reason) DO UPDATE SET n = h.n + 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """item_id: None of the technical one, and of those that others put in. task_ref: its id there. looks: so many whole lists did
    not show it. marked_at: when it was about to be sent."""

    account_id: str
    campaign_id: str
    marker: str
    item_id: str | None
    number: str
    state: EngineTaskState
    is_technical: bool
    task_ref: str | None
    looks: int
    marked_at: datetime


_COLUMNS = tuple(field.name for field in fields(TaskRow))


async def mark_next(conn: Conn, row: CampaignRow, marker: str) -> tuple[TaskRow, str] | None:
    """Mark the next number that is to be put in; with the client's name. To be committed before it is sent."""
    async with conn.transaction():
        item = await conn.fetchrow(_NEXT, row.account_id, row.name)
        if item is None:
            return None
        made = await _mark(conn, row, marker, item["item_id"], item["client"], is_technical=False)
        return None if made is None else (made, item["name"])


async def mark_technical(conn: Conn, row: CampaignRow, marker: str, number: str) -> TaskRow | None:
    """None: there is or was one; it is never made again."""
    return await _mark(conn, row, marker, None, number, is_technical=True)


async def mark_again(conn: Conn, task: TaskRow) -> bool:
    """Before a number that was nowhere found is sent once more, by the same marker. False: nobody is to be called by it now."""
    done: str = await conn.execute(
        "UPDATE campaign_task t SET state = 'marked', marked_at = now(), looks = 0 WHERE account_id = $1 AND marker = $2"
        " AND state = 'lost' AND (is_technical OR EXISTS (SELECT FROM outbound_item i WHERE i.account_id = t.account_id"
        " AND i.item_id = t.item_id AND i.ended_at IS NULL))",
        task.account_id,
        task.marker,
    )
    return done != "UPDATE 0"


async def unmark(conn: Conn, task: TaskRow) -> None:
    """Nothing was sent, or nothing taken: it may be later."""
    await conn.execute(
        "DELETE FROM campaign_task WHERE account_id = $1 AND marker = $2 AND state = 'marked'",
        task.account_id,
        task.marker,
    )


async def leave_lost(conn: Conn, row: CampaignRow, after: timedelta) -> None:
    """Look for what was about to be sent so long ago."""
    await conn.execute(_LEFT, row.account_id, row.campaign_id, after)


async def save_task(
    conn: Conn,
    task: TaskRow,
    state: EngineTaskState,
    *,
    ref: str | None = None,
    words: str = "",
    looks: int = 0,
) -> None:
    """Write down how it stands. What is over stays so. ref: what had been noted as others' is its own; one that was
    called to its end before may be called anew there, for another item."""
    if ref is not None:
        await conn.execute(
            "DELETE FROM campaign_task WHERE account_id = $1 AND campaign_id = $2 AND task_ref = $3 AND state = 'foreign'",
            task.account_id,
            task.campaign_id,
            ref,
        )
        await conn.execute(
            "UPDATE campaign_task SET task_ref = NULL WHERE account_id = $1 AND campaign_id = $2 AND task_ref = $3"
            " AND state = 'over' AND marker <> $4",
            task.account_id,
            task.campaign_id,
            ref,
            task.marker,
        )
        await conn.execute(
            "UPDATE campaign_member SET engine_ref = $3 WHERE account_id = $1 AND item_id = $2",
            task.account_id,
            task.item_id,
            ref,
        )
    await conn.execute(
        "UPDATE campaign_task SET state = $3, task_ref = coalesce($4, task_ref), words = $5, looks = $6,"
        " over_at = CASE WHEN $3 = 'over' THEN now() END WHERE account_id = $1 AND marker = $2 AND state <> 'over'",
        task.account_id,
        task.marker,
        state,
        ref,
        words,
        looks,
    )


async def live_tasks(conn: Conn, row: CampaignRow) -> list[TaskRow]:
    """Return those of the gateway that have not come to their end."""
    found = await conn.fetch(
        "SELECT * FROM campaign_task WHERE account_id = $1 AND campaign_id = $2 AND state NOT IN ('over', 'foreign')"
        " ORDER BY marked_at, marker",
        row.account_id,
        row.campaign_id,
    )
    return [_as_task(one) for one in found]


async def tasks_to_remove(conn: Conn, row: CampaignRow, *, technical: bool, limit: int) -> list[TaskRow]:
    """Return those there whose item has ended here, so that nobody is called by them any more. technical: that one, too."""
    found = await conn.fetch(
        "SELECT t.* FROM campaign_task t LEFT JOIN outbound_item i USING (account_id, item_id) WHERE t.account_id = $1"
        " AND t.campaign_id = $2 AND t.state = 'there' AND t.task_ref IS NOT NULL"
        " AND CASE WHEN t.is_technical THEN $3 ELSE i.ended_at IS NOT NULL OR i.item_id IS NULL END ORDER BY t.marker LIMIT $4",
        row.account_id,
        row.campaign_id,
        technical,
        limit,
    )
    return [_as_task(one) for one in found]


async def note_foreign(conn: Conn, row: CampaignRow, tasks: Sequence[EngineTask]) -> None:
    """Note numbers that others put in, so that calls of theirs are known as the campaign's."""
    if tasks:
        await conn.execute(
            _FOREIGN,
            row.account_id,
            row.campaign_id,
            [task.ref for task in tasks],
            [task.number for task in tasks],
        )


async def count_tries(conn: Conn, task: TaskRow, found: EngineTask, end: TaskEnd, now: datetime) -> None:
    """Put what became of it into the campaign's figures."""
    await conn.execute(
        "UPDATE campaign_member SET tries = $3 WHERE account_id = $1 AND item_id = $2",
        task.account_id,
        task.item_id,
        found.tries,
    )
    if end.side != "unknown":
        at = found.last_at or now
        await conn.execute(_COUNT, task.account_id, task.campaign_id, at, end.side, end.reason)


async def waits_because(conn: Conn, task: TaskRow, reason: str) -> None:
    """Say why a number is not put in yet."""
    await conn.execute(
        "UPDATE outbound_item SET reason = $3 WHERE account_id = $1 AND item_id = $2 AND ended_at IS NULL",
        task.account_id,
        task.item_id,
        reason,
    )


async def clear_unsent(conn: Conn, row: CampaignRow, reason: MemberReason) -> list[str]:
    """End those that were not put in, without stage and task; return the items of those that a trigger had added, which are
    left as they are."""
    found = await conn.fetch(_UNSENT, row.account_id, row.name)
    await conn.execute(
        "UPDATE outbound_item SET state = 'cleared', reason = $3, ended_at = now() WHERE account_id = $1 AND item_id = ANY($2)",
        row.account_id,
        [one["item_id"] for one in found if not one["is_triggers"]],
        reason,
    )
    return [one["item_id"] for one in found if one["is_triggers"]]


async def _mark(
    conn: Conn, row: CampaignRow, marker: str, item_id: str | None, number: str, *, is_technical: bool
) -> TaskRow | None:
    made = await conn.fetchrow(_MARK, row.account_id, row.campaign_id, marker, item_id, number, is_technical)
    return _as_task(made) if made else None


def _as_task(row: asyncpg.Record) -> TaskRow:
    return TaskRow(**{name: row[name] for name in _COLUMNS})
