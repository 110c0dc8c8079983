"""What became of numbers in a contact centre's campaign: its lists are read, and items end with their effects, each once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg
import structlog

from campaigns.engine import LOOKS, EngineTask, TaskEnd, end_of, when_absent
from campaigns.keep_open import removed
from gateway.campaigns.refusing import refuse_open
from gateway.outbound.ending import end_with_effects
from gateway.pbx.capabilities import TaskPage
from gateway.store.admin.staff import staff_of
from gateway.store.campaigns import tasks as store
from gateway.store.campaigns.campaigns import CampaignRow, keep_open, lock_campaign
from gateway.store.campaigns.tasks import TaskRow
from gateway.store.outbound.items import lock
from runtime.database.pool import Conn, database_now

log = structlog.get_logger(__name__)

_FRESH = timedelta(seconds=10)
"""What was sent so shortly before a list was asked for need not stand in it."""
_CLEARED = TaskEnd("cleared", "campaign_finished", "unknown")
_NOBODY_KNOWS = TaskEnd("unknown", "never_heard_of", "unknown")


class _Listed:
    """All numbers that a campaign has there, by how they are looked for."""

    def __init__(self, pages: Sequence[TaskPage]) -> None:
        self.all = [task for page in pages for task in page.tasks]
        self._by_ref = {task.ref: task for task in self.all}
        self._marked = [task for task in self.all if task.comment]

    def of(self, task: TaskRow) -> EngineTask | None:
        """Return the one that is ours; of a number that was there before, the one that is still to be called."""
        if task.task_ref is not None:
            return self._by_ref.get(task.task_ref)
        found = next((one for one in self._marked if task.marker in one.comment), None)
        if found is not None or task.state != "twin":
            return found
        number = task.number.removeprefix("+")
        return next((one for one in reversed(self.all) if one.number == number and end_of(one) is None), None)


async def take_results(
    pool: asyncpg.Pool,
    campaign: CampaignRow,
    pages: Sequence[TaskPage],
    *,
    asked_at: datetime,
    is_whole: bool,
    is_finished: bool,
) -> list[TaskRow]:
    """Settle what has come to its end; return what is to be sent once more, since it is nowhere. asked_at: when the list was. is_finished: nobody of the campaign is called any more."""
    listed = _Listed(pages)
    absent: list[TaskRow] = []
    async with pool.acquire() as conn:
        live = await store.live_tasks(conn, campaign)
        known = {task.ref for row in live if (task := listed.of(row)) is not None}
        await store.note_foreign(conn, campaign, [t for t in listed.all if t.ref not in known and t.number])
        for row in live:
            found = listed.of(row)
            async with conn.transaction():
                if found is not None:
                    await _found(conn, campaign, row, found, is_finished=is_finished)
                elif (
                    is_whole
                    and asked_at - row.marked_at >= _FRESH
                    and await _absent(conn, row, asked_at, campaign)
                ):
                    absent.append(row)
    return absent


async def _found(
    conn: Conn, campaign: CampaignRow, row: TaskRow, task: EngineTask, *, is_finished: bool
) -> None:
    end = end_of(task)
    if end is None and is_finished and task.standing in ("waits", "stopped"):
        end = _CLEARED
    if end is None:
        await store.save_task(conn, row, "there", ref=task.ref, words=task.words)
        return
    await store.save_task(conn, row, "over", ref=task.ref, words=task.words)
    if row.is_technical:
        await _technical_gone(conn, campaign)
        return
    if await _end(conn, row, end):
        await store.count_tries(conn, row, task, end, await database_now(conn))


async def _absent(conn: Conn, row: TaskRow, asked_at: datetime, campaign: CampaignRow) -> bool:
    """Whether it is to be sent once more."""
    looks = row.looks + 1
    is_answered = row.state in ("there", "twin")
    then = when_absent(is_answered=is_answered, looks=looks, age=asked_at - row.marked_at)
    if row.state == "twin" and looks >= LOOKS:  # it was there, and was called to the end before
        await store.save_task(conn, row, "over", words="the number was called there before")
        await refuse_open(conn, campaign.name, row.account_id, row.item_id, "engine_refused")
    elif then == "gone":
        await store.save_task(conn, row, "over", words="it is in no list")
        await (_technical_gone(conn, campaign) if row.is_technical else _end(conn, row, _NOBODY_KNOWS))
    elif row.state != "marked":
        await store.save_task(conn, row, row.state, looks=looks)
    return then == "send_again" and row.state == "lost"


async def _end(conn: Conn, row: TaskRow, end: TaskEnd) -> bool:
    item = await lock(conn, row.account_id, row.item_id or "")
    if item is None:
        return False
    now = await database_now(conn)
    ended = await end_with_effects(
        conn, await staff_of(conn, row.account_id), item, end.state, end.reason, now
    )
    log.info("campaign-number-over", account=row.account_id, item=item.item_id, state=end.state, reason=end.reason)  # fmt: skip
    return ended


async def _technical_gone(conn: Conn, campaign: CampaignRow) -> None:
    """Somebody took it out there, which does no harm; it is never made again."""
    row = await lock_campaign(conn, campaign.account_id, campaign.name)
    if row is not None:
        await keep_open(conn, row, removed(row.kept_open, await database_now(conn)))
