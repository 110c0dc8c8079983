"""The matrix as a person sets it up: a cell edited, a problem shown, tried, published, seen on a real call, gone back from; two
editors at one draft."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page, expect

from gateway.calls.client_job import ClientJob
from gateway.intake.inbox import Inbox
from gateway.pbx.port import Parsed
from gateway.store.admin import accounts, matrices
from gateway.store.admin.matrices import MatrixStore
from gateway.web.person import Theme
from routing.calls.model import Disposition, EventKind
from routing.matrix.actions import MakeDeal
from routing.matrix.versions.parts import MatrixPart, with_part
from routing.settings import NumberPolicy
from routing.texts.catalogue import Language
from tests.e2e.pages.browser import DESKTOP, PHONE, Pages, axe, no_overflow, small_targets
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


async def test_a_cell_is_edited_tried_published_met_by_a_real_call_and_gone_back_from(
    pages: Pages, site: Site
) -> None:
    async with pages.signed_in_page("/matrix") as page:
        await page.locator(f'[data-cell="{CELL}"]').focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#panel-title")).to_be_focused()
        await page.locator("#add-action > summary").click()
        await page.get_by_role("button", name="Примечание").click()
        text = page.locator("[data-action] details[open] [data-template]")
        await text.fill("Звонил {{ nothing }}")
        await expect(page.locator("#matrix-strips")).to_contain_text("Опубликовать нельзя: 1 ошибка")
        await text.fill("Звонил ")
        await page.locator(".cm-variables > summary").click()
        await page.locator('[data-variable="client.number"]').click()
        await expect(page.locator("#matrix-strips")).not_to_contain_text("Опубликовать нельзя")
        await expect(page.locator('[id$="-text-gives"]').last).to_contain_text("Получится: Звонил +7916")
        await saved(page)
        await page.locator("#try-number").fill(CLIENT)
        await page.get_by_role("button", name="Проверить").click()
        await expect(page.locator("#try-result")).to_contain_text("Звонил +79161234567")
        await page.get_by_role("link", name="Опубликовать…").click()
        await page.locator("#why").fill("видно, кто звонил")
        await page.get_by_role("button", name="Опубликовать").first.click()
        await expect(page.locator("h1")).to_have_text("Матрица звонков")
        await expect(page.locator("#toasts")).to_contain_text("Версия 2 действует")
        call_id = await a_missed_call(site)
        ordered = await site.pool.fetchval("SELECT \"order\"->>'text' FROM effect WHERE what = 'add_note'")
        assert ordered == f"Звонил {CLIENT}"
        await page.goto(f"{site.address}/calls/{call_id}")
        await expect(page.locator("#content")).to_contain_text("примечание", ignore_case=True)
        await page.goto(f"{site.address}/matrix/versions")
        await page.get_by_role("link", name="Вернуться к 1…").click()
        await page.locator("#why").fill("лишнее")
        await page.get_by_role("button", name="Вернуться к версии 1").click()
        await expect(page.locator("#toasts")).to_contain_text("Версия 3 действует")


async def test_two_editors_at_one_draft_keep_what_both_did_and_choose_where_both_changed(
    pages: Pages, site: Site
) -> None:
    async with (
        pages.signed_in_page(f"/matrix?cell={CELL}", quiet=False) as mine,
        pages.signed_in_page(f"/matrix?cell={CELL}", quiet=False) as theirs,
    ):
        await theirs.locator("#add-action > summary").click()
        await theirs.get_by_role("button", name="Примечание").click()
        await expect(theirs.locator("[data-action]")).to_have_count(5)
        await mine.locator("#action-3 summary").click()
        await mine.locator("#action-3 [data-template]").fill("Позвонить быстрее")
        note = mine.locator("#matrix-foot")
        await expect(note).to_contain_text("сохранено ещё раз")
        await note.get_by_role("button", name="Выбрать").click()
        await expect(mine.locator("h1")).to_have_text("Черновик изменён с двух сторон")
        assert await axe(mine) == []
        assert await no_overflow(mine) == []
        await mine.get_by_label("взять это").first.check()
        await mine.get_by_role("button", name="Сохранить выбранное").click()
        await expect(mine.locator("[data-action]")).to_have_count(4)
        await expect(mine.locator("#a3-text")).to_have_value("Позвонить быстрее")


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


LOOKS = (
    (f"/matrix?cell={CELL}", "light", DESKTOP, "ru"),
    ("/matrix", "dark", DESKTOP, "en"),
    (f"/matrix?cell={CELL}", "dark", PHONE, "en"),
    ("/matrix", "light", PHONE, "ru"),
    ("/matrix/publish", "light", DESKTOP, "ru"),
    ("/matrix/publish", "dark", PHONE, "en"),
    ("/matrix/versions", "light", PHONE, "ru"),
    ("/matrix/rules", "dark", DESKTOP, "ru"),
    ("/matrix/ads", "light", PHONE, "en"),
    ("/matrix/presets", "dark", PHONE, "ru"),
    ("/matrix/trial", "light", DESKTOP, "en"),
)


async def test_every_page_of_the_matrix_is_open_to_everybody(pages: Pages, site: Site) -> None:
    async with site.pool.acquire() as conn:
        seen = await matrices.draft(conn, ACCOUNT)
        gone = with_part(
            seen.matrix, MatrixPart("default", CELL), (MakeDeal(pipeline_id="1", stage_id="99"),)
        )
        await matrices.save_draft(conn, ACCOUNT, gone, revision=0, by="x")
    found: list[str] = []
    for path, theme, width, language in LOOKS:
        chosen: tuple[Theme, Language] = theme, language  # type: ignore[assignment]
        async with pages.signed_in_page(path, theme=chosen[0], language=chosen[1], width=width) as page:
            seen_there = [*(await axe(page)), *(await no_overflow(page)), *(await small_targets(page))]
            found += [f"{path} {theme} {width}: {one}" for one in seen_there]
    assert found == []


async def test_without_script_a_cell_is_edited_and_published(pages: Pages, site: Site) -> None:
    async with pages.signed_in_page("/matrix", script=False) as page:
        await page.locator(f'[data-cell="{CELL}"]').click()
        await page.locator("#add-action > summary").click()
        await page.get_by_role("button", name="Примечание").click()
        await page.locator("[data-action] details[open] [data-template]").fill(
            "Пропущен: {{ client.number }}"
        )
        await page.get_by_role("button", name="Сохранить").click()
        await saved(page)
        await page.get_by_role("link", name="Опубликовать…").click()
        await expect(page.locator("#changes")).to_contain_text("добавить примечание")
        await page.locator("#why").fill("без скриптов")
        await page.get_by_role("button", name="Опубликовать").first.click()
        await expect(page.locator("#content")).to_contain_text("без скриптов")


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
