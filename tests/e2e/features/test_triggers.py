"""S3.14, S3.18, S3.21 and S3.26: what happens to a deal in the CRM fires a trigger once, however it is told, and says why.

Calls are paused, so that what is put into the queue stays there to be looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from crm.sandbox.seed import PIPELINE
from tests.e2e.features.sales import API, NEW, STAGE, Sales, person
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALL = {"do": "callback", "connection": "generic", "target": {"kind": "employee", "employee_id": person(101)}}


@pytest_asyncio.fixture(loop_scope="session")
async def paused(sales: Sales) -> AsyncIterator[Sales]:
    """Nothing of what the test queued is left to be called."""
    await sales.api("PUT", "outbound/rate", body={"rate": 0})
    yield sales
    for trigger in (await sales.api("GET", "triggers"))["items"]:
        await sales.api("DELETE", f"triggers/{trigger['name']}", status=204)


async def on(sales: Sales, name: str, *events: dict[str, Any], **fields: Any) -> None:
    body = {"name": name, "pipeline_id": str(PIPELINE), "stage_id": str(STAGE), "events": list(events)}
    await sales.api("PUT", f"triggers/{name}", body={**body, "action": CALL, "is_on": True, **fields})


async def fired(sales: Sales, deal: int, count: int, trigger: str = "") -> list[str]:
    """Reasons of the firings of this deal once so many are decided, the oldest first."""

    async def decided() -> list[str] | None:
        query: Any = {"deal": str(deal), **({"trigger": trigger} if trigger else {})}
        found = (await sales.stack.api("GET", f"{API}/firings", **query))["items"]
        is_all = len(found) >= count and all(f["state"] != "reading" for f in found)
        return [f["reason"] for f in reversed(found)] if is_all else None

    return list(await until(decided, f"{count} firings of deal {deal}", seconds=40) or ())


async def told(sales: Sales, deal: int) -> None:
    """Every hook of this deal has got its answer, and the directory knows the deal."""
    await sales.until_told(deal)

    async def are_done() -> bool:
        deliveries = (await sales.stack.sandbox("deliveries"))["deliveries"]
        return all(d["state"] not in ("waiting", "sending") for d in deliveries)

    await sales.until(are_done)


async def test_cases_1_and_2_one_move_told_by_all_ways_fires_once_and_a_second_entrance_again(
    paused: Sales,
) -> None:
    """By webhook, poll, “send webhook” and the hook of a widget in the digital pipeline."""
    sales = paused
    await on(sales, "comes", {"on": "entered"})
    url = urlsplit((await sales.api("GET", "triggers/comes/hook"))["url"])
    address = f"{sales.stack.url}{url.path}?{url.query}"
    stage = {"pipeline": PIPELINE, "status": STAGE, "destinations": [address]}
    await sales.act("stage_webhooks", **stage)
    try:
        [deal] = await sales.deals(stage=NEW)
        await sales.until_told(deal)
        await sales.move(deal)
        await told(sales, deal)
        assert await fired(sales, deal, 1) == ["fires"]
        await asyncio.sleep(1.2)  # the CRM tells whole seconds, and the poll runs each of them
        await sales.act("stage_webhooks", **stage, form="dp", settings={"trigger": "comes"})
        await sales.move(deal, NEW)
        await asyncio.sleep(1.2)
        await sales.move(deal)
        await told(sales, deal)
        assert len(await fired(sales, deal, 2)) == 2
        await asyncio.sleep(1.2)
        assert len(await fired(sales, deal, 2)) == 2
        answers = (await sales.stack.sandbox("deliveries"))["deliveries"]
        assert {d["setting"] for d in answers if d["destination"] == address} == {"send_webhook", "dp"}
    finally:
        await sales.act("stage_webhooks", **{**stage, "destinations": []})


async def test_cases_3_and_4_a_price_fires_at_the_crossing_and_what_is_no_number_meets_nothing(
    paused: Sales,
) -> None:
    sales = paused
    await on(sales, "dear", {"on": "price_crossed", "amount": 50_000})
    above = [{"of": "name", "test": "above", "values": ["50 000"]}]
    await on(sales, "numbers", {"on": "responsible_changed"}, conditions=above)
    [deal] = await sales.deals(price=49_999)
    texts = await sales.deals(3)
    for id, name in zip(texts, ("50 000,50", "50,000", "кухня"), strict=True):
        await sales.crm("PATCH", f"leads/{id}", {"name": name})
        await sales.until_told(id)
    await sales.until_told(deal)
    for price in (50_001, 60_000):
        await sales.act("set_price", id=deal, price=price)
        await asyncio.sleep(1.2)
    for id in texts:
        await sales.act("set_responsible", kind="deal", id=id, user=1000102)
    assert await fired(sales, deal, 1, "dear") == ["fires"]
    assert [await fired(sales, id, 1, "numbers") for id in texts] == [["fires"], ["not_met"], ["not_met"]]


async def test_cases_5_6_and_8_two_triggers_one_press_and_what_waits_when_one_is_switched_off(
    paused: Sales,
) -> None:
    sales = paused
    await on(
        sales,
        "tagged",
        {"on": "tag_added", "tag": "VIP"},
        conditions=[{"of": "tags", "test": "has_any", "values": ["VIP"]}],
    )
    await on(
        sales, "cheap", {"on": "tag_added"}, conditions=[{"of": "price", "test": "below", "values": ["10"]}]
    )
    [deal] = await sales.deals(price=500)
    await sales.until_told(deal)
    await sales.act("add_tag", kind="deal", id=deal, tag="VIP")
    assert await fired(sales, deal, 1, "tagged") == ["fires"]
    assert await fired(sales, deal, 1, "cheap") == ["not_met"]

    [item] = (await sales.stack.api("GET", f"{API}/outbound/items", deal=str(deal)))["items"]
    assert (item["state"], item["trigger"], item["version"]) == ("waiting", "tagged", 1)
    await on(sales, "tagged", {"on": "tag_added", "tag": "gold"})
    again = await sales.api("GET", f"outbound/items/{item['id']}")
    assert (again["state"], again["version"]) == ("waiting", 1)
    pressed = await asyncio.gather(
        *(sales.api("POST", "triggers/tagged/apply", status=202) for _ in range(2))
    )
    assert len({work["id"] for work in pressed}) == 1
    await fired(sales, deal, 2, "tagged")
    told_of = (await sales.stack.api("GET", f"{API}/firings", deal=str(deal), trigger="tagged"))["items"]
    assert sorted(f["source"] for f in told_of) == ["apply", "event"]
    await sales.api("PUT", "triggers/tagged/switch", body={"is_on": False})
    dropped = await sales.api("GET", f"outbound/items/{item['id']}")
    assert (dropped["state"], dropped["reason"]) == ("dropped", "switched_off")


async def test_a_client_who_writes_fires_for_their_open_deals(paused: Sales) -> None:
    sales = paused
    await on(sales, "wrote", {"on": "client_wrote"})
    [contact] = await sales.make("contacts", {})
    [deal] = await sales.deals(_embedded={"contacts": [{"id": contact}]})
    await sales.until_told(deal)
    await sales.act("write_chat", contact=contact)
    assert await fired(sales, deal, 1, "wrote") == ["fires"]
    why = (await sales.stack.api("GET", f"{API}/outbound/items", deal=str(deal)))["items"][0]
    assert (await sales.api("GET", f"outbound/items/{why['id']}/why-not"))["message"]
