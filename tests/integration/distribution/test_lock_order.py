"""Whoever works on distribution takes its locks in one order: the deals, the templates, the items."""

from __future__ import annotations

import asyncio

from gateway.distribution.asked import ask_for
from gateway.store.distribution.ledgers import hold_template
from gateway.store.distribution.templates import remove_template
from tests.integration.distribution.shop import ACCOUNT, Shop, turn
from tests.waiting import until


async def test_a_template_is_removed_while_somebody_gives_its_deal_by_hand(shop: Shop) -> None:
    await shop.serve(turn())
    deal = await shop.came_in()
    async with shop.pool.acquire() as conn, conn.transaction():
        await ask_for(conn, ACCOUNT, "t", deal, source="api")
    await shop.owned(deal, "13")

    async def waits() -> bool:
        return bool(
            await shop.pool.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
        )

    async with shop.pool.acquire() as conn, conn.transaction():
        await hold_template(conn, ACCOUNT, "t")
        by_hand = asyncio.create_task(shop.work(deal))
        await until(waits, "who gives it by hand waits for the template")
        await remove_template(conn, ACCOUNT, "t")
    await by_hand
    assert {(i.state, i.reason) for i in await shop.items()} == {
        ("cancelled", "overridden"),
        ("cancelled", "template_removed"),
    }
