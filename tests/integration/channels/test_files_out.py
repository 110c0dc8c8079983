"""Files that are written go out once with their text: by content, or from an address of ours that leads nowhere a little later."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import aiohttp
import pytest

from gateway.channels.accepting import KeyOfAnother, NotTaken
from gateway.channels.sender import ChannelSender
from gateway.channels.written import WrittenFile
from gateway.store.channels.files import delete_chat_files
from gateway.store.channels.messages import ChatMessage
from routing.dialogues.access import Onlooker
from sms.channels.kinds import CHANNEL_KINDS
from tests.fakes.channels.telegram import TOKEN, FakeTelegram, update
from tests.fakes.channels.wazzup import API_KEY, CHANNEL, FakeWazzup
from tests.fakes.sms.server import serving
from tests.integration.channels.shop import SECRET, ChatShop
from tests.integration.channels.test_files_in import PNG
from tests.integration.channels.test_sending import sending, state, turned, write
from tests.integration.intake.office import ACCOUNT
from tests.integration.sms_sending.desk import AlwaysHeld

PICTURE = WrittenFile(name="Смета №1.png", content=PNG)
WRITES = Onlooker(employee_id="anna", rights={"c1": "send", "cw": "send", "ct": "send"})


@asynccontextmanager
async def a_sender(shop: ChatShop, id: str) -> AsyncIterator[ChannelSender]:
    async with aiohttp.ClientSession() as session:
        saved = await shop.channel(id)
        kind = CHANNEL_KINDS[saved.channel.kind]
        channel = kind.open(session, saved.channel)
        now = partial(datetime.now, UTC)
        yield ChannelSender(shop.pool, saved, kind, channel, AlwaysHeld(), now, public_url=shop.url)


async def post(shop: ChatShop, id: str, body: dict[str, Any]) -> None:
    async with shop.session.post(f"{shop.url}/channels/{id}/{SECRET}", json=body) as answer:
        assert answer.status == 200
    await shop.idle()


async def test_case_45_text_and_file_are_one_message_where_there_are_captions_and_are_sent_once(
    shop: ChatShop,
) -> None:
    async with sending(shop) as (fake, sender):
        first = await write(shop, "k1", "Вот смета", file=PICTURE)
        again = await write(shop, "k1", "Вот смета", file=PICTURE)
        assert isinstance(first, ChatMessage)
        assert isinstance(again, ChatMessage)
        assert first.message_id == again.message_id
        with pytest.raises(KeyOfAnother):
            await write(shop, "k1", "Вот смета", file=WrittenFile(name="other.png", content=PNG))
        await turned(sender)
        await turned(sender)
        assert [(m.text, m.file) for m in fake.messages] == [("Вот смета", PNG)]
        assert await state(shop, "k1") == ("sent", "", "s1")
        (part,) = first.parts
        assert (part.kind, part.text, part.file.name if part.file else "") == (
            "image",
            "Вот смета",
            PICTURE.name,
        )
        # A text that is no caption any more goes first, by itself.
        await write(shop, "k2", "а" * 1025, file=PICTURE)
        await write(shop, "k2", "а" * 1025, file=PICTURE)
        for _ in range(2):
            await turned(sender)
        assert [(len(m.text), m.file) for m in fake.messages[1:]] == [(1025, b""), (0, PNG)]
        # What the messenger would refuse is refused before.
        assert await write(shop, "k3", file=WrittenFile(name="x", content=bytes(20 * 2**20 + 1))) == NotTaken(
            "file-too-large"
        )
        assert await write(shop, "k4", file=WrittenFile(name="x", content=b"")) == NotTaken("empty")
        # A file whose days ended before it went out is not sent as nothing.
        await write(shop, "k5", "", file=PICTURE)
        await shop.pool.execute(
            "DELETE FROM chat_file WHERE message_id = (SELECT message_id FROM chat_message WHERE own_key = 'k5')"
        )
        await turned(sender)
    assert await state(shop, "k5") == ("refused", "file-unreadable", None)


async def test_case_45_wazzup_is_given_the_text_and_then_an_address_that_nobody_can_guess(
    shop: ChatShop,
) -> None:
    async with serving(FakeWazzup(fetches=True)) as fake:
        keys = {"api_key": API_KEY}
        await shop.connect(
            "cw",
            "Wazzup",
            kind="wazzup",
            keys=keys,
            base_url=fake.url,
            channel_id=CHANNEL,
            transport="whatsapp",
        )
        told = {
            "messageId": "w-in",
            "channelId": CHANNEL,
            "chatType": "whatsapp",
            "chatId": "79161234567",
            "text": "?",
            "type": "text",
        }
        await post(
            shop, "cw", {"messages": [{**told, "status": "inbound", "dateTime": "2026-03-02T07:01:07.000Z"}]}
        )
        async with a_sender(shop, "cw") as sender:
            assert isinstance(
                await write(shop, "k1", "Вот смета", WRITES, chat="79161234567", file=PICTURE), ChatMessage
            )
            for _ in range(2):
                await turned(sender)
        text, file = fake.messages
        assert (text["text"], "contentUri" in text) == ("Вот смета", False)
        assert "text" not in file
        assert fake.files == [(PNG, "image/png")]
        address = file["contentUri"]
        assert address.startswith(f"{shop.url}/channels/files/")
        assert len(address.split("/")[-2]) >= 32
        async with shop.session.get(address, headers={"Range": "bytes=0-3"}) as answer:
            assert (answer.status, await answer.read(), answer.headers["Content-Range"]) == (
                206,
                PNG[:4],
                f"bytes 0-3/{len(PNG)}",
            )
        async with shop.session.get(address.replace("/files/", "/files/x")) as answer:
            assert answer.status == 404
        stored = await shop.rows("SELECT link_hash FROM chat_file")
        assert all(row["link_hash"] not in address for row in stored)
        await shop.pool.execute("UPDATE chat_file SET link_until = now() - interval '1 second'")
        async with shop.session.get(address) as answer:
            assert answer.status == 404
    statuses = {m["own_key"]: m["status"] for m in await shop.messages() if m["direction"] == "out"}
    assert set(statuses.values()) == {"sent"}
    assert len(statuses) == 2


async def test_case_45_telegram_is_given_the_file_itself(shop: ChatShop) -> None:
    async with serving(FakeTelegram()) as fake:
        keys = {"token": TOKEN}
        await shop.connect("ct", "Telegram", kind="telegram", keys=keys, base_url=fake.url, webhook="true")
        await post(shop, "ct", update(5, text="Hello"))
        async with a_sender(shop, "ct") as sender:
            await write(shop, "k1", "Вот смета", WRITES, chat="7", file=PICTURE)
            await write(shop, "k2", "", WRITES, chat="7", file=WrittenFile(name="note.txt", content=b"plain"))
            for _ in range(2):
                await turned(sender)
        assert [(m.method, m.told.get("caption"), m.file, m.file_name) for m in fake.messages] == [
            ("sendPhoto", "Вот смета", PNG, PICTURE.name),
            ("sendDocument", None, b"plain", "note.txt"),
        ]
    async with shop.pool.acquire() as conn:
        assert await delete_chat_files(conn, account_id=ACCOUNT, before=datetime.now(UTC), limit=10) == 2
