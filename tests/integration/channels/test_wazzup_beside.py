"""Channels of one Wazzup account share one address, and what it tells of ours bears no key of ours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import aiohttp
import asyncpg
import pytest
from aiohttp import web

from gateway.admin.channels.channels import remove_channel
from gateway.channels.door import ChannelDoor
from gateway.channels.sender import ChannelSender
from gateway.channels.work import ChannelWork
from gateway.http.strangers import Strangers
from routing.dialogues.access import Onlooker
from runtime.database.lease import Leases
from runtime.lifecycle import background
from sms.channels.kinds import CHANNEL_KINDS
from tests.fakes.channels.wazzup import API_KEY, CHANNEL, FakeWazzup
from tests.fakes.sms.server import serving
from tests.integration.channels.shop import SECRET, ChatShop
from tests.integration.channels.test_sending import state, turned, write
from tests.integration.intake.office import ACCOUNT
from tests.integration.sms_sending.desk import AlwaysHeld
from tests.waiting import until

OTHER = "b96a353b-1111-4cac-8413-ba9999999982"
CLIENT = "79161234567"


def message(id: str, channel: str = CHANNEL, text: str = "Здравствуйте", **more: Any) -> dict[str, Any]:
    return {
        "messageId": id,
        "channelId": channel,
        "chatType": "whatsapp",
        "chatId": CLIENT,
        "dateTime": "2026-03-02T07:00:00.000Z",
        "type": "text",
        "status": "inbound",
        "isEcho": False,
        "text": text,
        **more,
    }


def echo(id: str, text: str, **more: Any) -> dict[str, Any]:
    return message(id, text=text, isEcho=True, status="sent", **more)


def told_status(id: str, word: str) -> dict[str, Any]:
    return {"messageId": id, "status": word, "timestamp": "2026-03-02T07:01:00.000Z"}


async def tells(shop: ChatShop, channel: str = "w1", **body: list[dict[str, Any]]) -> None:
    """As Wazzup does, at the address of this one; the workers are done."""
    async with shop.session.post(f"{shop.url}/channels/{channel}/{SECRET}", json=body) as answer:
        assert answer.status == 200
    await shop.idle()


@asynccontextmanager
async def of_wazzup(shop: ChatShop) -> AsyncIterator[tuple[FakeWazzup, ChannelSender]]:
    """Two channels of one account, a client who has written to the first, and the sender of that."""
    async with serving(FakeWazzup()) as fake, aiohttp.ClientSession() as session:
        for id, outside in (("w1", CHANNEL), ("w2", OTHER)):
            settings: dict[str, Any] = {
                "base_url": fake.url,
                "answer_seconds": "1",
                "channel_id": outside,
                "transport": "whatsapp",
            }
            await shop.connect(id, f"Wazzup {id}", kind="wazzup", keys={"api_key": API_KEY}, **settings)
        await tells(shop, messages=[message("m1")])
        saved, kind = await shop.channel("w1"), CHANNEL_KINDS["wazzup"]
        now = partial(datetime.now, UTC)
        open_channel = kind.open(session, saved.channel)
        yield (
            fake,
            ChannelSender(shop.pool, saved, kind, open_channel, AlwaysHeld(), now, look_every=timedelta(0)),
        )


async def ours(shop: ChatShop) -> list[tuple[str | None, str | None, str]]:
    rows = await shop.rows("SELECT * FROM chat_message WHERE direction = 'out' ORDER BY message_id")
    return [(m["own_key"], m["outside_id"], m["status"]) for m in rows]


WHO = Onlooker(employee_id="anna", rights={"w1": "send"})


async def test_a_status_that_names_no_channel_reaches_the_message_of_a_channel_beside(shop: ChatShop) -> None:
    async with of_wazzup(shop):
        sent = message("s1", OTHER, isEcho=True, status="sent")
        await tells(shop, messages=[sent])
        await tells(shop, statuses=[told_status("s1", "delivered")])
        assert await ours(shop) == [(None, "s1", "delivered")]
        early = {**sent, "messageId": "s2", "text": "Ещё"}
        await tells(shop, statuses=[told_status("s2", "read")])  # of a message that has not been told yet
        await tells(shop, messages=[early])
        assert await ours(shop) == [(None, "s1", "delivered"), (None, "s2", "read")]
    assert not await shop.rows("SELECT 1 FROM channel_update WHERE state = 'early'")


async def test_a_status_that_came_before_its_message_was_worked_on_is_found_by_the_sweep(
    shop: ChatShop,
) -> None:
    async with of_wazzup(shop):
        await tells(shop, messages=[message("s1", OTHER, isEcho=True, status="sent")])
        await shop.pool.execute(
            "INSERT INTO channel_update (account_id, channel_id, client_key, about, told, told_at, received_at, state)"
            " VALUES ($1, 'w1', 'chat:w1:?', 's1', $2, now(), now(), 'early')",
            ACCOUNT,
            {"told": "status", "id": "s1", "status": "read"},
        )
        await shop.idle()
        assert await ours(shop) == [(None, "s1", "read")]


async def test_a_repeated_send_that_comes_back_without_our_key_is_one_message(shop: ChatShop) -> None:
    async with of_wazzup(shop) as (fake, sender):
        fake.messages.append({"crmMessageId": "k1"})  # it took the first one, and said that it had not
        await write(shop, "k1", "Добрый день", WHO, chat=CLIENT)
        await turned(sender)
        assert await state(shop, "k1") == ("sent", "", None)
        await tells(shop, messages=[echo("s1", "Добрый день ")])
        await tells(shop, statuses=[told_status("s1", "read")])
        assert await ours(shop) == [("k1", "s1", "read")]
        await tells(
            shop, messages=[echo("s2", "Добрый день")]
        )  # the same once more, by somebody on the phone
        assert await ours(shop) == [("k1", "s1", "read"), (None, "s2", "sent")]


@pytest.mark.parametrize("is_first", [True, False], ids=["told before we gave up", "told afterwards"])
async def test_case_45_what_may_have_gone_out_is_found_by_the_vendors_word_of_it(
    shop: ChatShop, is_first: bool
) -> None:
    async with of_wazzup(shop) as (fake, sender):
        fake.faults.append("hang up")
        await write(shop, "k1", "Добрый день", WHO, chat=CLIENT)
        if is_first:
            await tells(shop, messages=[echo("s1", "Добрый день")])
        await turned(sender)
        if not is_first:
            assert (await state(shop, "k1"))[0] == "unknown"
            await tells(shop, messages=[echo("s1", "Добрый день")])
        assert await ours(shop) == [("k1", "s1", "sent")]


async def test_an_id_that_turns_out_to_be_anothers_leaves_the_first_unknown(shop: ChatShop) -> None:
    async with of_wazzup(shop) as (fake, sender):
        fake.faults.append("hang up")
        await write(shop, "k1", "Да", WHO, chat=CLIENT)
        await turned(sender)

        await write(shop, "k2", "Да", WHO, chat=CLIENT)
        await tells(
            shop, messages=[echo(f"w{len(fake.messages) + 1}", "Да")]
        )  # the second one's, before its answer
        await turned(sender)
        assert [(key, status) for key, _, status in await ours(shop)] == [("k1", "unknown"), ("k2", "sent")]


async def test_who_is_left_gives_its_address_when_the_one_beside_is_removed(
    shop: ChatShop, pool: asyncpg.Pool, database_url: str
) -> None:
    async with of_wazzup(shop) as (fake, _), aiohttp.ClientSession() as session:
        worker = ChannelWork(pool, Leases(database_url), session, shop.url)

        def told_at(*channels: str) -> Any:
            addresses = {f"{shop.url}/channels/{id}/{SECRET}" for id in channels}

            async def is_told() -> bool:
                return fake.subscription.get("webhooksUri") in addresses

            return is_told

        async with background(worker.loop.run(), worker.run()):
            await until(told_at("w1", "w2"), "an address is given", seconds=40)
            used = fake.subscription["webhooksUri"].split("/")[-2]
            (left,) = {"w1", "w2"} - {used}
            async with pool.acquire() as conn:
                await remove_channel(conn, ACCOUNT, used, even_if_used=True)
            await until(told_at(left), "the other one's address is given", seconds=40)


async def test_an_address_that_is_given_right_after_connecting_is_known_at_the_door(
    shop: ChatShop, pool: asyncpg.Pool
) -> None:
    door = ChannelDoor(pool, Strangers(), known_seconds=3600)
    app = web.Application()
    app.router.add_post("/channels/{channel}/{secret}", door.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}/channels"

    async def answered(channel: str) -> int:
        async with shop.session.post(f"{base}/{channel}/{SECRET}", json={"test": True}) as answer:
            return answer.status

    try:
        assert await answered("nobody") == 404
        await shop.connect("w9", "Wazzup new", kind="wazzup", keys={"api_key": API_KEY}, channel_id=CHANNEL)

        async def is_known() -> bool:
            return await answered("w9") == 200

        await until(is_known, "the new one is known", seconds=40)
    finally:
        await runner.cleanup()
