"""A session that ends while somebody types: signing in opens over the page, and what was typed can be sent."""

from __future__ import annotations

import asyncpg
import pytest
from playwright.async_api import Page, expect

from tests.e2e.pages.browser import Look, chromium, watched
from tests.e2e.pages.site import running_site
from tests.integration.web.signing import PASSWORD, let_people_in
from tests.paths import ROOT

pytestmark = pytest.mark.pages

PATH = "/setup/do-not-call"


async def _enter(place: Page, within: str) -> None:
    await place.locator(f"{within} #login").fill("olga")
    await place.locator(f"{within} #password").fill(PASSWORD)
    await place.locator(f"{within} form[action='/sign-in'] button").click()


async def test_what_was_typed_is_kept_and_sent_after_signing_in_again(
    pool: asyncpg.Pool, database_url: str
) -> None:
    async with running_site(pool, database_url, signs_in=True) as site, chromium() as browser:
        await let_people_in(pool)
        results = ROOT / ".pages" / "session-over"
        async with watched(browser, Look(), results, quiet=False) as page:
            await page.goto(f"{site.address}/sign-in?next={PATH}")
            await _enter(page, "main")
            await page.locator("#number").fill("+79161234567")
            await pool.execute("DELETE FROM page_session")
            dialog = page.locator("#session-over")
            await expect(dialog).to_be_visible()
            await _enter(page, "#session-over")
            await expect(dialog).to_be_hidden(timeout=30_000)  # a password is hashed, and the page made anew
            assert await page.locator("#number").input_value() == "+79161234567"
            await page.locator("#add form button").click()
            await expect(page.locator("tbody")).to_contain_text("123-45-67")
        assert await pool.fetchval("SELECT count(*) FROM do_not_call") == 1
