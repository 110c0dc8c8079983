"""Missed calls in a browser: what is done elsewhere leaves every open page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.async_api import expect

from gateway.store.calls.missed_calls import save_case
from tests.e2e.pages.browser import Pages, no_overflow
from tests.integration.api.client import ACCOUNT
from tests.integration.web.calls_on_pages import CLIENT, a_call, name_client, store
from tests.integration.web.test_missed import LONG, SHORT, a_case
from tests.integration.web.test_now import under_way

pytestmark = pytest.mark.pages
_DAY = timedelta(days=1)


async def arrange(pages: Pages) -> None:
    pool = pages.site.pool
    await store(
        pool, under_way("ringing", timedelta(seconds=6), lookup=None), a_call("m22", _DAY, client=LONG)
    )
    await name_client(pool, CLIENT, "Наталья Климова")
    async with pool.acquire() as conn:
        await save_case(conn, ACCOUNT, a_case(LONG, 4 * _DAY, -3 * _DAY))
        await save_case(conn, ACCOUNT, a_case(SHORT, timedelta(minutes=5), _DAY, owner_id="99"))


async def test_who_is_called_back_leaves_every_open_page(pages: Pages) -> None:
    await arrange(pages)
    async with pages.signed_in_page("/missed", quiet=False) as page:
        rows = page.locator("#missed-waiting tbody tr")
        await expect(rows).to_have_count(2)
        await expect(page.locator("[data-live]")).to_be_visible()
        async with pages.site.pool.acquire() as conn:
            gone = a_case(LONG, 4 * _DAY, -3 * _DAY).model_copy(update={"state": "closed"})
            await save_case(conn, ACCOUNT, gone)
        await expect(rows).to_have_count(1)
        await expect(page.locator(".cm-side .cm-count")).to_have_text("1")


@pytest.mark.parametrize("path", ["/", "/calls", "/missed"])
async def test_the_bar_of_the_shell_has_room_on_a_screen_of_1280_while_a_call_goes_on(
    pages: Pages, path: str
) -> None:
    await arrange(pages)
    async with pages.signed_in_page(path, width=1280) as page:
        if path == "/":
            await expect(page.locator("#now-calls tbody tr").first).to_be_visible()
        assert await no_overflow(page) == []
        await expect(page.locator(".cm-side .cm-count").first).to_be_visible()
        assert await page.evaluate(_WRAPPED) == []


_WRAPPED = """() => [...document.querySelectorAll(".cm-side .cm-nav-entry, .cm-head h1, .cm-actions > *")]
  .filter((one) => one.checkVisibility())
  .filter((one) => {
    const words = [...one.querySelectorAll("span")].filter((part) => part.textContent.trim());
    const line = parseFloat(getComputedStyle(one).lineHeight) || 24;
    return one.scrollWidth > one.clientWidth + 1 || words.some((part) => part.getBoundingClientRect().height > 1.8 * line);
  })
  .map((one) => one.textContent.trim())"""
"""What is cut, or stands in two lines."""
