"""How long a call of one account waits for a worker while another account has thousands of clients waiting."""

from __future__ import annotations

import asyncio
import dataclasses
import statistics
import time

import asyncpg
import uvloop

from gateway.pbx.port import Parsed
from gateway.store.admin import accounts
from routing.settings import NumberPolicy
from runtime.database.pool import open_pool
from tests.bench.report import Figure, at_most, plain
from tests.bench.servers import throwaway_database
from tests.integration.intake.office import Office, a_call, an_office

_AT_ONCE = 64
_MOST_SECONDS = 1.0
_CALLS = 20
_EVERY_SECONDS = 0.2
_BURST = "burst"


def bench_fair_by_account(clients: int) -> list[Figure]:
    """One worker, on a server that syncs to disk: the first calls of the one account are told while the clients of the other
    are worked on."""
    with throwaway_database(durable=True) as dsn:
        return uvloop.run(_measure(dsn, clients))


async def _measure(dsn: str, clients: int) -> list[Figure]:
    pool = await open_pool(dsn, max_size=10)
    office = await an_office(pool, dsn, workers=1)
    async with pool.acquire() as conn:
        await accounts.add_account(conn, account_id=_BURST, name="Burst", base_url="http://127.0.0.1:1")
    async with office.inbox:
        await office.start()
        alone = await _calls(office, "alone")
        began = time.monotonic()
        await _burst(office, clients)
        beside = await _calls(office, "beside")
        waiting = await _waiting(pool)
        while await _waiting(pool):
            await asyncio.sleep(0.1)
        seconds = time.monotonic() - began
        await office.stop()
    await pool.close()
    note = f"{waiting:,} of {clients:,} clients still waited after the last of {_CALLS} calls"
    return [
        plain("a call is worked on, nothing else waits", statistics.median(alone) * 1000, "ms", "median"),
        at_most(f"the same beside {clients:,} clients of another account", max(beside), _MOST_SECONDS, "s", f"worst; {note}"),
        plain("median of these", statistics.median(beside) * 1000, "ms"),
        plain("clients of the other account", clients / seconds, "clients/s", "told and worked on, one worker"),
    ]  # fmt: skip


async def _calls(office: Office, name: str) -> list[float]:
    """Seconds from telling until applied, of calls one after the other."""
    took = []
    for number in range(_CALLS):
        await asyncio.sleep(_EVERY_SECONDS)
        began = time.monotonic()
        await office.tell(a_call(f"{name}{number}", client=f"+7916{name == 'alone':d}{number:06d}")[0])
        while await office.pool.fetchval(
            "SELECT count(*) FROM inbox WHERE account_id = 'main' AND state = 'pending'"
        ):
            await asyncio.sleep(0.005)
        took.append(time.monotonic() - began)
    return took


async def _burst(office: Office, clients: int) -> None:
    connection = dataclasses.replace(office.connection, account_id=_BURST)
    turns = asyncio.Semaphore(_AT_ONCE)

    async def tell(number: int) -> None:
        (event, *_) = a_call(f"k{number}", client=f"+7900{number:07d}")
        text = event.model_dump_json()
        parsed = Parsed(canonical=text, events=(event,))
        async with turns:
            await office.inbox.accept(connection, parsed, text.encode(), office.clock(), NumberPolicy())

    await asyncio.gather(*(tell(number) for number in range(clients)))


async def _waiting(pool: asyncpg.Pool) -> int:
    found: int = await pool.fetchval(
        "SELECT count(*) FROM inbox WHERE account_id = $1 AND state = 'pending'", _BURST
    )
    return found
