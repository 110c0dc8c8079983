"""Every page of the navigation in a browser, and the stream that keeps pages fresh."""

from __future__ import annotations

import re

import pytest

from gateway.web.person import Theme
from gateway.web.shell import ENTRIES
from routing.texts.catalogue import Language
from tests.e2e.pages.browser import DESKTOP, PHONE, Pages, axe, no_overflow

pytestmark = pytest.mark.pages

PATHS = [entry.path for entry in ENTRIES if entry.name != "desk"]


@pytest.mark.parametrize(("theme", "language", "width"), [("light", "ru", DESKTOP), ("dark", "en", PHONE)])
async def test_each_page_of_the_navigation_is_accessible_and_within_the_window(
    pages: Pages, theme: Theme, language: Language, width: int
) -> None:
    found = {}
    for path in PATHS:
        async with pages.signed_in_page(
            path, theme=theme, language=language, width=width, quiet=False
        ) as page:
            found[path] = [*await axe(page), *await no_overflow(page)]
    assert {path: faults for path, faults in found.items() if faults} == {}


async def test_a_broken_stream_is_said_after_five_seconds_and_no_longer_when_it_is_back(pages: Pages) -> None:
    async with pages.signed_in_page("/_kit", quiet=False) as page:
        await page.route("**/events*", lambda route: route.abort())
        await page.reload()
        sign = page.locator("p.cm-stale")
        assert not await sign.is_visible()
        await sign.wait_for(timeout=12_000)
        assert re.fullmatch(r"данные на \d\d:\d\d:\d\d", await sign.inner_text())
        await page.unroute("**/events*")
        await sign.wait_for(state="hidden", timeout=12_000)


async def test_one_stream_serves_all_tabs(pages: Pages) -> None:
    async with pages.signed_in_page("/_kit", quiet=False) as first:
        second = await first.context.new_page()
        asked: list[str] = []
        second.on("request", lambda request: asked.append(request.url))
        await second.goto(f"{pages.site.address}/_kit")
        heard = second.evaluate(
            "() => new Promise(heard => { const part = document.createElement('p'); part.dataset.topics = 'calls';"
            "part.addEventListener('changed', () => heard('heard')); document.body.append(part); })"
        )
        await first.evaluate(
            "() => new BroadcastChannel('callmatrix ' + document.body.dataset.stream).postMessage({topics: ['calls']})"
        )
        assert await heard == "heard"
        assert [url for url in asked if "/events" in url] == []
