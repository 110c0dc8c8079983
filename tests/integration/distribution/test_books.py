"""What a pick books stands and falls with the pick: all of it or nothing, once, and taken back once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from gateway.store.distribution import items
from gateway.store.distribution.items import NewItem
from gateway.store.distribution.ledgers import (
    Ledgers,
    hold_template,
    ledgers_of,
    replayed,
    save_ledgers,
    take_back,
)
from routing.distribution.ledger import UNIT, TurnLedger
from tests.integration.distribution.shop import ACCOUNT, STAGE, Shop, people_of, turn

_REFUSE_EFFECTS = """
CREATE FUNCTION refuse_effects() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no room for effects'; END $$;
CREATE TRIGGER refused BEFORE INSERT ON effect FOR EACH ROW EXECUTE FUNCTION refuse_effects();
"""


async def _waits(shop: Shop, deal: str) -> bool:
    """Whether it was kept: it was not there yet."""
    new = NewItem(
        template="t",
        entity_id=deal,
        source="api",
        entered_at=datetime.now(UTC),
        pipeline_id=STAGE[0],
        stage_id=STAGE[1],
        key=deal,
    )
    async with shop.pool.acquire() as conn:
        return await items.add_item(conn, ACCOUNT, new) is not None


async def test_a_deal_is_kept_once_for_one_entry_into_a_stage(shop: Shop) -> None:
    await shop.save(turn())
    deal = await shop.deal()
    assert [await _waits(shop, deal) for _ in range(3)] == [True, False, False]
    await shop.distributor.turn()
    assert people_of(await shop.items()) == ["anna"]


async def test_a_pick_that_cannot_be_written_to_its_end_has_booked_nothing(shop: Shop) -> None:
    await shop.save(turn())
    deal = await shop.deal()
    assert await _waits(shop, deal)
    await shop.pool.execute(_REFUSE_EFFECTS)
    await shop.distributor.turn()
    item = await shop.item(deal)
    assert (item.state, item.failures) == ("waiting", 1)
    async with shop.pool.acquire() as conn:
        assert await ledgers_of(conn, ACCOUNT, "t") == {}
    assert await shop.pool.fetchval("SELECT count(*) FROM distribution_journal") == 0
    await shop.pool.execute("DROP TRIGGER refused ON effect")
    await shop.time_passes(minutes=1)
    await shop.distributor.turn()
    assert await shop.owner(deal) == "anna"
    async with shop.pool.acquire() as conn:
        assert await replayed(conn, ACCOUNT, "t") == await ledgers_of(conn, ACCOUNT, "t") != {}


async def test_what_was_taken_back_is_not_taken_back_again(shop: Shop) -> None:
    await shop.serve(turn())
    await shop.came_in()
    deal = await shop.came_in()
    item = await shop.item(deal)
    assert item.decision_id is not None
    for _ in range(2):
        async with shop.pool.acquire() as conn, conn.transaction():
            held = await hold_template(conn, ACCOUNT, "t")
            assert held is not None
            await take_back(conn, ACCOUNT, held, [item.decision_id], "test", datetime.now(UTC))
    async with shop.pool.acquire() as conn:
        ledgers = await ledgers_of(conn, ACCOUNT, "t")
        assert await replayed(conn, ACCOUNT, "t") == ledgers
    assert sum(ledgers[""].credits.values()) == 0
    assert await shop.owner(await shop.came_in()) == "boris", "the turn that was taken back is the next one's"


async def test_whoever_picks_by_a_template_waits_for_who_is_picking_by_it(shop: Shop) -> None:
    await shop.save(turn())
    booked = {"": TurnLedger(credits={"anna": -UNIT, "boris": UNIT}, number=1)}

    async def hold() -> Ledgers:
        async with shop.pool.acquire() as conn, conn.transaction():
            held = await hold_template(conn, ACCOUNT, "t")
            assert held is not None
            return held.ledgers

    async with shop.pool.acquire() as conn, conn.transaction():
        assert await hold_template(conn, ACCOUNT, "t")
        second = asyncio.create_task(hold())
        await asyncio.wait([second], timeout=0.5)
        await save_ledgers(conn, ACCOUNT, "t", booked)
    assert await second == booked
