"""The senders of a worker as it runs them: by a lease, for each provider that is on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import aiohttp
import asyncpg

from gateway.sms.work import SmsSenders
from runtime.database.lease import Leases
from runtime.lifecycle import background
from tests.integration.sms_sending.desk import Desk
from tests.waiting import until


async def test_two_workers_send_what_waits_once_and_a_changed_provider_is_opened_anew(
    pool: asyncpg.Pool, database_url: str
) -> None:
    desk = Desk(pool, now=datetime.now(UTC))
    await desk.open()
    await desk.connect(delivered_after_seconds=0)
    await desk.deal()
    await desk.order(any_hour=True)
    await desk.texts.turn()

    async def is_delivered() -> bool:
        return [m["state"] for m in await desk.messages()] == ["delivered"]

    async with aiohttp.ClientSession() as session:
        workers = [SmsSenders(pool, Leases(database_url), session, "http://x.example") for _ in range(2)]
        runs = [run for worker in workers for run in (worker.loop.run(), worker.run())]
        async with background(*runs):
            await until(is_delivered, "the text is delivered", seconds=20)
            await pool.execute("UPDATE sms_connection SET settings = '{\"delivered_after_seconds\": 1}'")
            await asyncio.sleep(2.5)
            await desk.order("again", any_hour=True, template="Ещё раз")
            await desk.texts.turn()

            async def are_delivered() -> bool:
                return [m["state"] for m in await desk.messages()] == ["delivered"] * 2

            await until(are_delivered, "both are delivered", seconds=20)
    assert (await desk.item(), await desk.item("again")) == (("succeeded", "delivered"),) * 2
