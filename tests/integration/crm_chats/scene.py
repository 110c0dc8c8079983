"""A chat shop whose CRM is the sandbox: dialogues show in its chats, and people write in its cards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import aiohttp
import asyncpg
from aiohttp import web

from crm.amocrm.chats.client import ChatChannel, CrmChats
from crm.amocrm.chats.links import ChatLinks
from crm.amocrm.client import AmoClient
from crm.amocrm.transport import Transport
from crm.budget import Budget
from crm.kinds import CrmChatMessage
from crm.sandbox.chat_ids import AMOJO_ID
from crm.sandbox.control.chats import BOT_ID, CHANNEL_ID, SECRET
from crm.sandbox.sample_account import OPEN_STAGES, PIPELINE, SENIOR, manager
from crm.sandbox.server import Sandbox
from gateway.calls.client_job import ClientJob
from gateway.channels.sender import ChannelSender
from gateway.crm_chats.account import AskedChats, AskedLinks
from gateway.crm_chats.connection import channel_of
from gateway.crm_chats.door import CrmChatDoor
from gateway.crm_chats.work import AccountChats
from gateway.http.body import BodyRefused
from gateway.http.strangers import Strangers
from gateway.store.admin.staff import replace_staff
from gateway.store.channels.access import set_rights
from gateway.store.crm_chats.channels import CrmChatChannel, keep_crm_chat_channel
from routing.matrix.presets import recommended
from routing.settings import DialoguePolicy
from routing.staff import Employee
from sms.channels.kinds import CHANNEL_KINDS
from tests.fakes.channels.sandbox import FakeMessenger
from tests.fakes.matrices import PublishedMatrix
from tests.fakes.sms.server import serving
from tests.fakes.tokens import FixedToken
from tests.integration.channels.shop import ChatShop, a_chat_shop
from tests.integration.intake.office import ACCOUNT
from tests.integration.sandbox.client import FAST, Api
from tests.integration.sms_sending.desk import AlwaysHeld

ANNA = Employee(id="anna", name="Анна Менеджер", crm_user_id=str(manager(101)), extensions=("101",))
PETR = Employee(id="second", name="Пётр Второй", crm_user_id=str(manager(102)), extensions=("102",))
BOSS = Employee(id="boss", name="Ольга", crm_user_id=str(SENIOR), extensions=("100",), is_senior=True)


class Killed(BaseException):
    """The process is gone."""


@dataclass
class MortalChats:
    """The chats as a process asks them that dies: after its n-th request was carried out (`dies_after`), or before it goes out."""

    chats: CrmChats
    dies_after: int = 0
    dies_before: int = 0
    asked: list[str] = field(default_factory=list)

    async def _done(self, name: str, doing: Any) -> Any:
        self.asked.append(name)
        if len(self.asked) == self.dies_before:
            doing.close()
            raise Killed
        result = await doing
        if len(self.asked) == self.dies_after:
            raise Killed
        return result

    async def connect(self, *a: Any) -> Any:
        return await self._done("connect", self.chats.connect(*a))

    async def disconnect(self) -> Any:
        return await self._done("disconnect", self.chats.disconnect())

    async def chat(self, *a: Any) -> Any:
        return await self._done("chat", self.chats.chat(*a))

    async def show(self, scope: str, message: CrmChatMessage) -> str:
        return str(await self._done("show", self.chats.show(scope, message)))

    async def edit(self, *a: Any) -> Any:
        return await self._done("edit", self.chats.edit(*a))

    async def tell_status(self, *a: Any) -> Any:
        return await self._done("tell_status", self.chats.tell_status(*a))

    async def find(self, *a: Any) -> Any:
        return await self._done("find", self.chats.find(*a))


@dataclass
class MortalLinks:
    links: ChatLinks
    dies_after_binding: bool = False

    async def bind(self, *a: Any) -> None:
        await self.links.bind(*a)
        if self.dies_after_binding:
            raise Killed

    async def account_id(self, *a: Any) -> str:
        return await self.links.account_id(*a)

    async def people(self, *a: Any) -> Any:
        return await self.links.people(*a)


@dataclass
class CardShop:
    """shop: its messengers and workers. api: its CRM. door_url: where the CRM tells what is written in cards."""

    shop: ChatShop
    api: Api
    messenger: FakeMessenger
    door: CrmChatDoor
    door_url: str
    now: datetime | None = None

    @property
    def pool(self) -> asyncpg.Pool:
        return self.shop.pool

    def clock(self) -> datetime:
        return self.now or datetime.now(UTC)

    def links(self) -> ChatLinks:
        token = FixedToken(self.api.sandbox.url, self.api.token)
        return ChatLinks(AmoClient(Transport(self.api.session), token, Budget(1000)))

    def chats(self, channel: ChatChannel) -> CrmChats:
        return CrmChats(self.api.session, self.api.sandbox.url, channel, apart_seconds=0)

    def worker(self, links: AskedLinks | None = None, chats: AskedChats | None = None) -> AccountChats:
        """What a worker process does for the account's chats."""

        def opened(held: CrmChatChannel) -> AskedChats:
            return chats or self.chats(channel_of(held))

        job = ClientJob(self.pool, PublishedMatrix(recommended()), now=self.clock)
        return AccountChats(self.pool, ACCOUNT, links or self.links(), opened, job, self.clock)

    def mortal(self, *, dies_after: int = 0, dies_before: int = 0) -> MortalChats:
        channel = ChatChannel(channel_id=CHANNEL_ID, secret=SECRET, amojo_id=AMOJO_ID, bot_id=BOT_ID)
        return MortalChats(self.chats(channel), dies_after, dies_before)

    async def turns(self, worker: AccountChats | None = None) -> None:
        worker = worker or self.worker()
        for _ in range(50):
            if not await worker.turn():
                return
        raise AssertionError("it never ends")

    async def switch(self, *, on: bool) -> None:
        await self.shop.office.change_settings(dialogues=DialoguePolicy(in_crm=on))

    async def says(self, *updates: dict[str, Any]) -> None:
        """The client has said it, and contact and deal stand in the CRM."""
        await self.shop.told(*updates)
        await self.placed()

    async def placed(self) -> None:
        """What was ordered is made in the CRM."""
        for row in await self.shop.office.effects("create_contact", "create_deal"):
            if row["state"] == "waiting":
                await self._made(row)

    async def _made(self, row: dict[str, Any]) -> None:
        told = row["ordered"]
        if row["what"] == "create_contact":
            id = await self.api.make("contacts", name=told["name"])
        else:
            id = await self.api.make(
                "leads", name=told["name"], pipeline_id=PIPELINE, status_id=OPEN_STAGES[0]
            )
            contact = told["contact"]
            made = {e["effect_key"]: e["crm_id"] for e in await self.shop.office.effects("create_contact")}
            link = [
                {"to_entity_id": int(contact["id"] or made[contact["effect"]]), "to_entity_type": "contacts"}
            ]
            assert (await self.api.post(f"leads/{id}/link", link)).status == 200
        await self.pool.execute(
            "UPDATE effect SET state = 'done', done_at = now(), attempts = 1, crm_id = $2 WHERE effect_key = $1",
            row["effect_key"],
            str(id),
        )

    async def sends(self) -> None:
        """The channel's sender has its turn."""
        saved = await self.shop.channel()
        kind = CHANNEL_KINDS["sandbox"]
        channel = kind.open(self.shop.session, saved.channel)
        sender = ChannelSender(self.pool, saved, kind, channel, AlwaysHeld(), partial(datetime.now, UTC))
        await sender.turn()
        await sender.close()

    async def card(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = await self.api.control("chats")
        return found

    async def shown(self) -> list[str]:
        """What stands in the card."""
        return [row["message"]["text"] for row in (await self.card())["messages"]]

    async def requests_in_unsorted(self) -> int:
        return len(await self.api.rows("unsorted"))

    async def answers(
        self, text: str = "Добрый день", user: int = manager(101), **more: Any
    ) -> dict[str, Any]:
        """Somebody writes in the card."""
        chat = (await self.card())["chats"][0]
        told: dict[str, Any] = await self.api.control(
            "chats/answer", {"chat_id": chat["chat_id"], "text": text, "user": user, **more}
        )
        return told

    async def give(self, **rights: str) -> None:
        async with self.pool.acquire() as conn, conn.transaction():
            await set_rights(conn, ACCOUNT, "c1", rights)  # type: ignore[arg-type]

    async def rows(self, sql: str, *args: object) -> list[dict[str, Any]]:
        return await self.shop.rows(sql, *args)


@web.middleware
async def _refusing(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        answer: web.StreamResponse = await handler(request)
        return answer
    except BodyRefused as err:
        return err.answer()


@asynccontextmanager
async def a_card_shop(pool: asyncpg.Pool, dsn: str) -> AsyncIterator[CardShop]:
    door = CrmChatDoor(pool, Strangers(), known_seconds=0)
    app = web.Application(middlewares=[_refusing], client_max_size=2**26)
    app.router.add_post("/crm/chats/{scope_id}", door.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/crm/chats/:scope_id"
    try:
        async with (
            Sandbox(contacts=5, profile=FAST) as sandbox,
            aiohttp.ClientSession() as session,
            a_chat_shop(pool, dsn) as shop,
            serving(FakeMessenger()) as messenger,
        ):
            cards = CardShop(shop, Api(sandbox, session), messenger, door, url)
            await _begin(cards)
            yield cards
    finally:
        await runner.cleanup()


async def _begin(cards: CardShop) -> None:
    await cards.api.control("chats/channels", {"hook": cards.door_url})
    await cards.shop.change(settings={"base_url": cards.messenger.url, "answer_seconds": "1"})
    async with cards.pool.acquire() as conn, conn.transaction():
        await replace_staff(conn, ACCOUNT, (BOSS, PETR, ANNA))
        await keep_crm_chat_channel(
            conn, ACCOUNT, channel_id=CHANNEL_ID, secret=SECRET, bot_id=BOT_ID, amojo_id=""
        )
        await conn.execute("UPDATE account SET base_url = $1", cards.api.sandbox.url)
    await cards.give(anna="send", second="read")
    await cards.switch(on=True)
