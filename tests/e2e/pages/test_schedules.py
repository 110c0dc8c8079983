"""A schedule painted in a browser: by mouse, by keys, by finger, undone, and saved."""

from __future__ import annotations

from datetime import date
from urllib.parse import quote

import pytest
from playwright.async_api import Locator, Page, expect

from gateway.admin.schedules.saved import save_schedule, the_schedule
from routing.schedules.model import Period, Schedule, WorkPlan
from tests.e2e.pages.browser import PHONE, Pages, axe, no_overflow
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR

pytestmark = pytest.mark.pages
NAME = "Смены"
PLACE = f"/shifts/schedules/{quote(NAME)}"
DECEMBER = f"{PLACE}?month=2026-12"
DAY, NIGHT = (("09:00", "18:00"),), (("21:00", "09:00"),)


async def prepare(pages: Pages, schedule: Schedule) -> None:
    async with pages.site.pool.acquire() as conn:
        await save_schedule(conn, ACCOUNT, NAME, schedule, by="test")


async def plan_of_anna(pages: Pages) -> WorkPlan:
    async with pages.site.pool.acquire() as conn:
        return (await the_schedule(conn, ACCOUNT, NAME)).schedule.people[ANNA.id]


def by_day() -> Schedule:
    return Schedule(kind="by_day", people={ANNA.id: WorkPlan(periods=()), SENIOR.id: WorkPlan(periods=())})


def cells_of(page: Page, who: str = ANNA.id) -> Locator:
    return page.locator(f'[data-line="p:{who}"] > td:not(.cm-number)')


async def letters(page: Page, who: str = ANNA.id) -> str:
    """What stands in the days of a line, "." for nothing."""
    found = await cells_of(page, who).all_inner_texts()
    return "".join(text.strip() or "." for text in found)


async def drag(page: Page, first: Locator, last: Locator) -> None:
    await first.hover()
    await page.mouse.down()
    await last.hover()
    await page.mouse.up()


async def test_a_month_is_painted_with_the_mouse_undone_and_saved(pages: Pages) -> None:
    await prepare(pages, by_day())
    async with pages.signed_in_page(DECEMBER) as page:
        days = cells_of(page)
        await drag(page, days.nth(0), days.nth(4))
        assert await letters(page) == "ДДДДД" + "." * 26
        await days.nth(1).click()
        assert await letters(page) == "Д.ДДД" + "." * 26, "a click on a painted day clears it"
        await page.locator(".cm-brush", has_text="Ночь").click()
        await days.nth(6).click()
        await days.nth(8).click(modifiers=["Shift"])
        assert await letters(page) == "Д.ДДД.ННН" + "." * 22
        await drag(page, cells_of(page).nth(10), cells_of(page, SENIOR.id).nth(11))
        assert await letters(page, SENIOR.id) == "." * 10 + "НН" + "." * 19
        await page.keyboard.press("Control+z")
        assert await letters(page, SENIOR.id) == "." * 31
        line = page.locator(f'[data-line="p:{ANNA.id}"]')
        assert await line.locator("[data-sum]").inner_text() == "72"
        assert (await page.locator("tfoot td").all_inner_texts())[:3] == ["1", "0", "1"]
        await page.get_by_role("button", name="Сохранить").first.click()
        await expect(page.locator("#toasts")).to_contain_text("График сохранён")
        assert await letters(page) == "Д.ДДД.ННН" + "." * 22
    plan = await plan_of_anna(pages)
    assert plan.periods == (
        Period(first=date(2026, 12, 1), last=date(2026, 12, 1), hours=DAY),
        Period(first=date(2026, 12, 3), last=date(2026, 12, 5), hours=DAY),
        Period(first=date(2026, 12, 7), last=date(2026, 12, 9), hours=NIGHT),
    )


async def test_a_month_is_painted_with_keys_alone(pages: Pages) -> None:
    await prepare(pages, by_day())
    async with pages.signed_in_page(DECEMBER, language="en") as page:
        grid = page.get_by_role("grid")
        assert await grid.locator("[tabindex='0']").count() == 1, "one tab stop"
        await grid.locator("[tabindex='0']").focus()
        await page.keyboard.press("Home")
        await page.keyboard.press("Space")
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("2")
        await page.keyboard.press("Shift+ArrowRight")
        await page.keyboard.press("Shift+ArrowRight")
        await page.keyboard.press("Space")
        assert await letters(page) == "DEEE" + "." * 27
        said = await page.evaluate("document.activeElement.getAttribute('aria-label')")
        assert said == f"{ANNA.name}, Friday, 4 Dec, Evening 13:00–22:00".replace("4 Dec", "4\u00a0Dec")
        await page.keyboard.press("Control+c")
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Control+v")
        assert await letters(page, SENIOR.id) == "DEEE" + "." * 27
        for _ in range(7):
            await page.keyboard.press("ArrowRight")
        await page.keyboard.press("Control+v")
        assert await letters(page, SENIOR.id) == "DEEE..." + "DEEE" + "." * 20
        await page.keyboard.press("Delete")
        assert await letters(page, SENIOR.id) == "DEEE..." + "DEE." + "." * 20
        for _ in range(3):
            await page.keyboard.press("Control+z")
        assert await letters(page, SENIOR.id) == "." * 31
        await expect(page.locator("[data-painted]")).to_have_text("The last painting is undone")
        page.on("dialog", lambda dialog: dialog.accept())


async def test_patterns_a_day_of_its_own_and_a_new_shift(pages: Pages) -> None:
    november = Period(first=date(2026, 11, 3), last=date(2026, 11, 3), hours=NIGHT)
    schedule = by_day().model_copy(
        update={"people": {ANNA.id: WorkPlan(periods=(november,)), SENIOR.id: WorkPlan(periods=())}}
    )
    await prepare(pages, schedule)
    async with pages.signed_in_page(DECEMBER) as page:
        await page.get_by_role("button", name=f"Заполнить: {ANNA.name}").click()
        await page.get_by_role("button", name="2 через 2").click()
        assert (await letters(page))[:8] == "ДД..ДД.."
        await page.get_by_role("button", name=f"Заполнить: {SENIOR.name}").click()
        await page.locator("#like-whom").select_option(f"p:{ANNA.id}")
        await page.get_by_role("button", name="Как у", exact=True).click()
        assert await letters(page, SENIOR.id) == await letters(page)
        await page.get_by_role("button", name=f"Заполнить: {ANNA.name}").click()
        await page.get_by_role("button", name="Как в прошлом месяце").click()
        await expect(cells_of(page).nth(4)).to_have_text("")
        assert await letters(page) == "Н" + "." * 27 + "Н..", "four weeks later"
        await page.get_by_role("button", name="Новая смена").click()
        await page.get_by_label("Название смены").fill("Короткая")
        await page.get_by_label("Буква").fill("К")
        await page.locator("#shift-hours").fill("9-12")
        await page.get_by_role("button", name="Добавить смену").click()
        await cells_of(page).nth(2).click()
        assert (await letters(page))[:3] == "Н.К"
        await cells_of(page).nth(3).click()
        fields = page.locator("[data-interval]")
        for number, text in enumerate(("10:00", "12:00", "13:00", "24:00")):
            await fields.nth(number).fill(text)
        await page.get_by_role("button", name="Задать эти часы").click()
        assert (await letters(page))[:4] == "Н.К·"
        await page.get_by_role("button", name="Сохранить").first.click()
        await expect(page.locator("#toasts")).to_contain_text("График сохранён")
        await expect(page.locator(".cm-brush", has_text="Короткая 09:00–12:00")).to_be_visible()
    periods = (await plan_of_anna(pages)).periods or ()
    assert periods[3].hours == (("10:00", "12:00"), ("13:00", "24:00"))


async def test_hours_that_are_typed_count_without_a_button_and_nonsense_is_not_left_behind(
    pages: Pages,
) -> None:
    await prepare(pages, by_day())
    async with pages.signed_in_page(DECEMBER) as page:
        days, fields = cells_of(page), page.locator("[data-interval]")
        save = page.get_by_role("button", name="Сохранить").first
        await days.nth(3).click()
        await fields.nth(0).fill("10:00")
        await fields.nth(1).fill("12:00")
        await days.nth(5).click()
        assert await letters(page) == "...·.Д" + "." * 25, "another day is chosen"
        await fields.nth(1).fill("99:00")
        await save.click()
        await expect(page.locator("[data-day-error]")).to_be_visible()
        assert await fields.nth(1).input_value() == "99:00"
        await fields.nth(1).fill("13:00")
        await save.click()
        await expect(page.locator("#toasts")).to_contain_text("График сохранён")
    assert (await plan_of_anna(pages)).periods == (
        Period(first=date(2026, 12, 4), last=date(2026, 12, 4), hours=(("10:00", "12:00"),)),
        Period(first=date(2026, 12, 6), last=date(2026, 12, 6), hours=(("09:00", "13:00"),)),
    )


async def test_a_week_is_painted_by_weekdays_and_by_half_hours(pages: Pages) -> None:
    people = {who: WorkPlan(hours={1: DAY}) for who in (ANNA.id, SENIOR.id)}
    await prepare(pages, Schedule(people=people))
    async with pages.signed_in_page(PLACE) as page:
        await drag(page, cells_of(page).nth(1), cells_of(page).nth(2))
        assert await letters(page) == "ДДД...."
        halves = page.locator("#halves-grid tbody tr")
        assert await halves.nth(0).locator("[data-on]").count() == 18
        await drag(page, halves.nth(0).locator("td").nth(26), halves.nth(1).locator("td").nth(27))
        assert await letters(page) == "··Д....", "hours that no brush has"
        await drag(page, halves.nth(6).locator("td").nth(44), halves.nth(6).locator("td").nth(47))
        await page.keyboard.press("ArrowUp")
        await page.keyboard.press("Space")
        await page.keyboard.press("Control+z")
        assert await halves.nth(5).locator("[data-on]").count() == 0
        await page.get_by_role("button", name="Сохранить").first.click()
        await expect(page.locator("#toasts")).to_contain_text("График сохранён")
    lunch = (("09:00", "13:00"), ("14:00", "18:00"))
    hours = {1: lunch, 2: lunch, 3: DAY, 7: (("22:00", "24:00"),)}
    assert (await plan_of_anna(pages)).hours == hours


async def test_who_may_only_look_scrolls_the_grid_with_keys_and_paints_nothing(pages: Pages) -> None:
    await prepare(pages, by_day())
    async with pages.signed_in_page(DECEMBER, role="read_only", width=1024) as page:
        assert [*await axe(page), *await no_overflow(page)] == []
        await cells_of(page).nth(0).click()
        assert await letters(page) == "." * 31
        assert not await page.get_by_text("Новая смена").count()


async def test_on_a_phone_one_person_is_painted_with_a_finger(pages: Pages) -> None:
    await prepare(pages, by_day())
    async with pages.signed_in_page(DECEMBER, width=PHONE) as page:
        days = cells_of(page)
        await days.nth(6).tap()
        await days.nth(7).tap()
        await days.nth(6).tap()
        assert await letters(page) == "......." + "Д" + "." * 23
        assert not await cells_of(page, SENIOR.id).nth(0).is_visible()
        await page.get_by_label("Чей график показать").select_option(f"p:{SENIOR.id}")
        assert not await days.nth(0).is_visible()
        await cells_of(page, SENIOR.id).nth(30).tap()
        assert await letters(page, SENIOR.id) == "." * 30 + "Д"
        page.on("dialog", lambda dialog: dialog.accept())
