"""The pace of calls, set in a browser: what was typed wrong stays where it was typed, with why."""

from __future__ import annotations

import pytest

from gateway.admin.outbound.settings import show_settings
from tests.e2e.pages.browser import Pages

pytestmark = pytest.mark.pages


@pytest.mark.parametrize("typed", ["много", ""])
async def test_a_wrong_pace_and_why_stay_when_the_page_is_read_anew(pages: Pages, typed: str) -> None:
    async with pages.site.pool.acquire() as conn:
        before = await show_settings(conn, pages.site.account)
    async with pages.signed_in_page("/messages", quiet=False) as page:
        await page.fill("#rate", typed)
        await page.click("form[action^='/messages/rate'] button")
        await page.locator("#rate-error").wait_for()
        await page.evaluate("document.getElementById('callbacks').dispatchEvent(new Event('changed'))")
        await page.wait_for_timeout(1500)
        assert await page.input_value("#rate") == typed
        assert await page.locator("#rate-error").is_visible()
    async with pages.site.pool.acquire() as conn:
        assert await show_settings(conn, pages.site.account) == before
