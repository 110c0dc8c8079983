"""The CRM's action "send webhook" with a template in its address: its deals are given, each entry once, however it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from crm.port import Observed
from crm.store.news import record_news
from tests.integration.distribution.shop import ACCOUNT, ANNA, Shop, turn
from tests.integration.pbx.running_gateway import running_gateway

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Pipeline:
    """The digital pipeline of the shop's CRM. address: of the template's hook, without the name."""

    shop: Shop
    http: aiohttp.ClientSession
    url: str
    secret: str

    async def send(
        self, body: str, template: str | None = "t", *, secret: str | None = None, **more: Any
    ) -> tuple[int, dict[str, Any]]:
        address = f"{self.url}/crm/{ACCOUNT}/hooks/{secret or self.secret}"
        query = "" if template is None else f"?template={quote(template)}"
        async with self.http.post(
            address + query, data=body.encode(), **{"headers": FORM, **more}
        ) as response:
            return response.status, await response.json(content_type=None)


@pytest.fixture
async def pipeline(shop: Shop, database_url: str) -> AsyncIterator[Pipeline]:
    await shop.save(turn())
    await shop.pool.execute(
        "INSERT INTO directory_state (account_id, seq, loaded_at) VALUES ($1, 1, now())", ACCOUNT
    )
    secret = await shop.pool.fetchval("SELECT webhook_secret FROM account")
    async with running_gateway(shop.pool, database_url) as running:
        yield Pipeline(shop, running.http, running.url, secret)


def moved(*deals: str, verb: str = "status", stage: str = "20") -> str:
    """As the action's documents show it."""
    items = [
        f"leads[{verb}][{n}][id]={deal}&leads[{verb}][{n}][status_id]={stage}&leads[{verb}][{n}][pipeline_id]=1"
        f"&leads[{verb}][{n}][old_status_id]=10&leads[{verb}][{n}][old_pipeline_id]=1"
        for n, deal in enumerate(deals)
    ]
    return "&".join([*items, "account[id]=31000001&account[subdomain]=shop"])


async def test_the_deals_of_a_hook_are_given_in_turn(pipeline: Pipeline) -> None:
    shop = pipeline.shop
    deals = [await shop.deal(stage="20") for _ in range(3)]
    status, said = await pipeline.send(moved(*deals))
    assert (status, said["deals"], said["unread"]) == (200, deals, [])
    await shop.distributor.turn()
    assert await shop.given() == {"anna": 1, "boris": 1, "vera": 1}
    assert {item.source for item in await shop.items()} == {"hook"}


async def test_every_condition_of_the_digital_pipeline_is_understood(pipeline: Pipeline) -> None:
    for verb in ("add", "call_in", "mail_in", "chat", "site_visit"):
        deal = await pipeline.shop.deal()
        assert (await pipeline.send(moved(deal, verb=verb)))[1]["deals"] == [deal]


async def test_a_widgets_hook_is_understood_as_form_and_as_json(pipeline: Pipeline) -> None:
    a, b = await pipeline.shop.deal(), await pipeline.shop.deal()
    form = f"event[type_code]=lead_appeared_in_status&event[data][id]={a}&event[data][element_type]=2&event[data][status_id]=20"
    assert (await pipeline.send(form))[1]["deals"] == [a]
    json = f'{{"event": {{"type": 15, "data": {{"id": {b}, "element_type": 2, "status_id": 20, "pipeline_id": 1}}}}}}'
    assert (await pipeline.send(json))[1]["deals"] == [b]
    customer = "event[data][id]=77&event[data][element_type]=12"
    assert (await pipeline.send(customer))[0] == 400
    assert [i.entity_id for i in await pipeline.shop.items()] == [a, b]


@pytest.mark.parametrize("first", ["hook", "event"])
async def test_an_entry_that_hook_and_webhook_tell_is_given_once(pipeline: Pipeline, first: str) -> None:
    shop = pipeline.shop
    await shop.attach()
    deal = await shop.deal(stage="10")
    if first == "hook":
        assert (await pipeline.send(moved(deal)))[1]["deals"] == [deal]
    await shop.moved(deal)
    await shop.deal(deal, stage="20")
    await shop.work(deal)
    assert (await pipeline.send(moved(deal)))[1]["already"] == [deal]
    await shop.distributor.turn()
    await shop.distributor.sweep()
    [item] = await shop.items()
    assert (item.entity_id, item.source, item.state, item.round) == (deal, first, "given", 1)
    assert item.event_id is not None


async def test_a_deal_that_left_the_stage_and_came_again_is_given_again(pipeline: Pipeline) -> None:
    shop = pipeline.shop
    deal = await shop.deal(stage="20")
    await pipeline.send(moved(deal))
    await shop.distributor.turn()
    await shop.moved(deal, "20", "30")
    await shop.deal(deal, stage="20")
    assert (await pipeline.send(moved(deal)))[1]["deals"] == [deal]
    assert (await pipeline.send(moved(deal)))[1]["already"] == [deal]


async def test_the_answer_says_what_is_wrong_with_the_address(pipeline: Pipeline) -> None:
    deal = await pipeline.shop.deal()
    status, said = await pipeline.send(moved(deal), "shap & co")
    assert (status, said["code"]) == (404, "no-such-template")
    assert "shap & co" in said["title"]
    assert "Templates: t." in said["detail"]
    status, said = await pipeline.send(moved(deal), "t\x00")
    assert (status, said["code"]) == (404, "no-such-template")
    status, said = await pipeline.send(moved(deal), None)
    assert (status, said["code"]) == (400, "template-not-named")
    assert await pipeline.shop.items() == []


NONSENSE = (
    ("", "no-deal-told"),
    ("leads[status][0][id]=", "no-deal-told"),
    ("leads[status][0][id]=seven", "no-deal-told"),
    ("leads=7", "no-deal-told"),
    ("account[id]=1", "no-deal-told"),
    ("{", "webhook-invalid"),
    ('{"event": [1, 2]}', "no-deal-told"),
    ("&".join(f"leads[add][{n}][id]={n + 1}" for n in range(251)), "too-many-deals"),
)


async def test_nonsense_is_refused_and_keeps_nothing(pipeline: Pipeline) -> None:
    for body, code in NONSENSE:
        status, said = await pipeline.send(body)
        assert (status, said["code"]) == (400, code), body[:100]
    assert await pipeline.shop.items() == []


async def test_an_odd_item_costs_itself_only(pipeline: Pipeline) -> None:
    deal = await pipeline.shop.deal(stage="20")
    odd = f"{moved(deal)}&leads[status][5][id]=x&leads[add][0]=9&leads[status][6][id]={deal}&leads[status][6][status_id]=?"
    status, said = await pipeline.send(odd)
    assert (status, said["deals"]) == (200, [deal])
    assert any("leads.status.5.id" in fault for fault in said["unread"])


async def test_what_brings_no_deal_into_a_stage_is_passed_over(pipeline: Pipeline) -> None:
    """Our own writes come back as such, and would go round in a circle."""
    deal = await pipeline.shop.deal()
    for verb in ("update", "responsible", "delete"):
        status, said = await pipeline.send(moved(deal, verb=verb))
        assert (status, said["deals"], said["passed_over"]) == (200, [], [f"leads.{verb}"])
    assert await pipeline.shop.items() == []


async def test_a_wrong_secret_is_counted_and_slowed_like_at_the_other_webhooks(pipeline: Pipeline) -> None:
    deal = await pipeline.shop.deal()
    said = [await pipeline.send(moved(deal), secret=f"guess{n}") for n in range(25)]
    assert (said[0][0], said[0][1]["code"]) == (404, "no-such-webhook")
    assert said[-1][0] == 429
    assert (await pipeline.send(moved(deal)))[0] == 200
    async with pipeline.http.get(f"{pipeline.url}/metrics") as response:
        assert 'callmatrix_unauthorised_total{door="webhooks"} 25.0' in await response.text()


async def test_the_hook_of_an_account_that_is_off_waits(pipeline: Pipeline) -> None:
    shop = pipeline.shop
    await shop.pool.execute("UPDATE account SET state = 'off'")
    deal = await shop.deal(stage="20")
    assert (await pipeline.send(moved(deal)))[0] == 200
    await shop.distributor.turn()
    assert (await shop.item(deal)).state == "waiting"
    await shop.pool.execute("UPDATE account SET state = 'on'")
    await shop.distributor.turn()
    assert await shop.owner(deal) == ANNA.id


async def test_a_deal_of_a_hook_that_left_the_stage_while_it_waited_is_not_given(pipeline: Pipeline) -> None:
    shop = pipeline.shop
    left, at_once = await shop.deal(stage="20"), await shop.deal(stage="20")
    await pipeline.send(moved(left))
    await shop.pool.execute("UPDATE distribution_item SET created_at = now() - interval '2 minutes'")
    await pipeline.send(moved(at_once))
    for deal in (left, at_once):
        await shop.deal(deal, stage="30")
    await shop.distributor.turn()
    item = await shop.item(left)
    assert (item.state, item.reason) == ("cancelled", "left_stage")
    assert (await shop.item(at_once)).state == "given", "the pipeline itself moves deals on at once"


async def test_who_gives_a_hooks_deal_by_hand_in_the_same_second_has_the_last_word(
    pipeline: Pipeline,
) -> None:
    """The CRM tells whole seconds; the hook came later in that one, by our clock."""
    shop = pipeline.shop
    deal = await shop.deal(stage="20")
    await pipeline.send(moved(deal))
    await shop.pool.execute(
        "UPDATE distribution_item SET entered_at = date_trunc('second', now()) + '900 ms'"
    )
    await shop.owned(deal, "13", before="10")
    await shop.pool.execute(
        "UPDATE crm_event SET at = date_trunc('second', now()), by_user = '12' WHERE aspect = 'responsible'"
    )
    await shop.pool.execute(
        "UPDATE distribution_item i SET entered_at = e.at + interval '900 ms' FROM crm_event e"
        " WHERE e.aspect = 'responsible'"
    )
    await shop.distributor.turn()
    item = await shop.item(deal)
    assert (item.state, item.reason, item.overridden_by) == ("cancelled", "overridden", "13")


async def test_a_hooks_deal_that_was_deleted_before_it_was_read_waits_for_nothing(pipeline: Pipeline) -> None:
    shop = pipeline.shop
    await pipeline.send(moved("777"))
    await shop.distributor.turn()
    assert ((item := await shop.item("777")).state, item.reason) == ("waiting", "not_read")
    now = datetime.now(UTC)
    gone = Observed(kind="deal", id="777", at=now, values={"deleted": "1"}, is_changed=frozenset({"deleted"}))
    async with shop.pool.acquire() as conn, conn.transaction():
        await record_news(conn, ACCOUNT, observed=[gone], told_by="webhook")
    await shop.work("777")
    await shop.distributor.turn()
    assert ((item := await shop.item("777")).state, item.reason) == ("cancelled", "deal_gone")
