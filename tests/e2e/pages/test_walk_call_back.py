"""Calls that go out by themselves: their rate is taken to none, a deal's call waits, and the queue is cleared."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.e2e.features.calling import calling_back
from tests.e2e.features.sales import STAGE, Sales
from tests.e2e.pages.walking import Walk, languages

pytestmark = [pytest.mark.pages, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("language", languages("en"))
async def test_the_rate_is_taken_to_none_and_what_waits_is_cleared(walk: Walk, department: Sales) -> None:
    async with calling_back(department) as calls, walk.person("/messages") as page:
        rate = page.get_by_label(walk.t("messages.rate.label"))
        for wrong in ("-1", "1,5", "many"):
            await rate.fill(wrong)
            await walk.press(page, "messages.rate.save")
            await walk.sees(page, "messages.rate.wrong", typed=wrong)
        await rate.fill("0")
        await walk.press(page, "messages.rate.save")
        await walk.hears(page, "messages.said.paused")
        await calls.trigger("t", {"on": "entered"})
        deal, number = await calls.deal()
        await department.move(deal)
        await calls.waiting(deal)
        waiting = page.locator(".cm-tile", has_text=walk.t("messages.tile.callback")).locator(".cm-figure")
        await expect(waiting).to_have_text("1", timeout=20_000)
        await walk.follow(page, "messages.clear.open")
        await walk.sees(page, "messages.clear.callback", n=1)
        await page.locator("form:has(input[value=callback]) button").click()
        await walk.hears(page, "messages.said.cleared", n=1)
        await walk.sees(page, "messages.queue.empty")
        await rate.fill("600")
        await walk.press(page, "messages.rate.save")
        await walk.hears(page, "messages.said.rate", rate=600)
        await department.until_told(deal)
        assert [order for order in calls.pbx.orders if order["client"] == number] == []
        assert (await department.row("deal", deal))["status_id"] == STAGE
        assert await calls.tasks(deal) == []
