"""Entities are made by another integration: S4 rows 27, 28."""

from __future__ import annotations

import pytest

from routing.matrix.model import Matrix, ParameterField
from routing.matrix.presets import update_only
from tests.e2e.features.office import Office

pytestmark = pytest.mark.asyncio(loop_scope="session")


def with_source() -> Matrix:
    source = ParameterField(parameter="utm_source", entity="deal", field="UTM_SOURCE")
    return update_only().model_copy(update={"parameters": (source,)})


async def utm_of(office: Office, deal: int) -> list[str]:
    (row,) = await office.stack.rows("deal", id=deal)
    return [v["value"] for v in row["cf"].get("800301", [])]


async def test_s4_27_update_only_enriches_what_another_integration_made_while_it_rang(office: Office) -> None:
    await office.use(with_source())
    client = office.new_number()
    call = await office.ring(client, utm_source="site")
    contact, deal = await office.others_create(f"+{client}", extension=103)
    assert deal is not None
    await office.answer(call, "103")
    await office.hang_up(call, answered=True)
    await office.idle()
    left = await office.left(client)
    assert ([c["id"] for c in left.contacts], [d["id"] for d in left.deals]) == ([contact], [deal])
    assert [n["entity_id"] for n in left.calls] == [deal]
    assert await utm_of(office, deal) == ["site"]
    assert left.tasks == []


async def test_s4_27_update_only_has_nothing_to_update_when_nobody_made_anything(office: Office) -> None:
    await office.use(with_source())
    client = office.new_number()
    await office.answered(client, "103")
    left = await office.left(client)
    assert (left.numbers, left.leads) == ((0, 0, 0, 0), [])
    decisions = (await office.stack.api("GET", "/v1/decisions", client=client, kind="matrix"))["items"]
    assert decisions[0]["reason"] == "nothing_to_update"


async def test_s4_28_the_other_integrations_number_in_international_form_without_separators_is_found(
    office: Office,
) -> None:
    await office.use(with_source())
    client = "380501112233"
    call = await office.ring(f"+{client}")
    _, deal = await office.others_create(client, extension=104)
    await office.answer(call, "104")
    await office.hang_up(call, answered=True)
    await office.idle()
    left = await office.left(client)
    assert left.numbers == (1, 1, 0, 1)
    assert [n["entity_id"] for n in left.calls] == [deal]
