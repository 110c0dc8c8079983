"""`make shift-change`: 3,000 deals of five people pass to those left and come back, beside live work, killed five times.

Prints what it measured. Not part of `make test`: it takes minutes.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from math import ceil

import asyncpg
import pytest

from crm.effects.order import ClientEffect, order, order_each
from crm.lane import Lane
from routing.client import Ref
from routing.effects import AddNote, Effect, GiveTasks
from tests.integration.crm.running_worker import ACCOUNT
from tests.integration.shift_change.office import NAMES, Office, office
from tests.integration.shift_change.test_killed import (
    Workers,
    assert_each_moved_once,
    is_over,
    move_and_return,
)
from tests.waiting import until

EACH = 600
_SLOW = {
    "match": {"method": "PATCH", "path": "/api/v4/leads"},
    "always": True,
    "fault": "latency",
    "ms": 1500,
}
_MOST_LIVE_SECONDS = 3.0
_MISSED = 300


@pytest.fixture
async def five(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Office]:
    async with office(pool, database_url) as made:
        yield made


async def _note(five: Office, name: str) -> float:
    """Seconds from the order of a live call's note until it stands in the CRM."""
    began = time.monotonic()
    deal = str(next(iter(five.deals)))
    effect = Effect(key=name, order=AddNote(target=Ref(kind="deal", id=deal), text=name))
    async with five.pool.acquire() as conn, conn.transaction():
        await order(
            conn,
            account_id=ACCOUNT,
            decision_id="live",
            call_id=None,
            client=name,
            lane=Lane.EVENTS,
            effects=[effect],
        )
    await until(
        lambda: five.pool.fetchval("SELECT state = 'done' FROM effect WHERE effect_key = $1", name),
        "the live note is written",
        seconds=60,
    )
    return time.monotonic() - began


async def _backfill(five: Office) -> None:
    """What was missed while an account was off is made good: requests for more than half a minute of the whole budget."""
    effects = [
        ClientEffect(
            f"missed-{n}",
            "backfill",
            Effect(
                key=f"backfill-{n}",
                order=GiveTasks(target=Ref(kind="deal", id=str(deal)), owner_before="1", owner_id="2"),
            ),
        )
        for n, deal in zip(range(_MISSED), five.deals, strict=False)
    ]
    async with five.pool.acquire() as conn, conn.transaction():
        await order_each(conn, account_id=ACCOUNT, lane=Lane.BACKFILL, effects=effects)


async def _is_backfilling(five: Office) -> bool:
    found: bool = await five.pool.fetchval(
        "SELECT EXISTS (SELECT 1 FROM effect WHERE lane = $1 AND state <> 'done')", int(Lane.BACKFILL)
    )
    return found


async def _notes(five: Office, prefix: str, count: int) -> list[float]:
    taken = []
    for n in range(count):
        taken.append(await _note(five, f"{prefix}-{n}"))
        await asyncio.sleep(0.3)
    return taken


def _said(name: str, seconds: list[float]) -> str:
    return (
        f"{name}: median {statistics.median(seconds):.2f} s, longest {max(seconds):.2f} s of {len(seconds)}"
    )


@pytest.mark.timeout(1800)
async def test_live_work_is_not_delayed_and_requests_are_few(five: Office) -> None:
    five.seed(EACH)
    await five.open()
    workers = Workers(five.site)
    await workers.start()
    try:
        await five.known(seconds=300)
        quiet = await _notes(five, "quiet", 10)
        began = time.monotonic()
        for name in NAMES[:4]:
            await five.leave(name)
        beside = await _notes(five, "beside", 10)
        await _backfill(five)
        beside_both = await _notes(five, "beside-both", 10)
        assert await _is_backfilling(five)
        await until(lambda: is_over(five, 4), "every move is over", seconds=600)
        took = time.monotonic() - began
        sent = len(await five.requests("PATCH", "/api/v4/leads"))
        print(
            f"\n{4 * EACH} deals in {took:.0f} s, {sent} requests; most in any second: {await five.most_in_a_second()}"
        )
        print(_said("live notes, nothing else", quiet))
        print(_said("live notes, beside the move", beside))
        print(_said("live notes, beside the move and a backfill", beside_both))
        for name in NAMES[:4]:
            await five.come(name)
        await until(lambda: is_over(five, 8), "all are back", seconds=600)
        back = len(await five.requests("PATCH", "/api/v4/leads")) - sent
    finally:
        await workers.kill()
    assert five.owners() == five.deals
    await assert_each_moved_once(five, "away", 4 * EACH)
    await assert_each_moved_once(five, "return", 4 * EACH)
    assert 4 * EACH / 250 <= sent <= ceil(4 * EACH / 50)
    assert back <= ceil(4 * EACH / 50)
    assert await five.most_in_a_second() <= 7
    for busy in (beside, beside_both):
        assert statistics.median(busy) <= statistics.median(quiet) + _MOST_LIVE_SECONDS


@pytest.mark.timeout(1800)
async def test_killed_five_times_on_the_way(five: Office) -> None:
    five.seed(EACH)
    await five.open()
    await five.site.spoil(_SLOW)
    await move_and_return(five, NAMES[:4], (3, 2), EACH)
