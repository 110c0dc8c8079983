"""What may go out at once wakes whoever sends it, in every process; polling is for what becomes due."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial

import asyncpg
import pytest

from runtime.database import channels
from runtime.database.listen import Listener
from runtime.lifecycle import background
from runtime.loops import Loop
from tests.integration.sms_sending.desk import ACCOUNT, Desk
from tests.waiting import until

_ITEM = (
    'INSERT INTO outbound_item (account_id, item_id, kind, source, state, "order")'
    " VALUES ($1, $2, $3, 'trigger', $4, '{}')"
)
_FIRING = (
    "INSERT INTO firing (account_id, firing_id, trigger, version, deal_id, cause_key, cause, source, happened_at)"
    " VALUES ($1, 'f', 't', 1, '7', 'c', '{}', 'hook', now())"
)
_MESSAGE = (
    "INSERT INTO sms_message (account_id, connection, number, text, encoding, parts, fresh_until, expires_at)"
    " VALUES ($1, 'texts', '+79161234567', 'x', 'gsm7', 1, now(), now())"
)


@pytest.fixture
async def desk(pool: asyncpg.Pool) -> Desk:
    desk = Desk(pool, now=datetime.now(UTC))
    await desk.open()
    return desk


@pytest.fixture
async def listener(database_url: str) -> AsyncIterator[Listener]:
    listener = Listener(database_url)
    async with background(listener.run()):
        await until(lambda: listener.is_connected, "the process listens")
        yield listener


async def test_each_is_woken_by_what_is_its_to_send_and_by_nothing_else(
    desk: Desk, listener: Listener
) -> None:
    heard: Counter[str] = Counter()
    names = ("firings", "calls", "texts", "messages")
    with listener.wakes(channels.OUTBOUND, {name: partial(heard.update, [name]) for name in names}):
        await until(lambda: len(heard) == 4, "all look after the connection was made")
        for statement, values, who in (
            (_FIRING, (), "firings"),
            (_ITEM, ("c", "callback", "waiting"), "calls"),
            (_ITEM, ("m", "campaign", "waiting"), "calls"),
            (_ITEM, ("s", "sms", "waiting"), "texts"),
            (_MESSAGE, (), "messages"),
        ):
            heard.clear()
            await desk.pool.execute(_ITEM, ACCOUNT, f"held {statement} {values}", "campaign", "held")
            await desk.pool.execute(statement, ACCOUNT, *values)
            await until(partial(heard.__contains__, who), f"{who} is woken")
            assert heard == {who: 1}


async def test_an_item_that_waits_again_wakes_and_a_loop_does_not_wait_for_its_turn(
    desk: Desk, listener: Listener
) -> None:
    turns: list[str] = []

    async def turn() -> None:
        rows = await desk.pool.fetch("SELECT item_id FROM outbound_item WHERE state = 'waiting'")
        turns.extend(row["item_id"] for row in rows)

    loop = Loop("calls", turn, every_seconds=3600)
    async with background(loop.run()):
        with listener.wakes(channels.OUTBOUND, {"calls": loop.wake}):
            await desk.pool.execute(_ITEM, ACCOUNT, "held", "campaign", "held")
            await asyncio.sleep(0.1)
            await desk.pool.execute("UPDATE outbound_item SET state = 'waiting'")
            await until(lambda: "held" in turns, "its turn comes at once")


async def test_a_sender_rests_until_something_waits(desk: Desk) -> None:
    async with desk.sending(await desk.connect()) as sender:
        await sender.turn()
        resting = asyncio.create_task(sender.rest(60))
        await asyncio.sleep(0.05)
        assert not resting.done()
        sender.wake()
        await asyncio.wait_for(resting, 5)
