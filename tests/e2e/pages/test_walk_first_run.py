"""From nothing to the first call, seen to arrive: the CRM connected, clients loaded, people taken over, a PBX told of us."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.e2e.pages.walking import Walk, languages
from tests.waiting import until

pytestmark = [pytest.mark.pages, pytest.mark.asyncio(loop_scope="session")]

LINE = "74950000001"


@pytest.mark.parametrize("language", languages("ru"))
async def test_from_nothing_to_the_first_call(empty_walk: Walk) -> None:
    walk = empty_walk
    async with walk.person() as page:
        await expect(page).to_have_url(re.compile("/start$"))
        await _crm_is_connected(walk, page)
        await _people_are_taken_over(walk, page)
        await _first_call_arrives(walk, page)
        await page.goto(f"{walk.stack.url}/start")

        async def is_done() -> bool:
            await page.reload()
            return walk.t("start.done") == await page.locator("h1").inner_text()

        await until(is_done, "the clients are loaded, and nothing is left to do", seconds=60)


async def _crm_is_connected(walk: Walk, page: Page) -> None:
    token = (await walk.stack.sandbox("token?integration=callmatrix"))["access_token"]
    await page.get_by_label(walk.t("start.crm.url")).fill(walk.stack.sandbox_url)
    await page.get_by_label(walk.t("setup.crm.token"), exact=True).fill("no such key")
    await walk.press(page, "start.crm.go")
    refusal = page.locator("#token")
    await expect(refusal).to_have_attribute("aria-invalid", "true")
    await refusal.fill(token)
    await walk.press(page, "start.crm.go")
    await walk.hears(page, "start.said.connected")
    await page.get_by_label(walk.t("start.contact"), exact=True).fill("+74951234567")
    await walk.press(page, "setup.save")
    await expect(page.locator("#step-1")).to_contain_text("+7 495 123-45-67")
    await expect(page.locator("#load")).to_contain_text(
        walk.t("start.load.proof", count="", at="").split(":")[0], timeout=60_000
    )


async def _people_are_taken_over(walk: Walk, page: Page) -> None:
    extension = page.locator("#step-3 input[name=extension]").first

    async def are_read() -> bool:
        await page.reload()
        return await extension.count() > 0

    await until(are_read, "the CRM's users are read", seconds=40)
    await extension.fill("101")
    await walk.press(page, "setup.employees.import")
    await walk.hears(page, "setup.employees.said.added", n=1)
    await expect(page.locator("#step-3")).to_contain_text(walk.t("start.people.done", n=1))


async def _first_call_arrives(walk: Walk, page: Page) -> None:
    await page.get_by_role("link", name=walk.t("setup.pbx.kind.generic"), exact=True).click()
    await page.get_by_label(walk.t("setup.pbx.name"), exact=True).fill("office")
    await page.get_by_label(walk.t("setup.pbx.lines"), exact=True).fill(f"+{LINE}")
    await walk.press(page, "setup.pbx.add")
    secret = await page.locator("#secret").input_value()
    await expect(page.locator("#call-now")).to_contain_text(
        walk.t("setup.pbx.waiting_since", passed="").strip()
    )
    common = {"callId": "first", "from": "79161234567", "to": LINE, "direction": "in"}
    for event in ({"event": "newCall"}, {"event": "hangup", "cause": "noAnswer"}):
        async with walk.stack.http.post(
            f"{walk.stack.url}/pbx/office/events",
            json={**common, **event},
            headers={"Authorization": f"Bearer {secret}"},
        ) as answer:
            assert answer.status == 200, await answer.text()
    await expect(page.locator("#call-now")).to_contain_text("+7 916 123-45-67", timeout=20_000)
    await walk.follow(page.locator("#call-now"), "setup.pbx.open_call")
    await expect(page).to_have_url(re.compile("/calls/"))
    await expect(page.locator("#content")).to_contain_text("+7 916 123-45-67")
