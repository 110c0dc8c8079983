"""A template in a browser: the sum while one types, one click that mends it, and the question before what is typed is lost."""

from __future__ import annotations

import pytest

from gateway.admin.distribution.templates import save_template
from gateway.store.distribution.templates import template_of
from routing.distribution.template import DistributionTemplate, TemplateMember
from tests.e2e.pages.browser import Pages
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR

pytestmark = pytest.mark.pages
PATH = "/distribution/templates/shop"


@pytest.fixture
async def shop(pages: Pages) -> Pages:
    members = (
        TemplateMember(employee_id=ANNA.id, percent=7000),
        TemplateMember(employee_id=SENIOR.id, percent=3000),
    )
    template = DistributionTemplate(name="shop", kind="load", balance="percent", employees=members)
    async with pages.site.pool.acquire() as conn:
        await save_template(conn, ACCOUNT, template, by="test")
    return pages


async def test_the_sum_follows_what_is_typed_and_one_click_mends_it(shop: Pages) -> None:
    async with shop.signed_in_page(PATH) as page:
        await page.fill("#employee-1-percent", "25")
        mend = page.locator("#template-sums button")
        await mend.wait_for()
        assert "95" in await page.inner_text("#template-sums")
        await mend.click()
        await page.locator("#template-sums .cm-note-good").wait_for()
        assert await page.input_value("#employee-1-percent") == "30"
        await page.click("#way-turn\\.even")
        assert not await page.is_visible("#employee-1-percent")
        await page.get_by_role("link", name="Результаты").click()
        dialog = page.locator("#leave-template")
        await dialog.wait_for()
        await dialog.locator("button[value=save]").click()
        await page.wait_for_load_state()
        await page.locator("#toasts [data-toast]").wait_for()
    async with shop.site.pool.acquire() as conn:
        saved = await template_of(conn, ACCOUNT, "shop")
    assert saved is not None
    assert saved.template.balance == "even"
