"""Back after a refused form, with Chromium's own history."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.e2e.pages.browser import Pages

pytestmark = pytest.mark.pages


@pytest.mark.parametrize("script", [True, False])
async def test_back_after_a_refused_form_shows_what_was_typed(pages: Pages, script: bool) -> None:
    async with pages.signed_in_page("/setup/new-sms-provider?kind=smpp", script=script, quiet=False) as page:
        await page.locator("#name").fill("main")
        await page.locator("#setting-host").fill("smpp.example")
        await page.locator("#setting-port").fill("soon")
        await page.locator("form[action^='/setup/new-sms-provider'] button[type=submit]").click()
        await expect(page.locator("#setting-port")).to_have_attribute("aria-invalid", "true")
        await page.goto(f"{pages.site.address}/setup/sms")
        await page.go_back()
        await expect(page.locator("#setting-host")).to_have_value("smpp.example")
        await expect(page.locator("#setting-port")).to_have_attribute("aria-invalid", "true")
        await page.reload()
        await expect(page.locator("#setting-host")).to_have_value("smpp.example")


async def test_odd_minutes_are_marked_while_one_types(pages: Pages) -> None:
    async with pages.signed_in_page("/matrix?cell=inbound.missed.new/end", quiet=False) as page:
        field = page.locator("input[name$='.minutes']").first
        await page.locator("details[name=cell-actions]").evaluate_all(
            "all => all.forEach(one => one.open = true)"
        )
        await field.fill("soon")
        await expect(field).to_have_attribute("aria-invalid", "true")
        await expect(page.locator("#matrix-foot")).to_contain_text("Не сохранено")
        assert await field.input_value() == "soon"
        await field.fill("45")
        await expect(field).not_to_have_attribute("aria-invalid", "true")
        await expect(page.locator("#matrix-foot")).not_to_contain_text("Не сохранено")


async def test_calls_on_now_are_not_cut_on_a_screen_of_1280(pages: Pages) -> None:
    async with pages.signed_in_page("/", width=1280) as page:
        table = page.locator("#now-calls table")
        if await table.count():
            inside, frame = await table.bounding_box(), await page.locator("#now-calls").bounding_box()
            assert inside is not None
            assert frame is not None
            assert inside["x"] + inside["width"] <= frame["x"] + frame["width"] + 1
