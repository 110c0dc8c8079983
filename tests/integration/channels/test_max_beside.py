"""A bot of MAX as the gateway has it: through the door over HTTP, by a worker that gives, looks after and takes away its address."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import aiohttp
import asyncpg

from gateway.admin.channels.channels import change_channel, remove_channel
from gateway.channels.accepting import NotTaken
from gateway.channels.sender import ChannelSender
from gateway.channels.work import ChannelWork
from routing.dialogues.access import Onlooker
from runtime.database.lease import Leases
from runtime.lifecycle import background
from sms.channels.kinds import CHANNEL_KINDS
from sms.channels.max.adapter import secret_of
from tests.fakes.channels.max import CHAT, TOKEN, FakeMax, update
from tests.fakes.sms.server import serving
from tests.integration.channels.shop import SECRET, ChatShop
from tests.integration.channels.test_sending import state, turned, write
from tests.integration.intake.office import ACCOUNT
from tests.integration.sms_sending.desk import AlwaysHeld
from tests.waiting import until

WHO = Onlooker(employee_id="anna", rights={"mx": "send"})
says = partial(write, who=WHO, chat=str(CHAT))


@asynccontextmanager
async def of_max(shop: ChatShop, **settings: Any) -> AsyncIterator[FakeMax]:
    async with serving(FakeMax()) as fake:
        told = {"base_url": fake.url, "answer_seconds": "1", "poll_seconds": "1", **settings}
        await shop.connect("mx", "MAX", kind="max", keys={"token": TOKEN}, **told)
        yield fake


@asynccontextmanager
async def worked(shop: ChatShop, pool: asyncpg.Pool, dsn: str) -> AsyncIterator[None]:
    async with aiohttp.ClientSession() as session:
        worker = ChannelWork(pool, Leases(dsn), session, shop.url, ask_soon_seconds=1)
        async with background(worker.loop.run(), worker.run()):
            yield


@asynccontextmanager
async def with_sender(shop: ChatShop, fake: FakeMax) -> AsyncIterator[ChannelSender]:
    """A sender as a worker has it; the client has written."""
    await tells(shop, update(1))
    saved, kind = await shop.channel("mx"), CHANNEL_KINDS["max"]
    now = partial(datetime.now, UTC)
    async with aiohttp.ClientSession() as session:
        channel = kind.open(session, saved.channel)
        yield ChannelSender(shop.pool, saved, kind, channel, AlwaysHeld(), now, look_every=timedelta(0))


async def tells(shop: ChatShop, *updates: dict[str, Any], secret: str | None = None) -> None:
    """As MAX does, one in each request; the workers are done."""
    agreed = secret_of((await shop.channel("mx")).channel)
    for told in updates:
        headers = {"X-Max-Bot-Api-Secret": agreed if secret is None else secret}
        address = f"{shop.url}/channels/mx/{SECRET}"
        async with shop.session.post(address, json=told, headers=headers) as answer:
            assert answer.status == 200
    await shop.idle()


async def test_a_client_writes_and_is_answered_and_the_address_goes_with_the_channel(
    shop: ChatShop, pool: asyncpg.Pool, database_url: str
) -> None:
    async with of_max(shop) as fake:

        async def is_told() -> bool:
            return list(fake.subscriptions) == [f"{shop.url}/channels/mx/{SECRET}"]

        async def is_sent() -> bool:
            return (await state(shop, "k1"))[0] == "sent"

        async def is_left() -> bool:
            return fake.subscriptions == {}

        async with worked(shop, pool, database_url):
            await until(is_told, "MAX has the address", seconds=40)
            assert await fake.tell(update(1)) == [200]
            await shop.idle()
            await says(shop, "k1", "Добрый день")
            await until(is_sent, "the answer is sent", seconds=40)
            fake.subscriptions.clear()  # eight hours without an answer; the worker is begun anew
        async with worked(shop, pool, database_url):
            await until(is_told, "MAX has the address again", seconds=40)
            async with pool.acquire() as conn:
                await remove_channel(conn, ACCOUNT, "mx", even_if_used=True)
            await until(is_left, "MAX tells it nobody any more", seconds=40)
    assert fake.sent == [{"text": "Добрый день"}]
    assert len(await shop.office.effects("create_deal")) == 1


async def test_case_47_who_does_not_bear_the_secret_is_heard_no_more_than_at_an_unknown_address(
    shop: ChatShop,
) -> None:
    async with of_max(shop):
        address = f"{shop.url}/channels/mx/{SECRET}"
        agreed = secret_of((await shop.channel("mx")).channel)
        for headers in ({}, {"X-Max-Bot-Api-Secret": "x"}, {"X-Max-Bot-Api-Secret": TOKEN}):
            async with shop.session.post(address, json=update(1), headers=headers) as answer:
                assert answer.status == 404
        big = {**update(1), "more": "x" * 10 * 1024 * 1024}
        headers = {"X-Max-Bot-Api-Secret": agreed}
        async with shop.session.post(address, json=big, headers=headers) as answer:
            assert answer.status == 413
        assert await shop.messages() == []
        async with shop.session.post(address, data=b"{", headers=headers) as answer:
            assert answer.status == 200  # kept for a person: MAX would repeat it for eight hours
        [kept] = await shop.rows("SELECT error FROM channel_update")
        assert kept["error"]


async def test_cases_1_to_17_what_max_tells_twice_late_and_in_disorder_is_one_dialogue(
    shop: ChatShop,
) -> None:
    first, second = update(1, "Здравствуйте"), update(2, "Сколько стоит?")
    edited = {**update(2, "Сколько стоит опт?", update_type="message_edited"), "timestamp": 1772434900000}
    gone = {"update_type": "message_removed", "timestamp": 1772434950000, "message_id": "mid.c1"}
    removed = {**gone, "chat_id": CHAT, "user_id": 123456789}
    async with of_max(shop):
        await tells(shop, removed, edited, second, first, second, edited, removed, first)
        assert await shop.texts() == ["Здравствуйте", "Сколько стоит опт?"]
        assert [m["deleted_at"] is not None for m in await shop.messages()] == [True, False]
        assert [m["edited_at"] is not None for m in await shop.messages()] == [False, True]
        later = {**edited, "timestamp": 1772434990000}
        later["message"] = update(2, "Сколько стоит опт, 5 штук?")["message"]
        await tells(shop, later, edited)
        assert (await shop.texts())[1] == "Сколько стоит опт, 5 штук?"
        assert len(await shop.dialogues()) == 1
    assert len(await shop.office.effects("create_deal")) == 1


async def test_case_4_five_first_pictures_at_once_make_one_deal_and_one_message_of_them_has_all_five(
    shop: ChatShop,
) -> None:
    def picture(n: int) -> dict[str, Any]:
        return {"type": "image", "payload": {"url": f"https://i.example/{n}", "token": "t", "photo_id": n}}

    async with of_max(shop):
        agreed = secret_of((await shop.channel("mx")).channel)

        async def posted(told: dict[str, Any]) -> int:
            headers = {"X-Max-Bot-Api-Secret": agreed}
            address = f"{shop.url}/channels/mx/{SECRET}"
            async with shop.session.post(address, json=told, headers=headers) as answer:
                return answer.status

        album = update(1, None, attachments=[picture(n) for n in range(5)])
        assert set(
            await asyncio.gather(*map(posted, [album, *(update(n, str(n)) for n in range(2, 6))]))
        ) == {200}
        await shop.idle()
        assert await shop.texts() == ["+".join(["image"] * 5), "2", "3", "4", "5"]
        files = await shop.rows("SELECT told FROM chat_file")
        assert len(files) == 5
    assert len(await shop.office.effects("create_deal")) == 1


async def test_a_client_who_has_stopped_the_bot_cannot_be_written_to_until_they_start_it(
    shop: ChatShop,
) -> None:
    user = {"user_id": 123456789, "first_name": "Oleg"}

    def told(name: str, at: int) -> dict[str, Any]:
        return {"update_type": name, "timestamp": 1772434900000 + at, "chat_id": CHAT, "user": user}

    async with of_max(shop):
        await tells(shop, update(1), told("bot_stopped", 1), told("dialog_removed", 2))
        assert await says(shop, "k1") == NotTaken("blocked")
        await tells(shop, told("bot_started", 3))
        assert not isinstance(await says(shop, "k1"), NotTaken)


async def test_the_number_that_max_has_signed_is_the_clients_and_no_other_card_is(shop: ChatShop) -> None:
    card = "BEGIN:VCARD\r\nTEL;TYPE=cell:79161234567\r\nFN:Oleg\r\nEND:VCARD\r\n"
    sign = hmac.new(TOKEN.encode(), card.encode(), hashlib.sha256).hexdigest()

    def sent(number: int, **more: str) -> dict[str, Any]:
        attached = {"type": "contact", "payload": {"vcf_info": card, **more}}
        return update(number, None, attachments=[attached])

    async with of_max(shop):
        await tells(shop, sent(1), sent(2, hash="0" * 64))
        assert [d["number"] for d in await shop.dialogues()] == [None]
        await tells(shop, sent(3, hash=sign))
        assert [d["number"] for d in await shop.dialogues()] == ["+79161234567"]


async def test_case_45_of_two_equal_answers_the_lost_one_is_found_once_and_never_takes_the_others_id(
    shop: ChatShop,
) -> None:
    async with of_max(shop) as fake, with_sender(shop, fake) as sender:
        fake.faults.extend(["bad gateway", None])
        await says(shop, "lost", "Да")
        await turned(sender)
        await says(shop, "sent", "Да")
        for _ in range(4):
            await turned(sender)
            assert [(await state(shop, key))[0] for key in ("lost", "sent")] == ["unknown", "sent"]
        fake.faults.append("hang up")
        await says(shop, "taken", "Нет")
        for _ in range(3):
            await turned(sender)
        assert [(await state(shop, key))[0] for key in ("lost", "sent", "taken")] == [
            "unknown",
            "sent",
            "sent",
        ]
        rows = await shop.rows("SELECT outside_id FROM chat_message WHERE own_key IN ('sent', 'taken')")
        assert {row["outside_id"] for row in rows} == {m["body"]["mid"] for m in fake.messages}
    assert [told["text"] for told in fake.sent] == ["Да", "Нет"]


async def test_a_bot_that_is_polled_is_read_once_across_workers_and_told_by_nobody(
    shop: ChatShop, pool: asyncpg.Pool, database_url: str
) -> None:
    async with of_max(shop, receives="poll") as fake:
        fake.subscriptions = {"https://shop.example/max": {}}
        fake.updates = [(2**40 + n, update(n, f"n{n}")) for n in range(3)]

        def are(count: int) -> Any:
            async def told() -> bool:
                return len(await shop.messages()) == count

            return told

        async with worked(shop, pool, database_url):
            await until(are(3), "what waited is told", seconds=40)
        assert fake.subscriptions == {}
        fake.updates.append((2**40 + 3, update(3, "n3")))
        async with worked(shop, pool, database_url):
            await until(are(4), "what came meanwhile is told", seconds=40)
        await shop.idle()
        assert await shop.texts() == ["n0", "n1", "n2", "n3"]
        assert (await shop.channel("mx")).cursor == str(2**40 + 4)
    assert len(await shop.office.effects("create_deal")) == 1


async def test_a_channel_that_is_turned_to_polling_takes_its_address_away(
    shop: ChatShop, pool: asyncpg.Pool, database_url: str
) -> None:
    async with of_max(shop) as fake, worked(shop, pool, database_url):

        async def is_told() -> bool:
            return len(fake.subscriptions) == 1

        async def is_polled() -> bool:
            return fake.polls > 0

        await until(is_told, "MAX has the address", seconds=40)
        settings = dict((await shop.channel("mx")).channel.settings)
        async with pool.acquire() as conn:
            given = {"settings": {**settings, "receives": "poll"}, "keys": {"token": TOKEN}}
            await change_channel(conn, ACCOUNT, "mx", given)
        await until(is_polled, "MAX is asked", seconds=40)
        assert fake.subscriptions == {}


async def test_a_token_that_was_taken_back_is_a_state_that_one_sees_and_a_new_one_ends(
    shop: ChatShop, pool: asyncpg.Pool, database_url: str
) -> None:
    async with of_max(shop) as fake:
        fake.token = "of-the-cabinet"

        def stands(wanted: str) -> Any:
            async def is_so() -> bool:
                return (await shop.channel("mx")).state == wanted

            return is_so

        async with worked(shop, pool, database_url):
            await until(stands("unauthorised"), "the token is not taken", seconds=40)
            async with pool.acquire() as conn:
                await change_channel(conn, ACCOUNT, "mx", {"keys": {"token": "of-the-cabinet"}})
            await until(stands("active"), "the new one is", seconds=40)
            assert (await shop.channel("mx")).state_words == "@office_bot"


async def test_a_bot_whose_key_is_right_again_is_known_by_name_again(
    shop: ChatShop, pool: asyncpg.Pool, database_url: str
) -> None:
    async with of_max(shop, receives="poll") as fake:

        def fares(state: str, is_named: bool) -> Any:
            async def told() -> bool:
                channel = await shop.channel("mx")
                return channel.state == state and bool(channel.state_words) is is_named

            return told

        async with worked(shop, pool, database_url):
            await until(fares("active", is_named=True), "the bot is known", seconds=40)
            name, token = (await shop.channel("mx")).state_words, fake.token
            fake.token = "of another"
            await until(fares("unauthorised", is_named=True), "its key is refused", seconds=40)
            fake.token = token
            await until(fares("active", is_named=True), "the bot is known again", seconds=60)
            assert (await shop.channel("mx")).state_words == name


async def test_a_channel_that_lacks_its_key_asks_the_messenger_for_nothing(
    shop: ChatShop, pool: asyncpg.Pool, database_url: str
) -> None:
    async with of_max(shop, receives="poll") as fake, serving(FakeMax()) as other:
        await shop.connect("m2", "MAX 2", kind="max", receives="poll", base_url=other.url)

        async def has_come_round() -> bool:
            return fake.polls > 2

        async with worked(shop, pool, database_url):
            await until(has_come_round, "the other bot is asked", seconds=40)
            saved = await shop.channel("m2")
            assert saved.fares == "waiting"
            async with shop.pool.acquire() as conn, conn.transaction():
                await remove_channel(conn, ACCOUNT, "m2", even_if_used=True)
            await asyncio.sleep(3)  # a channel that had a key would be left by now
        assert other.asked_for == []
