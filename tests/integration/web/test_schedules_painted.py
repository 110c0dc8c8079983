"""A schedule painted: with the script's form and without script, by one person and by two, and what it has beside its hours."""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from urllib.parse import quote

from gateway.admin.schedules.saved import save_schedule, the_schedule
from gateway.store.admin.bindings import Bindings
from gateway.store.admin.schedules import StoredSchedule
from gateway.store.admin.staff import replace_staff
from routing.schedules.model import Leave, Period, Schedule, WorkPlan
from routing.staff import Employee
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR
from tests.integration.web.browser import Site

NAME = "Смены"
PLACE = f"/shifts/schedules/{quote(NAME)}"
DECEMBER = f"{PLACE}?month=2026-12"
DAY, NIGHT = (("09:00", "18:00"),), (("21:00", "09:00"),)
LINE = f"p:{ANNA.id}"


async def prepare(site: Site, kind: str = "by_day") -> None:
    plan = WorkPlan(periods=()) if kind == "by_day" else WorkPlan(hours={1: DAY})
    async with site.pool.acquire() as conn:
        schedule = Schedule.model_validate({"kind": kind, "people": {ANNA.id: plan, SENIOR.id: plan}})
        await save_schedule(conn, ACCOUNT, NAME, schedule, by="test")


async def stored(site: Site) -> StoredSchedule:
    async with site.pool.acquire() as conn:
        return await the_schedule(conn, ACCOUNT, NAME)


def painting(rows: dict[str, dict[str, str]], version: int, **more: Any) -> dict[str, Any]:
    return {"version": version, "painting": json.dumps({"rows": rows, **more})}


def december(*days: int, hours: tuple[tuple[str, str], ...] = DAY) -> tuple[Period, ...]:
    return tuple(Period(first=date(2026, 12, day), last=date(2026, 12, day), hours=hours) for day in days)


async def test_what_is_painted_is_saved_and_shown_with_its_letters_and_hours(site: Site) -> None:
    await prepare(site)
    senior = site.as_("senior_manager")
    shift = {"letter": "К", "name": "Короткая", "colour": "rose", "hours": "09:00-12:00"}
    days = {"2026-12-01": "09:00-12:00", "2026-12-02": "21:00-09:00", "2026-12-03": "away"}
    saved = await senior.post(DECEMBER, painting({LINE: days}, 1, shifts=[shift]))
    assert (saved.status, saved.location) == (303, f"{PLACE}?month=2026-12")
    plan = (await stored(site)).schedule.people[ANNA.id]
    assert plan.leave == (Leave(first=date(2026, 12, 3), last=date(2026, 12, 3)),)
    page = (await senior.get(DECEMBER)).page
    row = page.one("tr", data_line=LINE)
    assert [cell.text for cell in row.all("td")[:5]] == ["К", "Н", "о", "", ""]
    assert row.one("span", data_sum="").text == "15"
    assert "data-past" in row.all("td")[1].attributes
    foot = page.one("tfoot").all("td")
    assert [(cell.text, cell.get("class")) for cell in foot[:3]] == [
        ("1", "cm-sched-low"),
        ("1", "cm-sched-low"),
        ("0", "cm-sched-low"),
    ]
    again = await senior.post(DECEMBER, painting({LINE: dict.fromkeys(days, "")}, 2))
    assert again.status == 303
    plan = (await stored(site)).schedule.people[ANNA.id]
    assert (plan.periods, plan.leave) == ((), ())


async def test_what_another_saved_meanwhile_is_kept_and_days_that_both_painted_are_asked_for(
    site: Site,
) -> None:
    await prepare(site)
    first, second = site.as_("senior_manager"), site.as_("senior_manager")
    await first.post(DECEMBER, painting({LINE: {"2026-12-01": "09:00-18:00"}}, 1))
    other_line = {f"p:{SENIOR.id}": {"2026-12-01": "09:00-18:00"}}
    together = await second.post(DECEMBER, painting(other_line, 1))
    assert together.status == 303
    plans = (await stored(site)).schedule.people
    assert plans[ANNA.id].periods == plans[SENIOR.id].periods == december(1)
    mine = {LINE: {"2026-12-01": "21:00-09:00", "2026-12-05": "09:00-18:00"}}
    asked = await second.post(DECEMBER, painting(mine, 1))
    assert asked.status == 409
    assert "Ничего не потеряно" in asked.words
    row = asked.page.one("tbody").one("tr").text
    assert row == "Анна вторник, 1 декабря 21:00–09:00 09:00–18:00"
    assert (await stored(site)).version == 3, "nothing was stored"
    take_mine, leave_theirs = asked.page.one("main").all("form")
    for form, expected in ((leave_theirs, DAY), (take_mine, NIGHT)):
        fields = {field["name"]: field["value"] for field in form.all("input")}
        assert (await second.post(form["action"], fields)).status == 303
        periods = (await stored(site)).schedule.people[ANNA.id].periods
        assert periods == (*december(1, hours=expected), *december(5))


async def test_nonsense_and_other_peoples_schedules_are_refused(site: Site) -> None:
    await prepare(site)
    senior = site.as_("senior_manager")
    for wrong in ({LINE: {"2026-12-01": "09:00-09:00"}}, {"x": {"1": ""}}, {LINE: {"32": ""}}):
        assert (await senior.post(DECEMBER, painting(wrong, 1))).status == 422
    assert (await senior.post(DECEMBER, {"version": 1, "painting": "{"})).status == 422
    nobody = await senior.post(DECEMBER, painting({"p:nobody": {"2026-12-01": "09:00-18:00"}}, 1))
    assert nobody.status == 422
    assert "нет сотрудника" in nobody.words
    assert "nobody" in nobody.page.by_id("schedule-form")["data-schedule"], "what was painted stays"
    bound = site.as_("senior_manager", bound=Bindings(account_id=ACCOUNT, schedules=("другой",)))
    assert (await bound.get(PLACE)).status == 403
    assert (await bound.post(DECEMBER, painting({LINE: {"2026-12-01": "away"}}, 1))).status == 403
    anna = site.as_("manager", bound=Bindings(account_id=ACCOUNT, employee=ANNA.id))
    own = await anna.get(DECEMBER)
    assert own.status == 200
    assert not own.page.all("button", form="schedule-form")
    assert (await anna.post(DECEMBER, painting({LINE: {"2026-12-01": "away"}}, 1))).status == 403
    other = site.as_("manager", bound=Bindings(account_id=ACCOUNT, employee="boris"))
    refused = await other.get(PLACE)
    assert (refused.status, "не ваш график" in refused.words) == (403, True)
    assert (await stored(site)).version == 1


async def test_without_script_days_of_one_line_are_painted_by_a_form(site: Site) -> None:
    await prepare(site)
    senior = site.as_("senior_manager")
    form = {"version": 1, "who": LINE, "days": "1-2, 5", "shift": "09:00-18:00"}
    wrong = await senior.post(f"{PLACE}/days?month=2026-12", {**form, "days": "40", "hours": "9-25"})
    assert wrong.status == 422
    assert "Назовите дни" in wrong.page.by_id("days-error").text
    assert "Часы не понятны" in wrong.page.by_id("hours-error").text
    assert (await senior.post(f"{PLACE}/days?month=2026-12", form)).status == 303
    plan = (await stored(site)).schedule.people[ANNA.id]
    assert plan.periods == (Period(first=date(2026, 12, 1), last=date(2026, 12, 2), hours=DAY), *december(5))


async def test_typed_hours_take_the_place_of_the_shift_in_the_form_without_script(site: Site) -> None:
    await prepare(site, "weekly")
    week = {"version": 1, "who": LINE, "weekdays": ["2"], "shift": "09:00-18:00", "hours": "21:00-09:00"}
    assert (await site.as_("senior_manager").post(f"{PLACE}/days", week)).status == 303
    assert (await stored(site)).schedule.people[ANNA.id].hours == {1: DAY, 2: NIGHT}


async def test_a_week_is_painted_by_weekdays_and_its_dates_as_exceptions(site: Site) -> None:
    await prepare(site, "weekly")
    senior = site.as_("senior_manager", language="en")
    week = {"version": 1, "who": LINE, "weekdays": ["2", "7"], "shift": "own", "hours": "21:00-09:00"}
    assert (await senior.post(f"{PLACE}/days", week)).status == 303
    assert (await stored(site)).schedule.people[ANNA.id].hours == {1: DAY, 2: NIGHT, 7: NIGHT}
    month = f"{PLACE}?view=month&month=2026-12"
    await senior.post(month, painting({LINE: {"2026-12-01": "", "2026-12-02": "09:00-18:00"}}, 2))
    row = (await senior.get(month)).page.one("tr", data_line=LINE)
    assert [cell.text for cell in row.all("td")[:7]] == ["", "D", "", "", "", "N", "D"]
    await senior.post(month, painting({LINE: {"2026-12-01": "=", "2026-12-02": "="}}, 3))
    row = (await senior.get(month)).page.one("tr", data_line=LINE)
    assert [cell.text for cell in row.all("td")[:7]] == ["N", "", "", "", "", "N", "D"]


async def test_lines_shifts_zone_and_holidays_are_set_beside_the_hours(site: Site) -> None:
    await prepare(site)
    senior = site.as_("senior_manager")
    settings = f"{PLACE}/settings"
    assert (await senior.post(f"{PLACE}/lines", {"line": ["e"]})).status == 303
    assert (await senior.post(f"{PLACE}/lines/remove", {"line": [LINE]})).status == 303
    shift = {"letter": "Н", "name": "Ночь", "colour": "violet", "hours": "21-9"}
    assert (await senior.post(f"{PLACE}/shifts", shift)).status == 303
    refused = await senior.post(f"{PLACE}/shifts", {**shift, "hours": "весь день"})
    assert "Часы не понятны" in refused.page.by_id("shift-hours-error").text
    empty = await senior.post(f"{PLACE}/shifts", {**shift, "letter": ""})
    assert empty.status == 422
    zone = await senior.post(settings, {"zone": "Mars/Base", "holidays": "yes"})
    assert "нет часового пояса" in zone.page.by_id("zone-error").text
    assert (await senior.post(settings, {"zone": "Asia/Omsk", "holidays": "yes"})).status == 303
    schedule = (await stored(site)).schedule
    assert (schedule.zone, schedule.holidays, set(schedule.people)) == ("Asia/Omsk", True, {SENIOR.id})
    assert [(s.letter, s.hours) for s in schedule.shifts] == [("Н", NIGHT)]
    assert schedule.everybody is not None
    assert "Asia/Omsk, UTC+6" in (await senior.get(PLACE)).words
    await senior.post(f"{PLACE}/shifts/remove", {"letter": "Н"})
    assert (await stored(site)).schedule.shifts == ()


async def test_five_hundred_people_come_fifty_at_a_time_and_all_of_them_are_counted(site: Site) -> None:
    people = [Employee(id=f"m{n}", name=f"Сотрудник {n:03}") for n in range(500)]
    plan = WorkPlan(periods=december(*range(1, 32, 2)))
    async with site.pool.acquire() as conn:
        await replace_staff(conn, ACCOUNT, people)
        schedule = Schedule(kind="by_day", people={person.id: plan for person in people})
        await save_schedule(conn, ACCOUNT, NAME, schedule, by="test")
    senior = site.as_("senior_manager")
    page = (await senior.get(f"{DECEMBER}&page=9")).page
    lines = page.one("tbody").all("tr")
    assert (len(lines), lines[0]["data-line"]) == (50, "p:m450")
    assert page.one("tfoot").all("td")[0].text == "500"
    assert "451–500 из 500" in page.text
    found = (await senior.get(f"{DECEMBER}&q={quote('сотрудник 07')}")).page
    assert len(found.one("tbody").all("tr")) == 10
    assert found.one("tfoot").all("td")[0].text == "500"
