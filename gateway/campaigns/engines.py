"""Campaigns that a contact centre dials: looked at, numbers put in, and what became of them read back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

import aiohttp
import asyncpg
import structlog

from campaigns.engine import ENGINE_TROUBLES, EngineCampaign, EngineTrouble, after_engine
from gateway.campaigns.engine_results import take_results
from gateway.campaigns.engine_sending import EngineAt, remove_ended, send, send_again
from gateway.campaigns.refusing import refuse_open
from gateway.configuration import Snapshot
from gateway.pbx.call_log import PbxError
from gateway.pbx.capabilities import CampaignEngine, TaskPage
from gateway.pbx.connection import Connection
from gateway.pbx.kind import PbxKind
from gateway.store.campaigns import engines as store
from gateway.store.campaigns import tasks
from gateway.store.campaigns.campaigns import CampaignRow, load_of, lock_campaign, move
from gateway.store.campaigns.engines import EngineRow
from gateway.store.campaigns.tasks import TaskRow
from gateway.store.pbx_links.commands import wait_for_turn
from runtime.database.errors import may_pass
from runtime.database.pool import database_now
from runtime.loops import Loop
from runtime.trouble import Trouble

log = structlog.get_logger(__name__)

EVERY_SECONDS = 2.0
_TOGETHER = 8
_LOOK = timedelta(seconds=30)
_AGAIN: Mapping[str, timedelta] = {"edition": timedelta(minutes=10), "pbx_refused": timedelta(minutes=5)}
_TROUBLES: Mapping[str, EngineTrouble] = {code.replace("_", "-"): code for code in ENGINE_TROUBLES}
"""By the code of the PBX's error."""
_LIST_SECONDS, _A_PAGE_SECONDS, _MOST_PAGES = 60, 3, 200
_LEFT_AFTER = timedelta(seconds=60)
"""Longer than a request may take: whoever marked it is gone."""


class CampaignEngines:
    """`loop` until cancelled; any number of workers."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        session: aiohttp.ClientSession,
        snapshot: Callable[[], Snapshot],
        kinds: Mapping[str, PbxKind],
    ) -> None:
        self._pool, self._session, self._snapshot, self._kinds = pool, session, snapshot, kinds
        self._trouble = Trouble("campaign-engines")
        self.loop = Loop("campaign-engines", self.look, EVERY_SECONDS)

    async def look(self) -> None:
        """One campaign's trouble holds up no other."""
        async with self._pool.acquire() as conn:
            due = await store.take_due(conn, _TOGETHER)
        done = await asyncio.gather(*(self._attend(*one) for one in due), return_exceptions=True)
        for err in done:
            if isinstance(err, BaseException):
                if not isinstance(err, Exception):
                    raise err
                self._trouble.failed(err, is_mistake=not may_pass(err))
        if not any(done):
            self._trouble.recovered()

    async def _attend(self, row: EngineRow, campaign: CampaignRow) -> None:
        connection = self._snapshot().connections.get(campaign.settings.connection)
        kind = self._kinds.get(connection.kind) if connection else None
        engine = kind.campaigns(connection) if kind and connection else None
        if engine is None or connection is None or not connection.is_on:
            await self._give_back(row, "pbx_refused", "the connection is gone, off, or has no keys")
            return
        round = _Round(self._pool, self._session, engine, connection, row, campaign)
        try:
            await round.run()
        except PbxError as err:
            known = _TROUBLES.get(err.code, "pbx_answer_invalid")
            log.warning("campaign-engine-trouble", account=row.account_id, campaign=campaign.name, code=err.code)  # fmt: skip
            await self._give_back(round.row, known, str(err))

    async def _give_back(self, row: EngineRow, trouble: EngineTrouble, words: str) -> None:
        async with self._pool.acquire() as conn:
            due_at = await database_now(conn) + _AGAIN.get(trouble, timedelta(minutes=1))
            await store.give_back(conn, replace(row, trouble=trouble, words=words, due_at=due_at))


class _Round:
    """One look at one campaign; `row` is how it is left."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        session: aiohttp.ClientSession,
        engine: CampaignEngine,
        connection: Connection,
        row: EngineRow,
        campaign: CampaignRow,
    ) -> None:
        self._pool, self._engine, self._connection = pool, engine, connection
        self._at = EngineAt(pool, session, engine, connection, self._turn)
        self.row, self._campaign = row, campaign

    async def run(self) -> None:
        """Raise PbxError."""
        await self._turn()
        found = await self._engine.campaigns(self._at.session, self._connection)
        theirs = next((c for c in found if c.ref == self._campaign.settings.engine_ref), None)
        async with self._pool.acquire() as conn:
            now = await database_now(conn)
            await tasks.leave_lost(conn, self._campaign, _LEFT_AFTER)
        self.row = replace(self.row, looked_at=now, due_at=now + _LOOK)
        if theirs is None:
            words = f"there is no campaign {self._campaign.settings.engine_ref}"
            await self._leave(trouble="no_campaign", words=words)
            return
        absent = await self._read_results(theirs, now)
        if not await self._follow(theirs):
            await remove_ended(self._at, self._campaign, technical=True)
            await self._leave(trouble="", words=theirs.words)
            return
        sent = await send_again(self._at, self._campaign, absent) or await send(
            self._at, self._campaign, self.row.throttled
        )
        await remove_ended(self._at, self._campaign, technical=not self._campaign.kept_open.holds)
        self.row = replace(self.row, throttled=sent.throttled)
        if sent.pause_until is not None:
            self.row = replace(self.row, send_at=sent.pause_until)
        await self._leave(trouble=sent.trouble, words=sent.words or theirs.words)

    async def _leave(self, *, trouble: EngineTrouble | Literal[""], words: str) -> None:
        due_at = self.row.due_at + _AGAIN.get(trouble, timedelta(0))
        self.row = replace(self.row, trouble=trouble, words=words, due_at=due_at)
        async with self._pool.acquire() as conn:
            await store.give_back(conn, self.row)

    async def _follow(self, theirs: EngineCampaign) -> bool:
        """Let our campaign stand as theirs does; whether it takes numbers."""
        async with self._pool.acquire() as conn, conn.transaction():
            campaign = await lock_campaign(conn, self._campaign.account_id, self._campaign.name)
            if campaign is None:
                return False
            if theirs.state == "finished" or campaign.state == "stopping":
                for item_id in await tasks.clear_unsent(conn, campaign, "campaign_finished"):
                    await refuse_open(conn, campaign.name, campaign.account_id, item_id, "campaign_finished")
            load = await load_of(conn, campaign)
            step = after_engine(campaign.step, theirs.state, is_open=load.open > 0)
            if step != campaign.step and step.state != campaign.state:
                campaign = await move(conn, campaign, step)
                log.info("campaign-moved", account=campaign.account_id, campaign=campaign.name, state=campaign.state)  # fmt: skip
            self._campaign = campaign
        return campaign.state not in ("stopping", "finished")

    async def _read_results(self, theirs: EngineCampaign, now: datetime) -> list[TaskRow]:
        """Return what is to be sent once more."""
        async with self._pool.acquire() as conn:
            live = await tasks.live_tasks(conn, self._campaign)
        listed_at = self.row.listed_at
        is_due = listed_at is None or now - listed_at >= timedelta(seconds=self.row.list_seconds)
        if not is_due or not (live or theirs.state == "running"):
            return []
        found, pages, is_whole = await self._listed()
        seconds = max(_LIST_SECONDS, _A_PAGE_SECONDS * pages) if live else 5 * _LIST_SECONDS
        self.row = replace(self.row, listed_at=now, list_seconds=seconds)
        return await take_results(
            self._pool,
            self._campaign,
            found,
            asked_at=now,
            is_whole=is_whole,
            is_finished=theirs.state == "finished",
        )

    async def _listed(self) -> tuple[list[TaskPage], int, bool]:
        """All numbers, and whether they are all: a cursor that comes back ends it, too."""
        pages: list[TaskPage] = []
        cursor, seen = None, set[str]()
        for _ in range(_MOST_PAGES):
            await self._turn()
            page = await self._engine.tasks(
                self._at.session, self._connection, self._campaign.settings.engine_ref or "", cursor
            )
            pages.append(page)
            cursor = page.cursor
            if cursor is None or cursor in seen:
                break
            seen.add(cursor)
        return pages, len(pages), cursor is None and not any(page.unread for page in pages)

    async def _turn(self) -> None:
        """Wait until the vendor's limit allows another request, whichever process sends it."""
        every = timedelta(seconds=self._engine.seconds_between)
        await wait_for_turn(self._pool, self._engine.product(self._connection), "campaigns", every)
