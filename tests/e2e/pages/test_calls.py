"""The journal, one call and a call that is tried, in a browser: both themes, both languages, both widths, with and without script."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.store.decisions.decisions import add_decisions
from gateway.web.person import Theme
from routing.texts.catalogue import Language
from tests.e2e.pages.browser import DESKTOP, PHONE, Pages, axe, no_overflow, small_targets
from tests.integration.web.calls_on_pages import CLIENT, a_call, name_client, store
from tests.integration.web.test_call_page import a_lookup, a_matrix_decision, add_effect

pytestmark = pytest.mark.pages

_MINUTE = timedelta(minutes=1)
_PATHS = (
    "/calls?period=all",
    "/calls?period=all&result=good",
    "/calls/c1",
    "/calls/try?number=89161234567&who=anna",
)


async def _calls(pages: Pages) -> None:
    pool = pages.site.pool
    await store(
        pool,
        a_call(
            "c1", 5 * _MINUTE, answered_by="101", rung=("102", "101"), recording="https://pbx.example/1.mp3"
        ),
        a_call("c2", 4 * _MINUTE, client="+79990001122", rung=("102", "103")),
        a_call("c3", 3 * _MINUTE, client="+79031112233", direction="outbound", answered_by="999"),
    )
    async with pool.acquire() as conn:
        await add_decisions(conn, [a_lookup(), a_matrix_decision()])
    await name_client(pool, CLIENT, "Климова Наталья Константиновна-Преображенская")
    await add_effect(
        pool, "e1", "done", do="create_deal", name="Кухня", contact={"kind": "contact", "id": "501"}
    )
    await add_effect(
        pool, "e2", "dead", do="add_note", target={"kind": "contact", "id": "501"}, text="звонил"
    )


@pytest.mark.parametrize(("theme", "language", "width"), [("light", "ru", DESKTOP), ("dark", "en", PHONE)])
async def test_pages_of_calls_are_accessible_and_within_the_window(
    pages: Pages, theme: Theme, language: Language, width: int
) -> None:
    await _calls(pages)
    found = {}
    for path in _PATHS:
        async with pages.signed_in_page(path, theme=theme, language=language, width=width) as page:
            found[path] = [*await axe(page), *await no_overflow(page), *await small_targets(page)]
            if path == "/calls/c1":
                assert await page.locator("#course svg[role=img]").is_visible() is (width == DESKTOP)
                assert await page.locator("#course ol").is_visible() is (width == PHONE)
    assert {path: faults for path, faults in found.items() if faults} == {}


async def test_without_script_the_journal_is_filtered_and_a_call_read(pages: Pages) -> None:
    await _calls(pages)
    async with pages.signed_in_page("/calls?period=all", script=False) as page:
        await page.locator("summary", has_text="Итог: любой").click()
        await page.locator("#result").select_option("answered")
        await page.locator(".cm-popover button:visible").click()
        assert "result=answered" in page.url
        assert await page.locator("tbody tr").count() == 2
        await page.locator("tbody tr a").last.click()
        assert "Звонок принят по открытой сделке" in await page.locator(".cm-note").first.inner_text()
        await page.locator("summary", has_text="Таблицей").click()
        assert await page.locator("#course tbody tr").count() > 3


async def test_new_calls_are_announced_above_and_the_rows_stay(pages: Pages) -> None:
    await _calls(pages)
    async with pages.signed_in_page("/calls?period=all") as page:
        assert await page.locator("tbody tr").count() == 3
        await store(pages.site.pool, a_call("c4", timedelta(0)))
        bar = page.locator(".cm-bar-new")
        await bar.wait_for(timeout=10_000)
        assert await bar.inner_text() == "1 новый звонок"
        assert await page.locator("tbody tr").count() == 3
        await bar.click()
        assert await page.locator("tbody tr").count() == 4


async def test_a_name_of_one_endless_word_pushes_nothing_out_of_the_window(pages: Pages) -> None:
    await _calls(pages)
    await pages.site.pool.execute("UPDATE directory_entity SET name = repeat('Щ', 190)")
    async with pages.signed_in_page("/calls?period=all") as page:
        assert await no_overflow(page) == []
        table = page.locator("table").first
        inside = await table.evaluate("t => t.scrollWidth <= t.closest('.cm-panel').clientWidth")
        assert inside
