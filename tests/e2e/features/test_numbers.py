"""Phone fields as people and imports fill them: whoever calls from a number in one is known, and no second contact is made."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.cases.stored_values import ODD_VALUES, with_its_own_numbers
from tests.e2e.features.office import Office

pytestmark = pytest.mark.asyncio(loop_scope="session")

VALUES = [with_its_own_numbers(value, index) for index, value in enumerate(ODD_VALUES, 100)]


async def _create(office: Office, values: list[str]) -> list[int]:
    made = await office.crm(
        "POST",
        "contacts",
        [
            {
                "name": f"Клиент {index}",
                "responsible_user_id": office.user(105),
                "custom_fields_values": [{"field_code": "PHONE", "values": [{"value": value}]}],
            }
            for index, value in enumerate(values)
        ],
    )
    return [contact["id"] for contact in made["_embedded"]["contacts"]]


async def _contacts(office: Office) -> set[int]:
    return {row["id"] for row in await office.stack.rows("contact")}


async def test_whoever_calls_from_a_number_in_any_spelling_is_known_and_stays_one_contact(
    office: Office,
) -> None:
    assert len(VALUES) == 50
    await office.use("recommended")
    ids = await _create(office, [value for value, _ in VALUES])
    callers = [(number, id) for (_, numbers), id in zip(VALUES, ids, strict=True) for number in numbers]

    async def answers() -> list[dict[str, Any]]:
        return [await office.stack.lookup(number) for number, _ in callers]

    async def is_last_known() -> bool:
        return (await office.stack.lookup(callers[-1][0]))["entity"] is not None

    await office.until(is_last_known)
    told = [(a["entity"]["id"], a["reason"]) if a["entity"] else a["reason"] for a in await answers()]
    assert told == [(str(id), "contact_owner") for _, id in callers]

    before = await _contacts(office)
    calls = [await office.ring(number.lstrip("+")) for number, _ in callers]
    await asyncio.gather(*(office.hang_up(call, answered=False) for call in calls))
    await office.stack.until_idle(120)
    assert await _contacts(office) == before
    asked = {task["entity_id"] for task in await office.stack.rows("task")}
    assert set(ids) <= asked, "each missed call asks to call back whose number it was"


async def test_one_subscriber_of_two_spellings_is_one_client(office: Office) -> None:
    """A messenger's short Brazilian number, Mexico's 1 and Argentina's 9: stored so, and called from without."""
    await office.use("recommended")
    stored = ["+54 9 11 6677-3399", "+52 1 55 5123 4567", "+55 31 9188-6910"]
    ids = await _create(office, stored)
    callers = ["541166773399", "525551234567", "5531991886910"]

    async def are_known() -> bool:
        told = [await office.stack.lookup(number) for number in callers]
        return [a["entity"] and a["entity"]["id"] for a in told] == [str(id) for id in ids]

    await office.until(are_known)
    before = await _contacts(office)
    for number, spelled in zip(callers, ("5491166773399", "5215551234567", "553191886910"), strict=True):
        assert (await office.stack.lookup(spelled))["caller"] == (await office.stack.lookup(number))["caller"]
        await office.hang_up(await office.ring(number), answered=False)
        await office.hang_up(await office.ring(spelled), answered=False)
    await office.stack.until_idle(60)
    assert await _contacts(office) == before
    cases = await office.stack.pool.fetch(
        "SELECT client, cardinality(missed_calls) AS missed FROM missed_case WHERE client = ANY($1)",
        [f"+{number}" for number in callers],
    )
    assert sorted((r["client"], r["missed"]) for r in cases) == sorted((f"+{n}", 2) for n in callers)
