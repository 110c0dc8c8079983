"""The journal and one call in a browser: with and without script, on a desk and on a phone, with new calls and endless names."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.store.decisions.decisions import add_decisions
from tests.e2e.pages.browser import DESKTOP, PHONE, Pages, no_overflow
from tests.integration.web.calls_on_pages import CLIENT, a_call, name_client, store
from tests.integration.web.test_call_page import a_lookup, a_matrix_decision, add_effect

pytestmark = pytest.mark.pages

_MINUTE = timedelta(minutes=1)


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


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
async def test_the_course_of_a_call_is_drawn_on_a_desk_and_listed_on_a_phone(
    pages: Pages, width: int
) -> None:
    await _calls(pages)
    async with pages.signed_in_page("/calls/c1", width=width) as page:
        assert await page.locator("#course svg[role=img]").is_visible() is (width == DESKTOP)
        assert await page.locator("#course ol").is_visible() is (width == PHONE)


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
