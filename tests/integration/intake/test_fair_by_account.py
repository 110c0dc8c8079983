"""One account's burst holds up no other account's calls."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest

from gateway.pbx.port import Parsed
from gateway.store.admin import accounts
from routing.settings import NumberPolicy
from tests.integration.intake.office import Office, a_call, an_office
from tests.waiting import until

BURST = 400
_LEFT = "SELECT count(*) FROM inbox WHERE account_id = 'burst' AND state = 'pending'"
_OURS = "SELECT state = 'applied' FROM inbox WHERE account_id = 'main'"


@pytest.fixture
async def office(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Office]:
    made = await an_office(pool, database_url, workers=1)
    async with pool.acquire() as conn:
        await accounts.add_account(conn, account_id="burst", name="Burst", base_url="http://127.0.0.1:1")
    async with made.inbox:
        yield made
        await made.stop()


async def _burst(office: Office, first: int, count: int) -> None:
    connection = dataclasses.replace(office.connection, account_id="burst")
    for number in range(first, first + count):
        (event, *_) = a_call(f"k{number}", client=f"+7900{number:07d}")
        text = event.model_dump_json()
        parsed = Parsed(canonical=text, events=(event,))
        await office.inbox.accept(connection, parsed, text.encode(), office.clock(), NumberPolicy())


async def test_a_call_is_worked_on_at_once_while_another_account_has_hundreds_waiting(
    office: Office,
) -> None:
    await _burst(office, 0, BURST)
    await office.tell(a_call()[0])
    began = time.monotonic()
    await office.start()
    await until(lambda: office.pool.fetchval(_OURS), "our call is worked on", seconds=30)
    left = await office.pool.fetchval(_LEFT)
    print(f"after {time.monotonic() - began:.2f} s, {left} of {BURST} of the other account's left")
    assert left > 0.9 * BURST


async def test_what_an_account_has_waiting_is_worked_on_in_the_end(office: Office) -> None:
    await _burst(office, 0, 60)
    await office.start()
    for number in range(3):
        await office.tell(a_call(f"c{number}")[0])
        await asyncio.sleep(0.05)
    await office.idle()
    assert await office.pool.fetchval(_LEFT) == 0
