"""Cases of the fifty that no other file names: clocks that are ahead, quotes, two contacts with one number, a slow database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from urllib.parse import urlsplit

import asyncpg
import pytest
from aiohttp import web

from gateway.channels.door import ChannelDoor
from gateway.http.strangers import Strangers
from runtime.database.pool import open_pool
from sms.channels.port import ChannelCapabilities
from sms.channels.sandbox.adapter import SandboxChannelKind
from tests.fakes.channels.sandbox import SentIntoChat, client_message, echo_of, tell
from tests.fakes.database_proxy import Proxy
from tests.integration.channels.shop import SECRET, ChatShop
from tests.integration.channels.test_copies import NOON, a_bench
from tests.integration.intake.office import ACCOUNT, CLIENT, a_call

TOMORROW = timedelta(days=1)


async def test_case_19_a_clock_that_is_a_day_ahead_is_not_believed_and_puts_nothing_out_of_order(
    shop: ChatShop,
) -> None:
    before = datetime.now(UTC)
    ahead = (before + TOMORROW).isoformat()
    await shop.told(client_message("m1", text="раз", at=ahead))
    await shop.told(client_message("m2", text="два"))
    await shop.told(
        client_message("m3", text="четыре", at=ahead, edit={"at": ahead})
    )  # before its first form
    await shop.told(client_message("m1", text="раз, исправлено", at=ahead, edit={"at": ahead}))
    await shop.told(client_message("m1", text="ещё раз", edit={"at": datetime.now(UTC).isoformat()}))
    await shop.told({"told": "deleted", "ids": ["m2"], "chat_id": "7", "at": ahead})
    rows = {m["outside_id"]: m for m in await shop.messages()}
    now = datetime.now(UTC)
    assert list(rows) == ["m1", "m2", "m3"]
    assert all(before <= row["at"] <= now for row in rows.values())
    assert (rows["m1"]["parts"][0]["text"], rows["m1"]["edited_at"] <= now) == ("ещё раз", True)
    assert rows["m2"]["deleted_at"] <= now
    (dialogue,) = await shop.dialogues()
    assert dialogue["last_in_at"] <= now


async def test_case_19_its_copy_stands_in_the_hour_in_which_it_came(pool: asyncpg.Pool) -> None:
    bench = await a_bench(pool)
    await bench.says("m1", "завтра?", NOON + TOMORROW)
    await bench.at(NOON + timedelta(hours=1))
    (text,) = bench.texts()
    assert text.splitlines() == ["WhatsApp · Клиент 7 · 03.03.2025 16:00–17:00", "16:05 Клиент 7: завтра?"]


async def test_case_28_a_copy_says_what_is_answered_and_nothing_of_what_was_taken_back(
    pool: asyncpg.Pool,
) -> None:
    bench = await a_bench(pool)
    await bench.says("m1", "Есть в дубе?")
    await bench.says("m2", "тайна")
    await bench.says("m3", "Да", quoted_id="m1")  # the messenger names the message only
    await bench.says("m4", "Нет", quoted_id="m2")
    await bench.says("m5", "Хорошо", quoted_id="nobody's")
    await bench.deletes("m2")
    await bench.at(NOON + timedelta(hours=1))
    (text,) = bench.texts()
    assert [line.partition("Клиент 7: ")[2] for line in text.splitlines()[1:]] == [
        "Есть в дубе?",
        "[сообщение удалено]",
        "(в ответ на «Есть в дубе?») Да",
        "Нет",
        "Хорошо",
    ]


async def test_case_31_of_two_contacts_with_one_number_the_one_with_the_deal_is_taken(shop: ChatShop) -> None:
    await shop.office.know_client(CLIENT)  # contact 501 with its open deal 601
    await shop.pool.execute(
        "INSERT INTO directory_entity (account_id, kind, entity_id, name, owner_id, updated_at)"
        " VALUES ($1, 'contact', '502', 'Двойник', '2', now() + interval '1 hour')",
        ACCOUNT,
    )
    await shop.pool.execute(
        "INSERT INTO directory_number (account_id, number, kind, entity_id) VALUES ($1, $2, 'contact', '502')",
        ACCOUNT,
        int(CLIENT[1:]),
    )
    await shop.told(client_message("m1", phone=CLIENT), client_message("m2", phone=CLIENT))
    (dialogue,) = await shop.dialogues()
    assert (dialogue["contact"]["id"], dialogue["deal"]["id"]) == ("501", "601")
    assert await shop.office.effects() == []  # nobody is made a third time
    await shop.pool.execute(
        "UPDATE directory_entity SET is_open = false, closed_at = now() WHERE kind = 'deal'"
    )
    await shop.told(client_message("m3", phone=CLIENT))
    (made,) = await shop.office.effects()  # without an open deal: the one that changed last
    assert (made["what"], made["ordered"]["contact"]["id"]) == ("create_deal", "502")


async def test_a_number_that_is_told_after_the_dialogue_has_begun_makes_no_twin(shop: ChatShop) -> None:
    """An echo from the phone says nothing of the number; the client's own messages do, in another channel at the same moment too."""
    await shop.connect("c2", "Telegram")
    await shop.told(echo_of(SentIntoChat("e1", "", "7", "Добрый день"), "phone"))
    first, second = client_message("m1", phone=CLIENT), client_message("m1", chat="9", phone=CLIENT)
    events = a_call(client=CLIENT)
    await asyncio.gather(shop.tell(first), shop.tell(second, channel="c2"), shop.office.tell_all(events))
    await shop.idle()
    made = [e["what"] for e in await shop.office.effects("create_contact", "create_deal")]
    assert sorted(made) == ["create_contact", "create_deal"]
    one, other = await shop.dialogues()
    assert (one["client_key"], one["number"]) == ("chat:c1:7", CLIENT)
    assert one["deal"] == other["deal"]
    await shop.told(client_message("m2", phone=CLIENT), client_message("m3", phone=CLIENT))
    assert len(await shop.office.effects("create_contact", "create_deal")) == 2


async def test_a_chat_whose_number_is_told_late_keeps_its_own_deal(shop: ChatShop) -> None:
    await shop.told(client_message("m1"))
    await shop.office.know_client(CLIENT)  # somebody with this number and a deal of their own
    (before,) = await shop.dialogues()
    await shop.told(client_message("m2", phone=CLIENT))
    (after,) = await shop.dialogues()
    assert after["deal"] == before["deal"]
    assert len(await shop.office.effects("create_contact", "create_deal")) == 2


class _Hasty(SandboxChannelKind):
    """A messenger that waits for two seconds, as Avito does."""

    capabilities: ClassVar[ChannelCapabilities] = ChannelCapabilities(
        has_webhooks=True, answer_within=timedelta(seconds=2)
    )


@asynccontextmanager
async def _door_behind(database_url: str, kind: SandboxChannelKind) -> AsyncIterator[tuple[str, Proxy]]:
    """The address of channel c1, at a door whose line to the database can fall silent."""
    proxy = Proxy(urlsplit(database_url).port)
    await proxy.start()
    dsn = database_url.replace(f":{urlsplit(database_url).port}", f":{proxy.port}")
    pool = await open_pool(dsn, max_size=4)
    app = web.Application()
    app.router.add_post(
        "/channels/{channel}/{secret}", ChannelDoor(pool, Strangers(), kinds={"sandbox": kind}).handle
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/channels/c1/{SECRET}", proxy
    finally:
        proxy.speaks.set()
        await runner.cleanup()
        pool.terminate()
        await proxy.stop()


@pytest.mark.parametrize(("kind", "within"), [(_Hasty(), 2.0), (SandboxChannelKind(), 5.0)])
async def test_case_48_a_webhook_is_answered_in_time_though_the_database_is_slow_or_silent(
    shop: ChatShop, database_url: str, kind: SandboxChannelKind, within: float
) -> None:
    """Two seconds where the messenger grants two, five where it grants five; what was not taken is told again, and stored once."""

    async def told(address: str, *ids: str) -> tuple[list[int], float]:
        began = time.monotonic()
        statuses = await asyncio.gather(*(tell(shop.session, address, [client_message(id)]) for id in ids))
        return [status for (status,) in statuses], time.monotonic() - began

    async with _door_behind(database_url, kind) as (address, proxy):
        assert (await told(address, "m1"))[0] == [200]
        async with shop.pool.acquire() as conn, conn.transaction():
            await conn.execute("LOCK TABLE channel_update IN ACCESS EXCLUSIVE MODE")  # slow: nobody gets on
            statuses, took = await told(address, "m2", "m3")
        assert (statuses, took < within) == ([503, 503], True), took
        proxy.speaks.clear()  # silent: no answer, and no end of a connection
        statuses, took = await told(address, *(f"m{n}" for n in range(4, 12)))
        assert (set(statuses), took < within) == ({503}, True), took
        proxy.speaks.set()

        async def is_taken_again() -> bool:
            return set((await told(address, *(f"m{n}" for n in range(1, 12))))[0]) == {200}

        while not await is_taken_again():
            await asyncio.sleep(0.2)
    await shop.idle()
    assert sorted(m["outside_id"] for m in await shop.messages()) == sorted(f"m{n}" for n in range(1, 12))
