"""Whoever works on distribution takes its locks in one order: the deals, the templates, the items."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise

import pytest

from gateway.distribution.asked import ask_for
from gateway.store.distribution import items
from gateway.store.distribution.ledgers import hold_template
from gateway.store.distribution.templates import remove_template
from routing.distribution.template import TemplateHours
from runtime.database import locks
from runtime.database.pool import Conn
from tests.integration.distribution.shop import ACCOUNT, Shop, turn
from tests.waiting import until


async def _somebody_waits(shop: Shop) -> bool:
    return bool(
        await shop.pool.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
    )


async def test_a_template_is_removed_while_somebody_gives_its_deal_by_hand(shop: Shop) -> None:
    await shop.serve(turn())
    deal = await shop.came_in()
    async with shop.pool.acquire() as conn, conn.transaction():
        await ask_for(conn, ACCOUNT, "t", deal, source="api")
    await shop.owned(deal, "13")
    async with shop.pool.acquire() as conn, conn.transaction():
        await hold_template(conn, ACCOUNT, "t")
        by_hand = asyncio.create_task(shop.work(deal))
        await until(partial(_somebody_waits, shop), "who gives it by hand waits for the template")
        await remove_template(conn, ACCOUNT, "t")
    await by_hand
    assert {(i.state, i.reason) for i in await shop.items()} == {
        ("cancelled", "overridden"),
        ("cancelled", "template_removed"),
    }


@pytest.mark.parametrize("work", ["look_again", "cancel_waiting", "put_off_alike"])
async def test_what_changes_all_that_waits_takes_items_in_the_order_in_which_they_are_given(
    shop: Shop, work: str
) -> None:
    await shop.works(False)
    await shop.serve(turn(working_time=TemplateHours(mode="common")))
    for _ in range(8):
        await shop.came_in()
    stored = [
        row["item_id"] for row in await shop.pool.fetch("SELECT item_id FROM distribution_item ORDER BY ctid")
    ]
    early, late = next((a, b) for a, b in pairwise(stored) if a > b)  # the other way round in the table
    await shop.pool.execute(
        "UPDATE distribution_item SET state = 'given' WHERE NOT item_id = ANY($1)", [early, late]
    )
    await shop.pool.execute("UPDATE distribution_item SET reason = 'r', due_at = now() + $1", _AHEAD[work])
    changes: dict[str, Callable[[Conn], Awaitable[object]]] = {
        "look_again": lambda conn: items.look_again(conn, [ACCOUNT]),
        "cancel_waiting": lambda conn: items.cancel_waiting(conn, ACCOUNT, "t", "template_removed"),
        "put_off_alike": lambda conn: items.put_off_alike(conn, ACCOUNT, "t", "r", datetime.now(UTC)),
    }

    async def change() -> None:
        async with shop.pool.acquire() as conn:
            await changes[work](conn)

    async with shop.pool.acquire() as conn, conn.transaction():
        await items.items_of(conn, ACCOUNT, [late], lock=True)
        changing = asyncio.create_task(change())
        await until(partial(_somebody_waits, shop), "the other one waits")
        await items.items_of(conn, ACCOUNT, [early], lock=True)
    await changing


_AHEAD = {
    "look_again": timedelta(hours=1),
    "cancel_waiting": timedelta(hours=1),
    "put_off_alike": -timedelta(hours=1),
}


async def test_deals_that_nobody_told_of_are_looked_for_by_one_process_at_a_time(shop: Shop) -> None:
    await shop.serve(turn())
    await shop.pool.execute("UPDATE distribution_attachment SET since = now() - interval '1 hour'")
    await shop.deal(created_at=datetime.now(UTC) - timedelta(minutes=10))
    async with shop.pool.acquire() as conn, conn.transaction():
        assert await locks.try_take(conn, locks.DISTRIBUTION_SWEEP)
        assert await shop.distributor.sweep() == 0
    assert await shop.distributor.sweep() == 1
