"""A text is written on its page, seen on a deal before it goes, and sent as the deal comes into the stage."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from crm.sandbox.seed import PIPELINE
from tests.e2e.features.calling import calling_back
from tests.e2e.features.sales import STAGE, Sales
from tests.e2e.pages.walking import Walk, languages

pytestmark = [pytest.mark.pages, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("language", languages("ru"))
async def test_a_text_is_written_seen_on_a_deal_and_sent_to_its_client(walk: Walk, department: Sales) -> None:
    known = (await department.api("GET", "sms-connections"))["items"]
    if not known:
        provider = {"name": "texts", "kind": "sandbox"}
        await department.api("POST", "sms-connections", status=201, body=provider)
    name = f"ready {walk.language}"
    async with calling_back(department) as calls, walk.person("/messages/sms") as page:
        deal, number = await calls.deal(price=50_000)
        stands, _ = await calls.deal(stage=STAGE)
        await page.goto(f"{walk.stack.url}/messages/new-trigger?do=sms")
        await page.locator("#name").fill(name)
        await page.locator("#place").select_option(f"{PIPELINE}:{STAGE}")
        await page.locator("#e0-on").select_option("entered")
        await page.locator("#template").fill(
            f"{walk.language} {{{{ maincontact.name }}}}, deal {{{{ deal.nmae }}}}"
        )
        await page.locator("#to_client").check()
        await page.locator("#provider").select_option("texts")
        await page.locator("#any_hour").check()
        await page.locator("#is_on").check()
        await page.locator("#trigger-form button[value=save]:visible").click()
        await expect(page.locator("#template-error")).to_contain_text("deal.n")
        await page.locator("#template").fill(f"{walk.language} {{{{ maincontact.name }}}}: 50 000")
        await page.locator("#deal").select_option(str(stands))
        await expect(page.locator(".cm-bubble")).to_have_text(f"{walk.language} Olga: 50 000")
        await page.locator("#trigger-form button[value=save]:visible").click()
        await walk.hears(page, "messages.said.saved", name=name)
        await department.move(deal)
        assert await calls.texts(number) == [f"{walk.language} Olga: 50 000"]
        await page.goto(f"{walk.stack.url}/messages/firings")
        row = page.locator("tr", has_text=str(deal)).filter(has_text=name)
        await expect(row.locator(".cm-badge").first).to_have_text(walk.t("messages.firing.state.queued"))
