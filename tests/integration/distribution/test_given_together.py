"""What has gathered is given many at a time: as if one after the other, and one that cannot be given stops none of the others."""

from __future__ import annotations

from gateway.store.distribution.ledgers import ledgers_of, replayed
from routing.distribution.template import WindowLimit
from tests.integration.distribution.shop import ACCOUNT, ANNA, BORIS, Shop, people_of, turn

# As a fault in the program would: whatever is decided of this deal fails, and goes on failing.
_BROKEN = """
CREATE FUNCTION breaks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'broken' USING ERRCODE = 'data_exception';
END $$;
CREATE TRIGGER breaks BEFORE UPDATE ON distribution_item FOR EACH ROW
    WHEN (NEW.entity_id = '{deal}' AND NEW.decision_id IS NOT NULL) EXECUTE FUNCTION breaks();
"""


async def _gathered(shop: Shop, count: int) -> list[str]:
    """Deals that came in while the account was off, and are given in one turn of the loop."""
    await shop.pool.execute("UPDATE account SET state = 'off'")
    deals = [await shop.came_in() for _ in range(count)]
    await shop.pool.execute("UPDATE account SET state = 'on'")
    return deals


async def test_sixty_deals_in_one_turn_go_to_one_after_the_other_by_an_unbroken_journal(
    shop: Shop,
) -> None:
    await shop.serve(turn())
    await _gathered(shop, 60)
    await shop.distributor.turn()
    assert people_of(await shop.items()) == [("anna", "boris", "vera")[n % 3] for n in range(60)]
    async with shop.pool.acquire() as conn:
        ledgers = await ledgers_of(conn, ACCOUNT, "t")
        assert ledgers == await replayed(conn, ACCOUNT, "t")
    assert ledgers[""].number == 60
    assert await shop.pool.fetchval("SELECT count(*) FROM effect") == 60
    assert await shop.pool.fetchval("SELECT count(DISTINCT decision_id) FROM effect") == 60


async def test_one_that_cannot_be_given_stops_none_of_those_with_it(shop: Shop) -> None:
    await shop.serve(turn(ANNA, BORIS))
    broken_one = (await _gathered(shop, 11))[6]
    await shop.pool.execute(_BROKEN.replace("{deal}", broken_one))
    await shop.distributor.turn()
    assert (await shop.given()) == {"anna": 5, "boris": 5}
    broken = await shop.item(broken_one)
    assert (broken.state, broken.failures) == ("waiting", 1)
    assert "broken" in (broken.error or "")


async def test_each_of_those_given_together_counts_for_the_next(shop: Shop) -> None:
    await shop.serve(turn(ANNA, BORIS, window=WindowLimit(deals=2, minutes=60)))
    deals = await _gathered(shop, 7)
    await shop.distributor.turn()
    assert (await shop.given()) == {"anna": 2, "boris": 2}
    assert [i.state for i in await shop.items()] == ["given"] * 4 + ["waiting"] * 3
    assert (await shop.item(deals[4])).reason == "waits_for_somebody"


async def test_the_fewest_open_deals_are_counted_with_what_was_given_a_moment_ago(shop: Shop) -> None:
    await shop.serve(turn(ANNA, BORIS, kind="load", balance="open_deals"))
    for n in range(3):
        await shop.deal(f"old{n}", owner_id=ANNA.crm_user_id)
    await _gathered(shop, 5)
    await shop.distributor.turn()
    assert people_of(await shop.items()) == ["boris", "boris", "boris", "anna", "boris"]
