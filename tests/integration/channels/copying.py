"""Dialogues in PostgreSQL, a channel of the sandbox, a copier, a writer and a CRM in memory; time is what the test says."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from crm.effects.store.work import PgEffects
from crm.effects.writer import Writer
from crm.lane import Lane
from crm.port import CrmNote
from crm.store.directory import apply_entities
from gateway.calls.client_job import ClientJob
from gateway.channels.chat_job import ChatJob
from gateway.channels.copier import Copier
from gateway.channels.intake import take_channel_news
from gateway.store.admin.accounts import add_account
from gateway.store.admin.staff import replace_staff
from gateway.store.channels.channels import SavedChannel, add_channel, change_channel, saved_channels
from gateway.store.channels.dialogues import dialogue
from gateway.store.channels.messages import ChatMessage
from gateway.store.channels.outgoing import add_outgoing
from routing.client import EntityKind
from routing.dialogues.rules import ChannelRules
from routing.matrix.presets import recommended
from routing.settings import AccountSettings, NumberPolicy
from routing.texts.catalogue import Language
from sms.channels.model import PartKind, PartTold
from sms.channels.port import MessengerChannel
from sms.channels.sandbox.wire import parse_news
from tests.fakes.channels.sandbox import body_of, client_message
from tests.fakes.crm import FakeCrm
from tests.fakes.lease import FakeLease
from tests.fakes.matrices import PublishedMatrix
from tests.integration.intake.office import ACCOUNT, ANNA, CLIENT, SENIOR

CHANNEL = "c1"


def utc(*told: int) -> datetime:
    return datetime(*told, tzinfo=UTC)  # type: ignore[arg-type,misc]


class CopyBench:
    """now: the virtual time of everything."""

    def __init__(self, pool: asyncpg.Pool, now: datetime) -> None:
        self.pool, self.now = pool, now
        self.crm = FakeCrm(clock=lambda: self.now)
        clients = ClientJob(pool, PublishedMatrix(recommended()), now=lambda: self.now)
        self.jobs = ChatJob(pool, clients)
        self.copier = self.new_copier()
        self.writer = self.new_writer()

    async def begin(
        self, rules: ChannelRules, time_zone: str = "Europe/Moscow", language: Language = "ru"
    ) -> None:
        channel = MessengerChannel(
            account_id=ACCOUNT, id=CHANNEL, name="WhatsApp", kind="sandbox", keys={}, settings={}
        )
        async with self.pool.acquire() as conn, conn.transaction():
            await add_account(
                conn,
                account_id=ACCOUNT,
                name="Shop",
                base_url="http://127.0.0.1:1",
                time_zone=time_zone,
                settings=AccountSettings(language=language),
            )
            await replace_staff(conn, ACCOUNT, [SENIOR, ANNA])
            assert await add_channel(conn, channel, rules, secret="hush")

    def new_copier(self) -> Copier:
        return Copier(self.pool, ACCOUNT, CHANNEL, lambda: self.now)

    def new_writer(self) -> Writer:
        effects = PgEffects(self.pool, ACCOUNT, NumberPolicy)
        return Writer(
            self.crm, effects, ACCOUNT, FakeLease(), self.catch_up, now=lambda: self.now, random=lambda: 0.5
        )

    async def channel(self) -> SavedChannel:
        async with self.pool.acquire() as conn:
            return (await saved_channels(conn))[0]

    async def change(self, **rules: Any) -> None:
        saved = await self.channel()
        async with self.pool.acquire() as conn, conn.transaction():
            await change_channel(conn, saved, {"rules": saved.rules.model_copy(update=rules)})

    async def told(self, *updates: dict[str, Any]) -> None:
        """The messenger tells it now, the worker is done with it, and the copier has looked."""
        saved = await self.channel()
        async with self.pool.acquire() as conn, conn.transaction():
            await take_channel_news(conn, saved, [saved], parse_news(body_of(updates)), self.now)
        for row in await self.pool.fetch(
            "SELECT DISTINCT client_key FROM channel_update WHERE state = 'pending'"
        ):
            await self.jobs.run(ACCOUNT, row["client_key"])
        assert not await self.pool.fetchval("SELECT count(*) FROM channel_update WHERE state = 'dead'")
        await self.copier.turn()

    async def says(
        self, id: str, text: str, at: datetime | None = None, *, chat: str = "7", **more: Any
    ) -> None:
        """A client writes, at this time; it comes now."""
        phone = f"{CLIENT[:-2]}{int(chat):02}"
        said_at = (at or self.now).isoformat()
        await self.told(
            client_message(id, chat, text, phone=phone, name=f"Клиент {chat}", at=said_at, **more)
        )

    async def edits(self, id: str, text: str, said_at: datetime, *, chat: str = "7") -> None:
        edit = {"id": f"{id}-{text}", "at": self.now.isoformat()}
        await self.says(id, text, said_at, chat=chat, edit=edit)

    async def deletes(self, id: str) -> None:
        await self.told({"told": "deleted", "ids": [id], "at": self.now.isoformat()})

    async def writes(self, key: str, text: str) -> ChatMessage:
        """Anna orders a message; it waits to be sent."""
        async with self.pool.acquire() as conn, conn.transaction():
            id = await conn.fetchval("SELECT dialogue_id FROM dialogue ORDER BY dialogue_id LIMIT 1")
            of = await dialogue(conn, ACCOUNT, id)
            assert of is not None
            added = await add_outgoing(
                conn,
                of,
                own_key=key,
                part=PartTold(kind=PartKind.TEXT, text=text),
                author_kind="employee",
                author_name="",
                employee_id="anna",
                quoted_id="",
                now=self.now,
            )
        assert added is not None
        return added

    async def turn(self) -> None:
        """The copier looks, and the writer sends what waits."""
        await self.copier.turn()
        await self.send()

    async def send(self) -> None:
        await self.pool.execute(
            "UPDATE effect SET created_at = $1 WHERE created_at > $1::timestamptz + interval '1 day'",
            self.now,
        )
        known = len(self.crm.all("deal"))
        await self.writer.drain()
        if len(self.crm.all("deal")) != known:  # the directory is told of what is new, as by the webhooks
            await self.catch_up(Lane.SYNC, ["contact", "deal"])

    async def at(self, now: datetime) -> None:
        """Let the time come, and everybody work."""
        self.now = now
        await self.turn()

    async def passes(self, **delta: float) -> None:
        await self.at(self.now + timedelta(**delta))

    def notes(self) -> list[CrmNote]:
        return sorted(self.crm.all_notes(), key=lambda note: int(note.id))

    def texts(self) -> list[str]:
        return [note.text or "" for note in self.notes()]

    def counts(self) -> tuple[int, int]:
        """How many requests there were that add notes, and that change them."""
        return self.crm.count("add_notes"), self.crm.count("change_notes")

    async def catch_up(self, lane: Lane, kinds: Collection[EntityKind]) -> bool:
        found = [entity for kind in kinds for entity in self.crm.all(kind)]
        async with self.pool.acquire() as conn, conn.transaction():
            await apply_entities(conn, ACCOUNT, found, NumberPolicy())
        return False
