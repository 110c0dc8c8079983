"""S3.29 to S3.33: topics and comments of MANGO's contact centre come into a deal of their own, off until somebody wants them."""

from __future__ import annotations

import pytest

from crm.sandbox.seed import OPEN_STAGES, PIPELINE
from routing.matrix.actions import Action, Attach, MakeContact, MakeDeal
from tests.e2e.features.calling import CallBacks
from tests.e2e.features.contact_centre import ContactCentre
from tests.e2e.features.office import Office
from tests.e2e.features.sales import NEW, STAGE, user
from tests.e2e.features.test_rules import changed

pytestmark = pytest.mark.asyncio(loop_scope="session")

THERE = OPEN_STAGES[2]
TOPICS = {
    "is_on": True,
    "deal_there": {"pipeline_id": str(PIPELINE), "stage_id": str(THERE)},
    "no_deal": {"pipeline_id": str(PIPELINE), "stage_id": str(STAGE)},
}
MAKES: tuple[Action, ...] = (MakeContact(), MakeDeal(), Attach())
KINDS = ("new", "known_without_deal", "known_with_deal")
AUTOMATIC = {f"outbound.answered.{kind}/end": MAKES for kind in KINDS}


async def clients(calls: CallBacks) -> tuple[str, str, str]:
    """Numbers of somebody new, of somebody without an open deal, and of somebody with one."""
    unknown = f"{(await calls.deal())[1][:-1]}5"
    closed, without = await calls.deal()
    await calls.sales.act("set_status", id=closed, status=143, pipeline=PIPELINE, by=user(101))
    _, with_deal = await calls.deal(stage=NEW)

    async def is_closed() -> bool:
        return not await calls.sales.stack.pool.fetchval(
            "SELECT is_open FROM directory_entity WHERE kind = 'deal' AND entity_id = $1", str(closed)
        )

    await calls.sales.until(is_closed)
    return unknown, without, with_deal


async def test_s3_29_to_s3_33_topics_come_into_a_new_deal_where_they_are_wanted(
    centre: ContactCentre,
) -> None:
    calls = centre.calls
    _, quiet = await calls.deal()
    await centre.called("no topics", quiet)
    by_hand = await clients(calls)
    await centre.called("topics", *by_hand, topics=TOPICS)
    automatic, office = await clients(calls), Office(calls.sales.stack)
    await office.use(changed(AUTOMATIC))
    try:
        await centre.called("topics and matrix", *automatic, topics=TOPICS)
    finally:
        await office.use("recommended")
    await centre.hour_passes(6)
    assert [await centre.notes(deal["id"]) for deal in await centre.deals(quiet)] == [[]]
    for unknown, without, with_deal in (by_hand, automatic):
        for number, count, stage in ((unknown, 1, STAGE), (without, 2, STAGE), (with_deal, 2, THERE)):
            deals = await centre.deals(number)
            assert (len(deals), deals[-1]["status_id"]) == (count, stage)
            assert await centre.notes(deals[-1]["id"]) == ["Темы: Цена\nКомментарий: Dear"]
            assert [await centre.notes(deal["id"]) for deal in deals[:-1]] == [[]] * (count - 1)
