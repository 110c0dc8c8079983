"""The components page in a browser: accessible and in its place in both themes, both languages, on a desk and on a phone."""

from __future__ import annotations

import pytest

from gateway.web.person import Theme
from routing.texts.catalogue import LANGUAGES
from tests.e2e.pages.browser import DESKTOP, PHONE, Pages, axe, no_overflow, small_targets

pytestmark = pytest.mark.pages

THEMES: tuple[Theme, ...] = ("light", "dark")
FIRST_VISIT_BYTES = 150_000


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
async def test_every_part_is_accessible_and_within_the_window(pages: Pages, width: int) -> None:
    for theme in THEMES:
        for language in LANGUAGES:
            async with pages.signed_in_page("/_kit", theme=theme, language=language, width=width) as page:
                assert await axe(page) == [], (theme, language)
                assert await no_overflow(page) == [], (theme, language)
                assert await small_targets(page) == [], (theme, language)


async def test_a_first_visit_is_light(pages: Pages) -> None:
    async with pages.signed_in_page("/_kit") as page:
        total = await page.evaluate(
            "() => performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))"
            ".reduce((sum, entry) => sum + entry.encodedBodySize, 0)"
        )
        assert 40_000 < total < FIRST_VISIT_BYTES


async def test_at_400_percent_nothing_scrolls_sideways(pages: Pages) -> None:
    async with pages.signed_in_page("/_kit", width=320) as page:
        assert await no_overflow(page) == []


async def test_a_question_opens_with_the_focus_on_the_safe_answer_and_gives_it_back(pages: Pages) -> None:
    async with pages.signed_in_page("/_kit") as page:
        await page.click("[data-confirm=kit-ask]")
        assert await page.evaluate("document.activeElement.hasAttribute('data-close')")
        await page.keyboard.press("Escape")
        assert await page.evaluate("document.activeElement.dataset.confirm") == "kit-ask"


async def test_a_menu_closes_by_escape_and_by_a_press_elsewhere(pages: Pages) -> None:
    async with pages.signed_in_page("/_kit") as page:
        menu = page.locator(".cm-main details.cm-menu").first
        await menu.locator("summary").click()
        await page.keyboard.press("Escape")
        assert await menu.get_attribute("open") is None
        assert await page.evaluate("document.activeElement.tagName") == "SUMMARY"
        await menu.locator("summary").click()
        await page.click("h1")
        assert await menu.get_attribute("open") is None


async def test_leaving_a_form_with_changes_asks(pages: Pages) -> None:
    async with pages.signed_in_page("/_kit", quiet=False) as page:
        await page.fill("#kit-name", "changed")
        await page.click(".cm-side a.cm-nav-entry >> nth=1")
        assert await page.evaluate("document.getElementById('kit-leave').open")
        await page.click("#kit-leave button[value=stay]")
        assert page.url.endswith("/_kit")


async def test_the_theme_follows_the_system_where_the_person_says_so(pages: Pages) -> None:
    async with pages.signed_in_page("/_kit", theme="system") as page:
        await page.emulate_media(color_scheme="dark")
        await page.locator("html[data-bs-theme=dark]").wait_for()


async def test_without_script_nothing_is_offered_that_needs_it(pages: Pages) -> None:
    async with pages.signed_in_page("/_kit", script=False) as page:
        assert await page.locator("[data-copy]:visible, [data-needs-script]:visible").count() == 0
        await page.locator(".cm-main details.cm-menu summary").first.click()
        assert await page.locator(".cm-menu-list:visible").count() == 1
