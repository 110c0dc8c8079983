"""A shop whose clients write in a messenger: the door over real HTTP, two workers, a channel of the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import asyncpg
from aiohttp import web

from gateway.calls.client_job import ClientJob
from gateway.calls.queue import Jobs, TaskKind
from gateway.channels.chat_job import ChatJob
from gateway.channels.door import ChannelDoor
from gateway.channels.files.door import FileDoor
from gateway.http.body import BodyRefused
from gateway.http.strangers import Strangers
from gateway.store.channels.channels import SavedChannel, add_channel, change_channel, saved_channels
from gateway.store.channels.updates import CHATS_TASK, sweep_chats
from routing.dialogues.rules import ChannelRules
from routing.matrix.presets import recommended
from sms.channels.port import MessengerChannel
from tests.fakes.channels.sandbox import tell
from tests.fakes.matrices import PublishedMatrix
from tests.integration.intake.office import ACCOUNT, ANNA, DEPUTY, SENIOR, UNMAPPED, Office, an_office

SECRET = "hush"
PEOPLE = (SENIOR, DEPUTY, ANNA, UNMAPPED)
RULES = ChannelRules(pipeline_id="7", stage_id="71", authors={"phone-anna": "anna", "phone-second": "second"})


@dataclass
class ChatShop:
    """office: its calls, by the same workers. url: of the door."""

    office: Office
    session: aiohttp.ClientSession
    url: str
    door: ChannelDoor

    @property
    def pool(self) -> asyncpg.Pool:
        return self.office.pool

    async def tell(self, *updates: dict[str, Any], channel: str = "c1", **more: Any) -> list[int]:
        """As the messenger would; the statuses of the answers."""
        return await tell(self.session, f"{self.url}/channels/{channel}/{SECRET}", list(updates), **more)

    async def told(self, *updates: dict[str, Any], **more: Any) -> None:
        """The messenger has told it, and the workers are done."""
        assert set(await self.tell(*updates, **more)) == {200}
        await self.idle()

    async def idle(self) -> None:
        async with self.pool.acquire() as conn, conn.transaction():
            await sweep_chats(conn)
        await self.office.idle()
        assert not await self.rows(
            "SELECT told, error FROM channel_update WHERE state IN ('pending', 'dead') AND told IS NOT NULL"
        )

    async def rows(self, sql: str, *args: object) -> list[dict[str, Any]]:
        return await self.office.rows(sql, *args)

    async def dialogues(self) -> list[dict[str, Any]]:
        return await self.rows("SELECT * FROM dialogue ORDER BY dialogue_id")

    async def messages(self) -> list[dict[str, Any]]:
        return await self.rows("SELECT * FROM chat_message ORDER BY at, sequence, message_id")

    async def texts(self) -> list[str]:
        return ["+".join(p.get("text", p["kind"]) for p in m["parts"]) for m in await self.messages()]

    async def channel(self, id: str = "c1") -> SavedChannel:
        async with self.pool.acquire() as conn:
            return next(c for c in await saved_channels(conn) if c.id == id)

    async def change(self, id: str = "c1", **changes: Any) -> None:
        saved = await self.channel(id)
        async with self.pool.acquire() as conn, conn.transaction():
            await change_channel(conn, saved, changes)

    async def connect(
        self,
        id: str,
        name: str,
        rules: ChannelRules = RULES,
        *,
        kind: str = "sandbox",
        keys: Any = None,
        **settings: Any,
    ) -> None:
        channel = MessengerChannel(
            account_id=ACCOUNT, id=id, name=name, kind=kind, keys=keys or {}, settings=settings
        )
        async with self.pool.acquire() as conn, conn.transaction():
            assert await add_channel(conn, channel, rules, secret=SECRET) is not None


@web.middleware
async def _refusing(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        answer: web.StreamResponse = await handler(request)
        return answer
    except BodyRefused as err:
        return err.answer()


@asynccontextmanager
async def a_chat_shop(pool: asyncpg.Pool, dsn: str) -> AsyncIterator[ChatShop]:
    office = await an_office(pool, dsn, workers=0)
    job = ClientJob(pool, PublishedMatrix(recommended()), now=lambda: datetime.now(UTC))
    more = [TaskKind(CHATS_TASK, ChatJob(pool, job).run, sweep_chats)]
    office.jobs = [Jobs(dsn, pool, job, concurrency=2, more=more) for _ in range(2)]
    door = ChannelDoor(pool, Strangers(), known_seconds=0)
    app = web.Application(middlewares=[_refusing], client_max_size=2**26)
    for method in ("GET", "POST"):
        app.router.add_route(method, "/channels/{channel}/{secret}", door.handle)
    app.router.add_get("/channels/files/{secret}/{name}", FileDoor(pool, Strangers()).handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    async with aiohttp.ClientSession() as session:
        shop = ChatShop(office, session, f"http://127.0.0.1:{runner.addresses[0][1]}", door)
        await shop.connect("c1", "WhatsApp «Опт»")
        office.inbox.start()
        await office.start()
        try:
            yield shop
        finally:
            await office.stop()
            await office.inbox.stop()
            await runner.cleanup()
