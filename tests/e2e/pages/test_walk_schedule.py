"""A schedule is made and painted on its page, and deals go to who is on shift by it."""

from __future__ import annotations

import pytest
from playwright.async_api import Page

from tests.e2e.features.sales import Sales, person
from tests.e2e.pages.walking import Walk, languages

pytestmark = [pytest.mark.pages, pytest.mark.asyncio(loop_scope="session")]
ON, OFF = 101, 102
NAME = "Walk"


@pytest.mark.parametrize("language", languages("ru"))
async def test_a_schedule_is_painted_and_a_deal_goes_to_who_is_on_shift(
    walk: Walk, department: Sales
) -> None:
    name = f"{NAME} {walk.language}"
    async with walk.person("/shifts/new-schedule", role="senior_manager", quiet=True) as page:
        await page.locator("#name").fill(name)
        await page.get_by_text(walk.t("shifts.schedules.kind.by_day"), exact=True).click()
        await walk.press(page, "shifts.schedules.make")
        for number in (ON, OFF):
            await page.locator("#add-line").select_option(f"p:{person(number)}")
            await walk.press(page, "shifts.grid.add_line")
        await _paint_round_the_clock(walk, page, ON)
        hours = {"mode": "individual", "schedule": name}
        async with department.template(f"walk-{walk.language}", ON, OFF, working_time=hours):
            assert await department.given(await department.deals(2)) == [ON, ON]
            await page.get_by_role("button", name=walk.t("shifts.grid.line_menu", name="")).first.click()
            await walk.press(page.locator("#line-dialog"), "shifts.line.clear")
            await _paint(page, OFF)
            await walk.press(page, "shifts.grid.save")
            await walk.hears(page, "shifts.grid.saved")
            assert await department.given(await department.deals(1)) == [OFF]


async def _paint_round_the_clock(walk: Walk, page: Page, number: int) -> None:
    await walk.press(page, "shifts.grid.new_shift")
    await page.locator("#shift-name").fill("24/7")
    await page.locator("#shift-letter").fill("24")
    await page.locator("#shift-hours").fill("0-24")
    await walk.press(page, "shifts.shift.add")
    await _paint(page, number)
    await walk.press(page, "shifts.grid.save")
    await walk.hears(page, "shifts.grid.saved")


async def _paint(page: Page, number: int) -> None:
    """All days of the month, with the brush that is chosen."""
    days = page.locator(f'[data-line="p:{person(number)}"] > td:not(.cm-number)')
    await days.first.click()
    await days.last.click(modifiers=["Shift"])
