"""A manager is silent, misses the question, and comes back: their deals go and return."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from gateway.store.admin.bindings import Bindings
from tests.e2e.features.sales import Sales, person
from tests.e2e.features.test_shift_change_rows import ANNA, BORIS, CLARA, Evening
from tests.e2e.pages.walking import Walk, languages
from tests.e2e.stack import ACCOUNT

pytestmark = [pytest.mark.pages, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("language", languages("ru"))
async def test_who_misses_the_question_loses_the_deals_and_gets_them_back(
    walk: Walk, department: Sales
) -> None:
    # What an open page has told of one person is remembered: each language has another.
    who = ANNA if walk.language == "ru" else 107
    evening = await _an_evening(department, who)
    bound = Bindings(account_id=ACCOUNT, employee=person(who))
    async with walk.person("/me", role="manager", bound=bound, quiet=True) as page:
        state = page.locator("#desk-presence .cm-badge")
        await expect(state).to_have_text(walk.t("desk.state.on"))
        await department.minutes_pass(16, who)
        question = page.get_by_role("alertdialog")
        await expect(question).to_contain_text(walk.t("desk.asked.title"), timeout=20_000)
        await expect(page.locator("#desk-here")).to_be_focused()
        await expect(page).to_have_title(re.compile(r"^\(\d+\) " + re.escape(walk.t("desk.asked.title"))))
        await department.minutes_pass(1.1, who)
        await expect(question).to_have_count(0, timeout=20_000)
        await expect(state).to_have_text(walk.t("desk.state.off"))
        await evening.until_left(who, evening.deals)
        await evening.settled()
        await walk.press(page, "desk.come")
        await walk.hears(page, "desk.said.here")
        await expect(state).to_have_text(walk.t("desk.state.on"))
        await evening.until_back(who, evening.deals)
    await evening.settled()
    await evening.policy(is_on=False)


async def _an_evening(sales: Sales, who: int) -> Evening:
    """Three are at work, one of them has two deals, and deals of who goes pass to the others."""
    evening = Evening(sales)
    for number in (who, BORIS, CLARA):
        await sales.press(number, "start")
    await sales.save("floor", CLARA, BORIS, who)
    await evening.made({"first": {}, "second": {}}, who)
    await evening.known()
    await evening.policy()
    return evening
