"""What is written goes out once, to nobody who must not be written to, and what became of it is known or said to be unknown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import aiohttp
import asyncpg
import pytest

from gateway.calls.client_job import ClientJob
from gateway.channels.accepting import KeyOfAnother, NotTaken, TakenMessage, accept_message
from gateway.channels.sender import ChannelSender
from gateway.channels.work import ChannelWork
from gateway.channels.written import WrittenFile, WrittenMessage
from gateway.store.admin.staff import replace_staff
from gateway.store.channels.messages import ChatMessage
from routing.dialogues.access import Onlooker, owners_of
from routing.matrix.presets import recommended
from runtime.database.lease import Leases
from runtime.lifecycle import background
from sms.channels.kinds import CHANNEL_KINDS
from tests.fakes.channels.sandbox import FakeMessenger, SentIntoChat, client_message, echo_of, status
from tests.fakes.matrices import PublishedMatrix
from tests.fakes.sms.server import serving
from tests.integration.channels.shop import ChatShop
from tests.integration.intake.office import ACCOUNT, DEPUTY, SENIOR
from tests.integration.sms_sending.desk import AlwaysHeld
from tests.waiting import until

WRITES = Onlooker(employee_id="anna", rights={"c1": "send", "c2": "send"})
OTHER = Onlooker(employee_id="second", rights={"c1": "send"})


async def write(
    shop: ChatShop,
    key: str,
    text: str = "Ответ",
    who: Onlooker = WRITES,
    *,
    is_anyway: bool = False,
    chat: str = "7",
    file: WrittenFile | None = None,
) -> ChatMessage | NotTaken:
    """Order a message as a page does."""
    job = ClientJob(shop.pool, PublishedMatrix(recommended()), now=lambda: datetime.now(UTC))
    (of,) = [d for d in await shop.dialogues() if d["chat_id"] == chat]
    written = WrittenMessage(
        key=key, dialogue_id=of["dialogue_id"], text=text, file=file, is_anyway=is_anyway
    )
    async with shop.pool.acquire() as conn, conn.transaction():
        context = await job.context(conn, ACCOUNT)
        taken = await accept_message(
            context, await shop.channel(of["channel_id"]), of["client_key"], who, written
        )
        return taken.message if isinstance(taken, TakenMessage) else taken


@asynccontextmanager
async def sending(shop: ChatShop, **settings: Any) -> AsyncIterator[tuple[FakeMessenger, ChannelSender]]:
    """A sender as a worker has it, before the double; the client has written."""
    async with serving(FakeMessenger()) as fake, aiohttp.ClientSession() as session:
        await shop.change(settings={"base_url": fake.url, "answer_seconds": "1", **settings})
        await shop.told(client_message("m1"))
        saved = await shop.channel()
        kind = CHANNEL_KINDS["sandbox"]
        channel = kind.open(session, saved.channel)
        now = partial(datetime.now, UTC)
        yield fake, ChannelSender(shop.pool, saved, kind, channel, AlwaysHeld(), now, look_every=timedelta(0))


async def turned(sender: ChannelSender) -> None:
    await sender.turn()
    await sender.close()


async def state(shop: ChatShop, key: str) -> tuple[str, str, str | None]:
    (row,) = await shop.rows("SELECT status, reason, outside_id FROM chat_message WHERE own_key = $1", key)
    return row["status"], row["reason"], row["outside_id"]


async def test_case_45_one_key_is_one_message_however_often_it_is_sent(shop: ChatShop) -> None:
    async with sending(shop) as (fake, sender):
        first, second = await asyncio.gather(write(shop, "k1"), write(shop, "k1"))
        assert isinstance(first, ChatMessage)
        assert isinstance(second, ChatMessage)
        assert first.message_id == second.message_id
        with pytest.raises(KeyOfAnother):
            await write(shop, "k1", "другое")
        await turned(sender)
        await turned(sender)
        assert [m.text for m in fake.messages] == ["Ответ"]
    assert await state(shop, "k1") == ("sent", "", "s1")


async def test_case_8_the_vendors_word_of_our_message_is_not_a_second_one_even_before_its_answer(
    shop: ChatShop,
) -> None:
    async with sending(shop) as (_, sender):
        await write(shop, "k1")
        nameless = echo_of(
            SentIntoChat("s1", "", "7", "Ответ")
        )  # it came before the answer, and without our key
        await shop.told({**nameless, "status": "delivered"})
        await turned(sender)
        await shop.told(nameless, status("s1", "read"))
    ours = [m for m in await shop.messages() if m["direction"] == "out"]
    assert [(m["outside_id"], m["own_key"], m["status"]) for m in ours] == [("s1", "k1", "read")]


async def test_case_33_of_two_who_answer_at_once_one_becomes_the_owner_and_the_other_is_told(
    shop: ChatShop,
) -> None:
    async with sending(shop) as (fake, sender):
        outcomes = await asyncio.gather(write(shop, "a"), write(shop, "b", "Я тоже", OTHER))
        (won,) = [o for o in outcomes if isinstance(o, ChatMessage)]
        (lost,) = [o for o in outcomes if isinstance(o, NotTaken)]
        assert (lost.reason, lost.owner) == ("taken", won.employee_id)
        await turned(sender)
        assert len(fake.messages) == 1
        assert (await shop.dialogues())[0]["owner"] == won.employee_id
        key, who = ("b", OTHER) if won.employee_id == "anna" else ("a", WRITES)
        assert isinstance(await write(shop, key, "Всё же", who, is_anyway=True), ChatMessage)
        assert (await shop.dialogues())[0]["owner"] == won.employee_id


async def test_case_35_an_owner_who_has_left_is_followed_by_the_next_who_answers(shop: ChatShop) -> None:
    await shop.told(client_message("m1"))
    await write(shop, "a")
    async with shop.pool.acquire() as conn, conn.transaction():
        await replace_staff(conn, ACCOUNT, [SENIOR, DEPUTY])
    owners = owners_of({"anna": {"c1": "send"}, "second": {"c1": "send"}}, (), {"second"})
    assert isinstance(await write(shop, "b", who=replace(OTHER, owners=owners)), ChatMessage)
    assert (await shop.dialogues())[0]["owner"] == "second"


async def test_case_45_what_is_unknown_is_not_sent_again_and_is_found_by_its_key_or_told_by_the_vendor(
    shop: ChatShop,
) -> None:
    async with sending(shop) as (fake, sender):
        fake.faults += ["hang up", "bad gateway"]
        for key in ("k1", "k2"):
            await write(shop, key, key)
            await turned(sender)
        await turned(sender)
        assert await state(shop, "k1") == ("sent", "", "s1")  # it was taken, and is found by its key
        assert (await state(shop, "k2"))[:2] == ("unknown", "server-error")
        await turned(sender)
        assert fake.asked == 2
        await shop.told(echo_of(SentIntoChat("s9", "k2", "7", "k2")))
        assert await state(shop, "k2") == ("sent", "", "s9")


async def test_a_message_whose_sender_was_killed_is_unknown_and_others_of_its_chat_go_on(
    shop: ChatShop,
) -> None:
    async with sending(shop) as (fake, sender):
        await write(shop, "k1")
        await write(shop, "k2", "Второе")
        await shop.pool.execute(
            "UPDATE chat_message SET status = 'sending', claimed_at = now() WHERE own_key = 'k1'"
        )
        await turned(sender)
        assert (await state(shop, "k1"))[:2] == ("unknown", "interrupted")
        await turned(sender)
        assert [m.key for m in fake.messages] == ["k2"]


async def test_a_message_that_no_messenger_would_take_holds_up_no_other(shop: ChatShop) -> None:
    async with sending(shop) as (fake, sender):
        await write(shop, "no key!", "Первое")
        await write(shop, "k2", "Второе")
        for _ in range(3):
            await turned(sender)
        assert (await state(shop, "no key!"))[:2] == ("unknown", "interrupted")
        assert [m.key for m in fake.messages] == ["k2"]


async def test_case_45_throttled_messages_wait_in_their_order_and_a_channel_without_money_says_so(
    shop: ChatShop,
) -> None:
    async with sending(shop) as (fake, sender):
        fake.faults.append("throttle")
        fake.throttles_chat = True
        await write(shop, "k1", "1")
        await write(shop, "k2", "2")
        await turned(sender)
        await turned(sender)
        assert fake.messages == []
        await shop.pool.execute("UPDATE chat_message SET try_at = now() WHERE status = 'waiting'")
        for _ in range(2):
            await turned(sender)
        assert [m.text for m in fake.messages] == ["1", "2"]
        fake.refuses = "no-money"
        await write(shop, "k3", "3")
        await turned(sender)
        assert (await state(shop, "k3"))[:2] == ("refused", "no-money")
        assert (await shop.channel()).state == "no_money"
        refused = await write(shop, "k4", "4")
        assert refused == NotTaken("no-money")


async def test_case_45_whoever_has_blocked_us_is_asked_no_more_until_they_write(shop: ChatShop) -> None:
    async with sending(shop) as (fake, sender):
        fake.refuses = "blocked"
        await write(shop, "k1", "1")
        await turned(sender)
        assert (await state(shop, "k1"))[:2] == ("refused", "blocked")
        assert await write(shop, "k2", "2") == NotTaken("blocked")
        await shop.told(client_message("m2"))
        assert isinstance(await write(shop, "k2", "2"), ChatMessage)


async def test_case_45_limits_are_told_before_anything_goes_out(shop: ChatShop) -> None:
    await shop.told(client_message("m1"))
    reads = Onlooker(employee_id="anna", rights={"c1": "read"})
    assert await write(shop, "k", who=reads) == NotTaken("no-right")
    assert await write(shop, "k", " ") == NotTaken("empty")
    assert await write(shop, "k", "x" * 4097) == NotTaken("too-long")
    await shop.change(settings={"window_hours": "24"})
    await shop.pool.execute("UPDATE dialogue SET last_in_at = now() - interval '24 hours'")
    assert await write(shop, "k") == NotTaken("window-closed")
    await shop.told({"told": "chat", "chat": {"id": "7"}, "can_write": False})
    assert await write(shop, "k") == NotTaken("blocked")
    await shop.change(is_on=False)
    assert await write(shop, "k") == NotTaken("channel-off")
    assert [m["direction"] for m in await shop.messages()] == ["in"]


async def test_two_workers_serve_a_channel_once_and_poll_from_where_they_stood(
    shop: ChatShop, pool: asyncpg.Pool, database_url: str
) -> None:
    async with serving(FakeMessenger()) as fake, aiohttp.ClientSession() as session:
        fake.updates = [client_message("m1"), client_message("m2")]
        await shop.change(settings={"base_url": fake.url, "receives": "poll", "poll_seconds": "1"})
        workers = [ChannelWork(pool, Leases(database_url), session, "https://x.example") for _ in range(2)]
        async with background(*[run for worker in workers for run in (worker.loop.run(), worker.run())]):

            async def are_told(count: int) -> bool:
                return len(await shop.messages()) == count

            await until(lambda: are_told(2), "both are told", seconds=40)
            await shop.idle()
            await write(shop, "k1")

            async def is_sent() -> bool:
                return len(fake.messages) == 1 and (await state(shop, "k1"))[0] == "sent"

            await until(is_sent, "the answer is sent", seconds=40)
            fake.updates.append(client_message("m3"))
            await until(lambda: are_told(4), "the third is told", seconds=40)
    assert (await shop.channel()).cursor == "3"
    assert [m.key for m in fake.messages] == ["k1"]


async def test_a_messenger_is_given_our_address_by_the_worker(
    shop: ChatShop, pool: asyncpg.Pool, database_url: str
) -> None:
    async with serving(FakeMessenger()) as fake, aiohttp.ClientSession() as session:
        await shop.change(settings={"base_url": fake.url})
        worker = ChannelWork(pool, Leases(database_url), session, "https://x.example/")

        async def is_given() -> bool:
            return fake.address == "https://x.example/channels/c1/hush"

        async with background(worker.loop.run(), worker.run()):
            await until(is_given, "the address is given", seconds=40)


async def test_a_channel_that_was_shut_is_asked_until_it_is_open_again(
    shop: ChatShop, pool: asyncpg.Pool, database_url: str
) -> None:
    """Its messenger tells no more than that it refuses: money came in, and nobody says so."""
    async with serving(FakeMessenger()) as fake, aiohttp.ClientSession() as session:
        fake.state = "no_money"
        await shop.change(settings={"base_url": fake.url})
        worker = ChannelWork(pool, Leases(database_url), session, "https://x.example/", ask_soon_seconds=0.1)

        async def is_shut() -> bool:
            return (await shop.channel()).state == "no_money"

        async def is_open() -> bool:
            return (await shop.channel()).state == "active"

        async with background(worker.loop.run(), worker.run()):
            await until(is_shut, "what the messenger says is known", seconds=40)
            fake.state = "active"
            await until(is_open, "it is open again", seconds=40)
