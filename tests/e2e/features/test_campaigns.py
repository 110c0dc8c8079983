"""S3.4, S3.6, S3.7, S3.8 and S3.16: deals of the pipeline come into a campaign, and what a campaign takes and never takes again.

Calls are paused, so that nobody is dialled.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from crm.sandbox.seed import PIPELINE
from tests.e2e.features.sales import API, NEW, STAGE, Sales, person
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

_NUMBERS = itertools.count(79_160_500_000)
SETTINGS = {"connection": "generic", "target": {"kind": "employee", "employee_id": person(101)}}


@pytest_asyncio.fixture(loop_scope="session")
async def paused(sales: Sales) -> AsyncIterator[Sales]:
    await sales.api("PUT", "outbound/rate", body={"rate": 0})
    yield sales
    for trigger in (await sales.api("GET", "triggers"))["items"]:
        await sales.api("DELETE", f"triggers/{trigger['name']}", status=204)
    for campaign in (await sales.api("GET", "campaigns"))["items"]:
        if campaign["state"] != "finished":
            await sales.api("POST", f"campaigns/{campaign['name']}/finish")


async def with_trigger(sales: Sales, campaign: str) -> None:
    await sales.api("POST", "campaigns", body={"name": campaign, "settings": SETTINGS}, status=201)
    trigger = {
        "name": campaign,
        "pipeline_id": str(PIPELINE),
        "stage_id": str(STAGE),
        "events": [{"on": "entered"}],
        "action": {"do": "campaign", "campaign": campaign},
        "is_on": True,
    }
    await sales.api("PUT", f"triggers/{campaign}", body=trigger)


async def a_deal(sales: Sales, number: int | None = None) -> tuple[int, str]:
    """(deal that has come into the stage, its client's number)."""
    phone = f"+{number or next(_NUMBERS)}"
    field = {"field_code": "PHONE", "values": [{"value": phone, "enum_code": "WORK"}]}
    [contact] = await sales.make("contacts", {"custom_fields_values": [field]})
    [deal] = await sales.deals(stage=NEW, _embedded={"contacts": [{"id": contact}]})
    await sales.until_told(deal)
    await sales.move(deal)
    return deal, phone


async def item_of(sales: Sales, deal: int, *states: str) -> dict[str, Any]:
    async def has_come() -> dict[str, Any] | None:
        found = (await sales.stack.api("GET", f"{API}/outbound/items", deal=str(deal)))["items"]
        return next((item for item in found if item["state"] in states and item["client"]), None) or next(
            (item for item in found if item["state"] in states and item["state"] == "failed"), None
        )

    return dict(await until(has_come, f"deal {deal} in the queue", seconds=40) or {})


async def test_s3_04_to_s3_08_deals_come_into_a_campaign_until_it_has_finished(paused: Sales) -> None:
    sales = paused
    await with_trigger(sales, "spring")
    deal, phone = await a_deal(sales)
    await item_of(sales, deal, "held")
    members = (await sales.api("GET", "campaigns/spring/members"))["items"]
    assert [(m["number"], m["deal"], m["source"]) for m in members] == [(phone, str(deal), "trigger")]

    shown = await sales.api("GET", "campaigns/spring")
    assert (shown["state"], shown["is_kept_open"]) == ("draft", True)
    assert (await sales.api("POST", "campaigns/spring/start"))["state"] == "running"
    await item_of(sales, deal, "waiting")
    assert not (await sales.api("DELETE", "campaigns/spring/kept-open"))["is_kept_open"]
    second, another = await a_deal(sales)
    await item_of(sales, second, "waiting")
    assert not (await sales.api("GET", "campaigns/spring"))["is_kept_open"]

    assert (await sales.api("POST", "campaigns/spring/finish"))["state"] == "finished"
    trigger = (await sales.api("GET", "triggers/spring"))["trigger"]
    checked = await sales.api("POST", "trigger-checks", body=trigger)
    assert [p["code"] for p in checked["problems"]] == ["campaign-finished"]
    late, _ = await a_deal(sales)
    refused = await item_of(sales, late, "failed")
    assert refused["reason"] == "campaign_finished"
    assert "campaign has finished" in refused["message"] or "кампания завершена" in refused["message"]

    async def is_told() -> list[str]:
        notes = await sales.stack.rows("note")
        return [n["params"]["text"] for n in notes if n["entity_id"] == late and n["note_type"] == "common"]

    [told] = list(await until(is_told, "a note in the deal", seconds=40) or [])
    assert "spring" in told
    said = await sales.api("POST", "campaigns/spring/start", status=409)
    assert said["code"] == "campaign-state"
    members = (await sales.api("GET", "campaigns/spring/members"))["items"]
    assert [(m["number"], m["state"]) for m in members] == [(phone, "cleared"), (another, "cleared")]


async def test_s3_16_deals_that_stand_in_the_stage_come_in_by_a_press_each_number_once(
    paused: Sales,
) -> None:
    sales = paused
    number = next(_NUMBERS)
    first, phone = await a_deal(sales, number)
    second, _ = await a_deal(sales, number)
    await with_trigger(sales, "stage")
    await sales.api("POST", "triggers/stage/apply", status=202)
    for deal in (first, second):
        await item_of(sales, deal, "held")
    members = (await sales.api("GET", "campaigns/stage/members"))["items"]
    assert [m["number"] for m in members].count(phone) == 1
    items = [await item_of(sales, deal, "held") for deal in (first, second)]
    assert sorted(item["reason"] for item in items) == ["", "linked"]
