"""A stage that a rule names was deleted in the CRM meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime

from crm.effects import order
from crm.lane import Lane
from routing.client import Ref
from routing.effects import CreateContact, CreateDeal, Effect
from tests.integration.crm.test_writer_sandbox import Shop, shop

__all__ = ["shop"]

PIPELINE, STAGE = "5000001", "5000013"


async def test_a_deal_for_a_stage_that_was_deleted_goes_to_the_desk_with_the_field_named(
    shop: Shop,
) -> None:
    async with shop.http.post(
        f"{shop.sandbox.url}/_sandbox/act",
        json={"do": "delete_stage", "pipeline": int(PIPELINE), "status": int(STAGE)},
    ) as reply:
        assert reply.status == 200, await reply.text()
    number = "+79165550001"
    contact = Ref(kind="contact", effect="c:contact")
    deal = CreateDeal(name="x", contact=contact, pipeline_id=PIPELINE, stage_id=STAGE)
    async with shop.pool.acquire() as conn, conn.transaction():
        await order.order(
            conn,
            account_id="a",
            decision_id="d",
            call_id="c",
            client=number,
            lane=Lane.EVENTS,
            effects=[
                Effect(key="c:contact", order=CreateContact(name="x", number=number)),
                Effect(key="c:deal", order=deal),
            ],
        )
    assert await shop.settled() == {"done": 1, "dead": 1}
    row = await shop.pool.fetchrow("SELECT * FROM effect WHERE effect_key = 'c:deal'")
    assert row is not None
    assert "status_id" in row["error_field"]
    assert row["error_code"]
    assert row["created_at"] < datetime.now(UTC)
