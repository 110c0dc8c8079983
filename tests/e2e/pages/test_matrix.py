"""The matrix as a person sets it up: keys on the table, every page of it looked at, a version on trial. What is gone through from a
change to a real call stands in test_walk_matrix.py."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page, expect

from gateway.calls.client_job import ClientJob
from gateway.intake.inbox import Inbox
from gateway.pbx.port import Parsed
from gateway.store.admin import accounts, matrices
from gateway.store.admin.matrices import MatrixStore
from routing.calls.model import Disposition, EventKind
from routing.matrix.versions.parts import MatrixPart, with_part
from routing.settings import NumberPolicy
from tests.e2e.pages.browser import Pages, axe, no_overflow
from tests.e2e.pages.site import Site
from tests.integration.api.client import ACCOUNT
from tests.integration.intake.office import CLIENT, LINE, an_event
from tests.integration.web.catalogues import read_catalogues

pytestmark = pytest.mark.pages
CELL = "inbound.missed.new/end"
OTHER = "inbound.answered.known_with_deal/end"


@pytest.fixture
async def site(pages: Pages) -> Site:
    await read_catalogues(pages.site.pool)
    return pages.site


async def a_missed_call(site: Site) -> str:
    """Tell of a call that nobody answered, and work on it as a worker does. Its id."""
    began = datetime.now(UTC) - timedelta(minutes=3)
    pool = site.pool
    async with pool.acquire() as conn:
        [connection] = await accounts.connections(conn, ACCOUNT)
    inbox = Inbox(pool)
    inbox.start()
    try:
        for kind, seconds in ((EventKind.STARTED, 0), (EventKind.ENDED, 20)):
            cause = Disposition.NO_ANSWER if kind is EventKind.ENDED else None
            event = an_event(kind, "walk", at=began + timedelta(seconds=seconds), line=LINE, cause=cause)
            raw = event.model_dump_json()
            parsed = Parsed(canonical=raw, events=(event,))
            await inbox.accept(connection, parsed, raw.encode(), began, NumberPolicy(region="RU"))
    finally:
        await inbox.stop()
    await ClientJob(pool, MatrixStore()).run(ACCOUNT, CLIENT)
    found = await pool.fetchval("SELECT call_id FROM call WHERE call_key = 'walk'")
    return str(found)


async def saved(page: Page) -> None:
    await expect(page.locator("#matrix-foot")).to_contain_text("Черновик сохранён")


async def test_the_table_goes_by_keys_and_a_cell_is_copied_into_another(pages: Pages, site: Site) -> None:
    async with pages.signed_in_page("/matrix") as page:
        first = page.locator('[data-cell="inbound.answered.new/answer"]')
        await first.focus()
        await page.keyboard.press("ArrowRight")
        await expect(page.locator('[data-cell="inbound.answered.new/end"]')).to_be_focused()
        await page.keyboard.press("ArrowDown")
        await expect(page.locator('[data-cell="inbound.answered_by_unknown.new/end"]')).to_be_focused()
        await first.focus()
        await page.keyboard.press("c")
        await page.locator('[data-cell="inbound.ringing.new/ring"]').focus()
        await page.keyboard.press("v")
        await expect(page.locator("#toasts")).to_contain_text("Действия скопированы")
        await expect(page.locator('[data-cell="inbound.ringing.new/ring"]')).to_contain_text("Контакт")


async def test_what_could_not_be_saved_is_said_and_sent_again(pages: Pages, site: Site) -> None:
    async with pages.signed_in_page(f"/matrix?cell={CELL}", quiet=False) as page:
        foot = page.locator("#matrix-foot")
        await page.route("**/matrix/cell*", lambda route: route.abort())
        field = page.locator("#cell-form select").first
        await field.dispatch_event("change")
        await expect(foot).to_contain_text("Не сохранено")
        await expect(foot).not_to_contain_text("Черновик сохранён")
        await page.unroute("**/matrix/cell*")
        await expect(foot).not_to_contain_text("Не сохранено", timeout=8_000)


async def test_a_value_that_no_field_takes_is_not_told_to_be_saved(pages: Pages, site: Site) -> None:
    async with pages.signed_in_page(f"/matrix?cell={CELL}&open=3", quiet=False) as page:
        foot = page.locator("#matrix-foot")
        minutes = page.locator('#cell-form input[inputmode="numeric"]').first
        await minutes.fill("70")
        await expect(foot).to_contain_text("Черновик сохранён")
        await minutes.fill("-5")
        await expect(foot).to_contain_text("Не сохранено")
        await expect(foot).not_to_contain_text("Черновик сохранён")
        await minutes.fill("75")
        await expect(foot).to_contain_text("Черновик сохранён")


async def test_who_leaves_before_a_cell_is_saved_is_asked_and_loses_nothing(pages: Pages, site: Site) -> None:
    place = f"/matrix?cell={CELL}&open=3"
    async with pages.signed_in_page(place, quiet=False) as page:
        minutes, dialog = (
            page.locator('#cell-form input[inputmode="numeric"]').first,
            page.locator("#leave-dialog"),
        )
        await page.route("**/matrix/cell*", lambda route: route.abort())  # it saves itself, but not yet
        await minutes.fill("70")
        await page.locator('.cm-nav a[href^="/calls"]').first.click()
        await dialog.locator("button[value='']").click()
        await expect(minutes).to_have_value("70")
        await page.unroute("**/matrix/cell*")
        await page.locator('.cm-nav a[href^="/calls"]').first.click()
        await dialog.locator("button[value=save]").click()
        await page.wait_for_url("**/calls*")
        await page.goto(f"{site.address}{place}")
        await expect(minutes).to_have_value("70")
        await minutes.fill("-5")
        await page.locator('.cm-nav a[href^="/calls"]').first.click()
        await dialog.locator("button[value=save]").click()
        await expect(page.locator("main")).to_contain_text("Не сохранено")
        await page.wait_for_load_state("networkidle")
        assert "/matrix" in page.url
        await page.goto(f"{site.address}{place}")
        await expect(minutes).to_have_value("70")


async def test_a_version_goes_on_trial_and_is_taken_back(pages: Pages, site: Site) -> None:
    async with site.pool.acquire() as conn:
        seen = await matrices.draft(conn, ACCOUNT)
        other = with_part(seen.matrix, MatrixPart("default", OTHER), ())
        await matrices.save_draft(conn, ACCOUNT, other, revision=0, by="x")
    async with pages.signed_in_page("/matrix/publish") as page:
        await page.locator("#why").fill("проба на линии")
        await page.get_by_text("Сначала на части звонков").click()
        await page.get_by_role("button", name="Начать пробу для доли").click()
        await a_missed_call(site)
        await page.reload()
        await expect(page.locator("#trial")).to_contain_text("10 % клиентов")
        await expect(page.locator("#trial tbody tr").first).to_contain_text("1")
        assert await axe(page) == []
        assert await no_overflow(page) == []
        await page.locator("#why").fill("достаточно")
        await page.get_by_role("button", name="Снять с пробы").click()
        await expect(page.locator("#content")).to_contain_text("проба снята")
