"""The stream that keeps pages fresh, in a browser."""

from __future__ import annotations

import re

import pytest

from tests.e2e.pages.browser import Pages

pytestmark = pytest.mark.pages


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
