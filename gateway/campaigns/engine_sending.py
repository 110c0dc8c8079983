"""Numbers on their way into a contact centre's campaign: marked, sent once, and taken out again where their item has ended."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import aiohttp
import asyncpg
import structlog

from campaigns.engine import (
    AddResult,
    NewTask,
    TaskAdded,
    TaskRefused,
    TaskThere,
    TaskThrottled,
    TaskUnknown,
)
from gateway.campaigns.refusing import refuse_open
from gateway.pbx.capabilities import CampaignEngine
from gateway.pbx.connection import Connection
from gateway.store.campaigns import tasks as store
from gateway.store.campaigns.campaigns import CampaignRow
from gateway.store.campaigns.tasks import TaskRow
from runtime.backoff import grown_pause
from runtime.database.pool import Conn, database_now

log = structlog.get_logger(__name__)

_IN_A_ROUND = 100
_LATER = timedelta(minutes=10)
_FIRST_PAUSE, _LONGEST_PAUSE = 5, 300
_NEVER_CALLED = timedelta(days=365)
"""The technical number is the company's own: it only has to stand there."""


class EngineAt(NamedTuple):
    """One contact centre, and how its limit of requests is kept."""

    pool: asyncpg.Pool
    session: aiohttp.ClientSession
    engine: CampaignEngine
    connection: Connection
    turn: Callable[[], Awaitable[None]]


class SentNumbers(NamedTuple):
    """pause_until: nothing is to be sent before. throttled: so often in a row it was asked too often. words: the vendor's, where
    it takes nothing now."""

    throttled: int = 0
    pause_until: datetime | None = None
    trouble: Literal["edition", ""] = ""
    words: str = ""


async def send(at: EngineAt, campaign: CampaignRow, throttled: int) -> SentNumbers:
    """Put in what is to be put in, one after the other, until there is no more or nothing more is taken."""
    for _ in range(_IN_A_ROUND):
        async with at.pool.acquire() as conn:
            found = await store.mark_next(conn, campaign, str(uuid.uuid4()))
        if found is None:
            break
        if stop := await _send_one(at, campaign, *found, throttled):
            return stop
        throttled = 0
    technical = await _technical(at, campaign)
    if technical is not None and (stop := await _send_one(at, campaign, technical, "", throttled)):
        return stop
    return SentNumbers(throttled=throttled)


async def send_again(at: EngineAt, campaign: CampaignRow, absent: Sequence[TaskRow]) -> SentNumbers | None:
    """Send what was nowhere found once more, by the same marker; whether and why nothing more is to be sent now."""
    for task in absent:
        async with at.pool.acquire() as conn:
            if not await store.mark_again(conn, task):
                await store.save_task(conn, task, "over", words="not sent")
                continue
        if stop := await _send_one(at, campaign, task, "", 0):
            return stop
    return None


async def remove_ended(at: EngineAt, campaign: CampaignRow, *, technical: bool) -> None:
    """Take out numbers whose item has ended here. What is on the line just now stays, and is looked at again. Raises PbxError."""
    async with at.pool.acquire() as conn:
        found = await store.tasks_to_remove(conn, campaign, technical=technical, limit=_IN_A_ROUND)
    for task in found:
        await at.turn()
        ref = campaign.settings.engine_ref or ""
        if await at.engine.remove(at.session, at.connection, ref, task.task_ref or ""):
            async with at.pool.acquire() as conn:
                await store.save_task(conn, task, "over", words="taken out")


async def _technical(at: EngineAt, campaign: CampaignRow) -> TaskRow | None:
    """Mark the technical number once the first one of a trigger is in; the lines of the connection are the company's own."""
    if not campaign.kept_open.holds or not at.connection.lines:
        return None
    async with at.pool.acquire() as conn:
        return await store.mark_technical(conn, campaign, str(uuid.uuid4()), at.connection.lines[0])


async def _send_one(
    at: EngineAt, campaign: CampaignRow, task: TaskRow, name: str, throttled: int
) -> SentNumbers | None:
    """Send it; whether and why nothing more is to be sent now."""
    await at.turn()
    async with at.pool.acquire() as conn:
        now = await database_now(conn)
    order = NewTask(
        campaign=campaign.settings.engine_ref or "",
        marker=task.marker,
        number=task.number,
        name=name or (campaign.name if task.is_technical else ""),
        not_before=now + _NEVER_CALLED if task.is_technical else None,
        is_endless=campaign.settings.endless,
    )
    result = await at.engine.add(at.session, at.connection, order)
    async with at.pool.acquire() as conn, conn.transaction():
        return await _taken(conn, campaign, task, result, throttled)


async def _taken(
    conn: Conn, campaign: CampaignRow, task: TaskRow, result: AddResult, throttled: int
) -> SentNumbers | None:
    now = await database_now(conn)
    match result:
        case TaskAdded(ref=ref):
            await store.save_task(conn, task, "there", ref=ref)
        case TaskThere(words=words):
            await store.save_task(conn, task, "twin", words=words)
        case TaskUnknown(why=why):
            log.warning("campaign-number-unknown", account=campaign.account_id, campaign=campaign.name, why=why)  # fmt: skip
            await store.save_task(conn, task, "lost", words=why)
            return SentNumbers(pause_until=now + timedelta(seconds=_FIRST_PAUSE))
        case TaskThrottled(after=after):
            await store.unmark(conn, task)
            seconds = max(grown_pause(throttled + 1, _FIRST_PAUSE, _LONGEST_PAUSE), after or 0)
            return SentNumbers(throttled=throttled + 1, pause_until=now + timedelta(seconds=seconds))
        case TaskRefused():
            return await _refused(conn, campaign, task, result, now)
    return None


async def _refused(
    conn: Conn, campaign: CampaignRow, task: TaskRow, refused: TaskRefused, now: datetime
) -> SentNumbers | None:
    log.warning("campaign-number-refused", account=campaign.account_id, campaign=campaign.name, words=refused.words)  # fmt: skip
    if refused.concerns == "later":
        await store.waits_because(conn, task, refused.reason)
        await store.unmark(conn, task)
        return SentNumbers(pause_until=now + _LATER, words=refused.words)
    if task.is_technical and refused.concerns != "number":
        await store.unmark(conn, task)
    await store.save_task(conn, task, "over", words=refused.words)
    await refuse_open(conn, campaign.name, task.account_id, task.item_id, refused.reason)
    if refused.concerns == "number":
        return None
    trouble: Literal["edition", ""] = "edition" if refused.reason == "edition" else ""
    return SentNumbers(
        pause_until=now + timedelta(seconds=_FIRST_PAUSE), trouble=trouble, words=refused.words
    )
