"""A stage that a rule names was deleted in the CRM meanwhile."""

from __future__ import annotations

from crm.effects import order
from crm.lane import Lane
from routing.client import Ref
from routing.effects import CreateContact, CreateDeal, Effect
from tests.integration.crm.test_writer_sandbox import Shop, shop

__all__ = ["shop"]

PIPELINE, STAGE = "5000001", "5000013"


async def test_a_deal_for_a_stage_that_was_deleted_stands_in_the_pipelines_first_and_says_so(
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
    assert await shop.settled() == {"done": 2}
    row = await shop.pool.fetchrow("SELECT * FROM effect WHERE effect_key = 'c:deal'")
    assert row is not None
    assert row["crm_extra"]["left_out"].startswith("status_id")
    (made,) = await shop.reader.by_ids("deal", [row["crm_id"]], Lane.EVENTS)
    assert made.pipeline_id == PIPELINE
    assert made.stage_id not in (None, STAGE)
    assert shop.refused_values == 1
