"""A deal for a client who has one already, or had one: none, one more in a separate stage, or the closed one."""

from __future__ import annotations

import pytest

from routing.matrix.actions import Attach, MakeContact, MakeDeal
from tests.e2e.features.office import Office
from tests.e2e.features.test_rules import SECOND, SECOND_STAGE, changed

pytestmark = pytest.mark.asyncio(loop_scope="session")

KNOWN = "inbound.answered.known_with_deal/end"
WITHOUT = "inbound.answered.known_without_deal/end"


async def test_a_client_with_an_open_deal_gets_one_more_in_the_separate_stage(office: Office) -> None:
    deal = MakeDeal(
        when_open="separate_stage", separate_pipeline_id=str(SECOND), separate_stage_id=str(SECOND_STAGE)
    )
    await office.use(changed({KNOWN: (MakeContact(), deal, Attach())}))
    client, contact, first = await office.known(extension=103)
    await office.answered(client, "104")
    left = await office.left(client)
    assert left.numbers == (1, 2, 0, 1)
    (second,) = [d for d in left.deals if d["id"] != first]
    assert (second["pipeline_id"], second["status_id"]) == (SECOND, SECOND_STAGE)
    assert second["contacts"] == [contact]
    assert [n["entity_id"] for n in left.calls] == [second["id"]]


@pytest.mark.parametrize("choice", ["add_to_closed", "create_new"])
async def test_after_the_last_deal_was_closed_the_call_goes_into_it_or_into_a_new_one(
    office: Office, choice: str
) -> None:
    deal = MakeDeal(after_closed=choice)
    await office.use(changed({WITHOUT: (deal, Attach())}))
    client, _, closed = await office.known(extension=105)
    await office.stack.act("act", {"do": "set_status", "id": closed, "status": 143})

    async def is_known_as_closed() -> bool:
        return not await office.stack.pool.fetchval(
            "SELECT is_open FROM directory_entity WHERE kind = 'deal' AND entity_id = $1", str(closed)
        )

    await office.until(is_known_as_closed)
    await office.answered(client, "105")
    left = await office.left(client)
    noted = {n["entity_id"] for n in left.calls}
    if choice == "add_to_closed":
        assert (left.numbers, noted) == ((1, 1, 0, 1), {closed})
    else:
        assert left.numbers == (1, 2, 0, 1)
        assert noted == {d["id"] for d in left.deals} - {closed}
