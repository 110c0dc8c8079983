"""After an outage what was missed is read from the history, once and in order; where there is none, the gap is seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from gateway.channels.afterwards.gaps import ChannelListening, GapRepair, heard
from gateway.store.channels.gaps import ChannelGap, gaps_in_dialogue, gaps_of_channel
from sms.channels.kinds import CHANNEL_KINDS
from tests.fakes.channels.sandbox import FakeMessenger, client_message
from tests.fakes.channels.telegram import TOKEN
from tests.fakes.channels.wazzup import API_KEY, CHANNEL
from tests.fakes.sms.server import serving
from tests.integration.channels.shop import ChatShop
from tests.integration.intake.office import ACCOUNT

NOW = datetime.now(UTC).replace(microsecond=0)
DAYS_AGO = NOW - timedelta(days=3)
HOUR = timedelta(hours=1)


async def gaps(shop: ChatShop, id: str) -> list[ChannelGap]:
    async with shop.pool.acquire() as conn:
        return await gaps_of_channel(conn, ACCOUNT, id)


async def door_stands(shop: ChatShop, at: datetime) -> None:
    await ChannelListening(shop.pool, lambda: at).turn()


async def repaired(shop: ChatShop, *, turns: int = 20) -> int:
    """As a worker does; how many pages were asked for."""
    async with aiohttp.ClientSession() as session:
        saved = await shop.channel()
        channel = CHANNEL_KINDS["sandbox"].open(session, saved.channel)
        repair = GapRepair(shop.pool, saved, channel, lambda: NOW)
        pages = 0
        while pages < turns and await repair.turn([saved]):
            pages += 1
        await shop.idle()
        return pages


def at(id: str, when: datetime, **more: Any) -> dict[str, Any]:
    return client_message(id, text=id, at=when.isoformat(), **more)


async def test_case_49_three_days_that_a_history_tells_are_stored_once_and_in_order(shop: ChatShop) -> None:
    async with serving(FakeMessenger()) as fake:
        await shop.change(settings={"base_url": fake.url})
        await door_stands(shop, DAYS_AGO)
        before, missed, after = (
            at("before", DAYS_AGO - HOUR / 30),
            [at(f"missed {n}", DAYS_AGO + n * HOUR) for n in range(1, 6)],
            at("after", NOW),
        )
        await shop.told(before)
        fake.updates = [before, *missed, after]
        await shop.told(after, missed[4])  # one that the messenger has told again by itself
        await door_stands(shop, NOW)
        assert [(g.from_at, g.to_at, g.state) for g in await gaps(shop, "c1")] == [
            (DAYS_AGO, NOW, "repairing")
        ]
        assert await repaired(shop, turns=1) == 1
        assert [g.state for g in await gaps(shop, "c1")] == [
            "repairing"
        ]  # the worker dies after the first page, another goes on
        assert await repaired(shop) == 3
        [gap] = await gaps(shop, "c1")
        assert (gap.state, gap.found) == ("repaired", 4)
        assert await shop.texts() == ["before", *(f"missed {n}" for n in range(1, 6)), "after"]
        assert len(await shop.office.effects("create_deal")) == 1
        async with shop.pool.acquire() as conn:
            assert await gaps_in_dialogue(conn, ACCOUNT, (await shop.dialogues())[0]["dialogue_id"]) == []
        await door_stands(shop, NOW + HOUR / 30)
        assert len(await gaps(shop, "c1")) == 1


async def test_case_49_without_a_history_the_gap_is_seen_in_the_channel_and_its_dialogues(
    shop: ChatShop,
) -> None:
    await shop.connect("cw", "Wazzup", kind="wazzup", keys={"api_key": API_KEY}, channel_id=CHANNEL)
    await shop.connect("ct", "Telegram", kind="telegram", keys={"token": TOKEN})
    await shop.told(client_message("m1"))
    async with shop.pool.acquire() as conn:
        for moment in (
            DAYS_AGO,
            NOW - timedelta(days=2, hours=23),
            NOW,
        ):  # Telegram is polled: its worker notes it
            await heard(conn, await shop.channel("ct"), moment)
    await door_stands(shop, DAYS_AGO)
    await shop.told({"told": "channel", "state": "unauthorised"})
    await shop.pool.execute("UPDATE channel SET state = 'unauthorised' WHERE channel_id = 'cw'")
    await door_stands(shop, NOW - HOUR)  # it stands, and nothing comes to it
    assert await gaps(shop, "cw") == []
    await shop.pool.execute("UPDATE channel SET state = 'active'")
    await door_stands(shop, NOW)
    assert [(g.from_at, g.to_at, g.state) for g in await gaps(shop, "cw")] == [(DAYS_AGO, NOW, "open")]
    assert [(g.from_at, g.to_at, g.state) for g in await gaps(shop, "ct")] == [
        (NOW - timedelta(days=2, hours=23), NOW - timedelta(days=1), "open"),
    ]
    # A sandbox without an address keeps none either, though its kind has a history: nobody hides that.
    [waits] = await gaps(shop, "c1")
    assert waits.state == "repairing"
    assert await repaired(shop) == 1
    [gap] = await gaps(shop, "c1")
    assert gap.state == "open"
    await shop.pool.execute("UPDATE dialogue SET created_at = now() - interval '9 days'")
    async with shop.pool.acquire() as conn:
        seen = await gaps_in_dialogue(conn, ACCOUNT, (await shop.dialogues())[0]["dialogue_id"])
    assert [(g.from_at, g.to_at, g.state) for g in seen] == [(DAYS_AGO, NOW, "open")]


async def test_case_49_who_begins_to_write_after_an_outage_may_have_written_in_it(shop: ChatShop) -> None:
    """What Telegram keeps for a day comes afterwards: the gap ends a day before the dialogue begins."""
    await shop.connect("ct", "Telegram", kind="telegram", keys={"token": TOKEN})
    async with shop.pool.acquire() as conn:
        for moment in (DAYS_AGO, NOW):
            await heard(conn, await shop.channel("ct"), moment)
        id = await conn.fetchval(
            "INSERT INTO dialogue (account_id, channel_id, chat_id, kind, client_key, created_at)"
            " VALUES ($1, 'ct', '7', 'private', 'chat:ct:7', $2) RETURNING dialogue_id",
            ACCOUNT,
            NOW + HOUR,
        )
        seen = await gaps_in_dialogue(conn, ACCOUNT, id)
    assert [(g.from_at, g.to_at) for g in seen] == [(DAYS_AGO, NOW - timedelta(days=1))]


async def test_a_history_that_cannot_be_read_is_asked_again_and_in_the_end_the_gap_is_seen(
    shop: ChatShop,
) -> None:
    await shop.change(settings={"base_url": "http://127.0.0.1:9", "answer_seconds": "1"})  # nobody is there
    await door_stands(shop, DAYS_AGO)
    await door_stands(shop, NOW)
    assert await repaired(shop) == 1
    [gap] = await gaps(shop, "c1")
    assert (gap.state, gap.failures) == ("repairing", 1)
    await shop.pool.execute(
        "UPDATE channel_gap SET created_at = created_at - interval '4 days', try_at = created_at"
    )
    assert await repaired(shop) == 1
    assert [g.state for g in await gaps(shop, "c1")] == ["open"]
