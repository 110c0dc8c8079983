"""What stays after a call is changed: a problem shown and mended, tried, compared with past calls, published, met by a real call,
gone back from; two editors at one draft; without script."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.e2e.features.office import LINE
from tests.e2e.features.sales import API
from tests.e2e.pages.browser import axe, no_overflow
from tests.e2e.pages.walking import Walk, languages

pytestmark = [pytest.mark.pages, pytest.mark.asyncio(loop_scope="session")]

CELL = "inbound.missed.new/end"
_NUMBERS = itertools.count(9036660001)


async def a_missed_call(walk: Walk) -> str:
    """Told by the PBX and carried out to the end. The client's number."""
    client = f"7{next(_NUMBERS)}"
    common = {"callId": f"walk-{client}", "direction": "in", "from_": client, "to": LINE}
    await walk.stack.event(event="newCall", **common)
    await walk.stack.event(event="hangup", cause="noAnswer", **common)
    await walk.stack.until_idle()
    return client


async def notes_about(walk: Walk, client: str) -> list[str]:
    return [
        n["params"]["text"]
        for n in await walk.stack.rows("note")
        if client in str(n["params"].get("text", ""))
    ]


async def version(walk: Walk) -> int:
    draft: dict[str, Any] = await walk.stack.api("GET", f"{API}/matrix/draft")
    return int(draft["based_on"])


@pytest.mark.parametrize("language", languages("en"))
async def test_a_cell_is_changed_met_by_a_real_call_and_gone_back_from(walk: Walk) -> None:
    before = await version(walk)
    await a_missed_call(walk)
    async with walk.person("/matrix", quiet=True) as page:
        await _a_note_is_added(walk, page)
        await _is_tried(walk, page)
        await _is_published(walk, page, before + 1)
        client = await a_missed_call(walk)
        assert await notes_about(walk, client) == [f"Rang and left: +{client}"]
        await _its_page_shows_the_note(walk, page, client)
        await _is_gone_back_from(walk, page, before)
        assert await notes_about(walk, await a_missed_call(walk)) == []


async def _a_note_is_added(walk: Walk, page: Page) -> None:
    await page.locator(f'[data-cell="{CELL}"]').focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#panel-title")).to_be_focused()
    await page.locator("#add-action > summary").click()
    await page.locator('#add-action button[value="add.add_note"]').click()
    text = page.locator("[data-action] details[open] [data-template]")
    await text.fill("Rang and left: {{ nothing }}")
    problem = walk.t("matrix.page.errors", n=1)
    await expect(page.locator("#matrix-strips")).to_contain_text(problem)
    await text.fill("Rang and left: {{ client.number }}")
    await expect(page.locator("#matrix-strips")).not_to_contain_text(problem)
    await expect(page.locator("#matrix-foot")).to_contain_text(walk.t("matrix.page.saved-at", at="").strip())


async def _is_tried(walk: Walk, page: Page) -> None:
    await page.locator("#try-number").fill("+79161234567")
    await walk.press(page, "matrix.page.try-it")
    await expect(page.locator("#try-result")).to_contain_text("Rang and left: +79161234567")


async def _is_published(walk: Walk, page: Page, number: int) -> None:
    await walk.follow(page, "matrix.page.publish…")
    replayed = page.locator("#replay .cm-figure")
    await expect(replayed).to_have_count(2, timeout=30_000)
    assert int(await replayed.nth(1).inner_text()) > 0, "a past missed call ends otherwise"
    await page.locator("#why").fill("one sees who rang")
    await page.locator('#publish-form button[value="all"]').click()
    await expect(page.locator("h1")).to_have_text(walk.t("matrix.page.title"))
    await walk.hears(page, "matrix.page.published", version=number)


async def _its_page_shows_the_note(walk: Walk, page: Page, client: str) -> None:
    await page.goto(f"{walk.stack.url}/calls?q={client}")
    await page.locator("tbody tr a").first.click()
    await expect(page.locator("#writes")).to_contain_text(f"Rang and left: +{client}")


async def _is_gone_back_from(walk: Walk, page: Page, number: int) -> None:
    await page.goto(f"{walk.stack.url}/matrix/versions")
    await walk.follow(page, "matrix.page.go-back…", n=number)
    await page.locator("#why").fill("not needed")
    await walk.press(page, "matrix.page.restore-do", n=number)
    await walk.hears(page, "matrix.page.restored", version=number + 2, old=number)


@pytest.mark.parametrize("language", languages("ru"))
async def test_two_editors_at_one_draft_keep_what_both_did(walk: Walk) -> None:
    async with (
        walk.person(f"/matrix?cell={CELL}") as mine,
        walk.person(f"/matrix?cell={CELL}", role="senior_manager") as theirs,
    ):
        count = await theirs.locator("[data-action]").count()
        await theirs.locator("#add-action > summary").click()
        await theirs.locator('#add-action button[value="add.add_note"]').click()
        await expect(theirs.locator("[data-action]")).to_have_count(count + 1)
        last = mine.locator("[data-action]").last
        await last.locator("summary").click()
        await last.locator("[data-template]").first.fill("Ring sooner")
        foot = mine.locator("#matrix-foot")
        await walk.press(foot, "matrix.page.choose")
        await expect(mine.locator("h1")).to_have_text(walk.t("matrix.page.conflict"))
        assert [*await axe(mine), *await no_overflow(mine)] == []
        await mine.locator('input[name="choice"][value="mine"]').first.check()
        await walk.press(mine, "matrix.page.save-chosen")
        await expect(mine.locator("[data-action]")).to_have_count(count)
        await expect(mine.locator("[data-action] [data-template]").last).to_have_value("Ring sooner")
    draft = await walk.stack.api("GET", f"{API}/matrix/draft")
    await walk.stack.api("POST", f"{API}/matrix/draft/reset", body={"revision": draft["revision"]})


@pytest.mark.parametrize("language", languages("ru"))
async def test_without_script_a_cell_is_edited_and_published(walk: Walk) -> None:
    before = await version(walk)
    async with walk.person("/matrix", script=False) as page:
        await page.locator(f'[data-cell="{CELL}"]').click()
        await page.locator("#add-action > summary").click()
        await page.locator('#add-action button[value="add.add_note"]').click()
        await page.locator("[data-action] details[open] [data-template]").fill(
            "Without script: {{ client.number }}"
        )
        await page.locator('#cell-form button[value="save"]:visible').click()
        await walk.follow(page, "matrix.page.publish…")
        await page.locator("#why").fill("scripts are off here")
        await page.locator('#publish-form button[value="all"]').click()
        client = await a_missed_call(walk)
        assert await notes_about(walk, client) == [f"Without script: +{client}"]
        await _is_gone_back_from(walk, page, before)
