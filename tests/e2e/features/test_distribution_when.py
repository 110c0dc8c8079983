"""S0.19 to S0.27: working time, schedules, what waits. Hours are what they are at any hour: all day long, or on another day."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.features.sales import BOSS, Sales, person

pytestmark = pytest.mark.asyncio(loop_scope="session")

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALL_DAY = {"hours": {"mon-sun": "00:00-24:00"}}


def another_day() -> dict[str, Any]:
    """Hours on a weekday that it is nowhere now."""
    day = _DAYS[(datetime.now(UTC).weekday() + 3) % 7]
    return {"hours": {day: "09:00-18:00"}}


@pytest_asyncio.fixture(loop_scope="session")
async def working_time(sales: Sales) -> AsyncIterator[Any]:
    """Sets the account's own hours; they are as before afterwards."""
    before = await sales.api("GET", "settings")

    async def set_hours(hours: dict[int, list[list[str]]]) -> None:
        times = {**before["working_time"], "hours": hours}
        await sales.api("PUT", "settings", body={**before, "working_time": times})

    yield set_hours
    await sales.api("PUT", "settings", body=before)


async def reasons(sales: Sales, deal: int) -> dict[str, str]:
    """Employee -> why they were left out of the latest walk."""
    steps = (await sales.result(deal))["decisions"][-1]["steps"]
    return {s["facts"]["employee"]: s["because"] for s in steps if s["verdict"] == "excluded"}


async def test_s0_19_working_time_is_common_individual_or_who_is_online(sales: Sales) -> None:
    await sales.schedule("modes", everybody=another_day(), people={person(102): ALL_DAY})
    got = {}
    for mode, schedule in (("individual", "modes"), ("online", None)):
        await sales.press(101, "start")
        await sales.press(102, "stop")
        hours = {"mode": mode, "schedule": schedule}
        async with sales.template(f"mode-{mode}", 101, 102, working_time=hours):
            got[mode] = (await sales.given(await sales.deals()))[0]
    assert got == {"individual": 102, "online": 101}
    async with sales.template("mode-common", 101, 102, working_time={"mode": "common", "schedule": "modes"}):
        [deal] = await sales.deals()
        await sales.came_to([deal], "waiting")
    await sales.press(102, "start")


async def test_s0_20_by_the_common_schedule_nothing_is_given_outside_its_weekdays_and_hours(
    sales: Sales, working_time: Any
) -> None:
    away = (datetime.now(UTC).isoweekday() + 2) % 7 + 1
    await working_time({away: [["09:00", "18:00"]]})
    async with sales.template("common", 101, working_time={"mode": "common", "gather_minutes": 0}):
        [deal] = await sales.deals()
        [found] = await sales.came_to([deal], "waiting")
        assert (found["reason"], found["is_distributed"]) == ("waits_for_working_time", False)
        assert datetime.fromisoformat(found["opens_at"]).isoweekday() == away
        assert await reasons(sales, deal) == {person(101): "off_shift"}
        assert await sales.owners([deal]) == [BOSS]
        await working_time({day: [["00:00", "24:00"]] for day in range(1, 8)})
        assert await sales.given(await sales.deals()) == [101]


async def test_s0_21_by_individual_schedules_each_has_hours_of_their_own(sales: Sales) -> None:
    await sales.schedule("own-hours", people={person(101): ALL_DAY, person(102): another_day()})
    async with sales.template(
        "individual", 102, 101, working_time={"mode": "individual", "schedule": "own-hours"}
    ):
        deals = await sales.deals(2)
        assert await sales.given(deals) == [101, 101]
        assert await reasons(sales, deals[0]) == {person(102): "off_shift"}


async def test_s0_22_online_gives_to_those_only_who_are_online_now(sales: Sales) -> None:
    await sales.press(101, "stop")
    await sales.press(102, "start")
    async with sales.template("online", 101, 102, working_time={"mode": "online"}):
        deals = await sales.deals(2)
        assert await sales.given(deals) == [102, 102]
        assert await reasons(sales, deals[0]) == {person(101): "offline"}
    await sales.press(101, "start")


async def test_s0_23_what_comes_at_night_is_held_and_given_oldest_first_when_work_begins(
    sales: Sales,
) -> None:
    await sales.schedule("night", everybody=another_day())
    hours = {"mode": "common", "schedule": "night", "wait": True, "gather_minutes": 0, "per_minute": 100}
    async with sales.template("held", 101, 102, working_time=hours):
        deals = [(await sales.deals())[0] for _ in range(4)]
        held = await sales.came_to(deals, "waiting")
        assert await sales.owners(deals) == [BOSS] * 4
        assert {h["reason"] for h in held} == {"waits_for_working_time"}
        await sales.schedule("night", everybody=ALL_DAY)
        assert await sales.given(deals) == [101, 102, 101, 102]
        given = await sales.came_to(deals, "given")
        assert [int(one["deal"]) for one in given] == deals, "the oldest first"


async def test_s0_23_without_waiting_nobody_gets_what_comes_outside_working_time(sales: Sales) -> None:
    await sales.schedule("shut", everybody=another_day())
    hours = {"mode": "common", "schedule": "shut", "wait": False}
    async with sales.template("not-held", 101, working_time=hours, nobody={"do": "leave"}):
        [deal] = await sales.deals()
        [found] = await sales.came_to([deal], "nobody")
        assert (found["reason"], found["due_at"]) == ("outside_working_time", None)
        assert await sales.owners([deal]) == [BOSS]


async def test_s0_24_a_weekly_schedule_is_made_of_weekdays_only(sales: Sales) -> None:
    await sales.schedule("week", kind="weekly", people={person(101): {"hours": {"mon, wed": "09:00-18:00"}}})
    found = await days_of(sales, "week", date(2027, 3, 1), date(2027, 3, 14))
    worked = {day: hours for day, hours in found[person(101)].items() if hours}
    assert worked == {f"2027-03-{d:02}": "09:00-18:00" for d in (1, 3, 8, 10)}


async def test_s0_25_a_schedule_by_day_takes_any_days_of_a_month_in_any_order(sales: Sales) -> None:
    sales.command("schedule", "add", "days", "--kind", "by-day")
    days = "28: 10:00-14:00; 3: 22:00-06:00; 15, 7: 09:00-18:00"
    sales.command("schedule", "set", "days", "--person", person(101), "--month", "2027-02", "--days", days)
    found = await days_of(sales, "days", date(2027, 2, 1), date(2027, 2, 28))
    worked = {int(day[-2:]): hours for day, hours in found[person(101)].items() if hours}
    assert worked == {3: "22:00-06:00", 7: "09:00-18:00", 15: "09:00-18:00", 28: "10:00-14:00"}


async def test_s0_26_a_schedule_has_name_and_type_and_for_each_user_periods_of_dates_and_hours(
    sales: Sales,
) -> None:
    today = datetime.now(UTC).date()
    around = {"first": str(today - timedelta(days=2)), "last": str(today + timedelta(days=2))}
    later = {"first": str(today + timedelta(days=30)), "last": str(today + timedelta(days=40))}
    people = {
        person(101): {"periods": [{**around, "hours": "00:00-24:00"}]},
        person(102): {"periods": [{**later, "hours": "09:00-13:00, 14:00-18:00"}]},
    }
    await sales.schedule("periods", kind="by_day", people=people)
    shown = await sales.api("GET", "schedules/periods")
    assert (shown["name"], shown["schedule"]["kind"]) == ("periods", "by_day")
    assert set(shown["schedule"]["people"]) == {person(101), person(102)}
    hours = {"mode": "individual", "schedule": "periods"}
    async with sales.template("by-periods", 102, 101, working_time=hours):
        assert await sales.given(await sales.deals(2)) == [101, 101]
    day = today + timedelta(days=35)
    assert (await days_of(sales, "periods", day, day))[person(102)] == {str(day): "09:00-13:00, 14:00-18:00"}


async def test_s0_27_who_is_not_in_the_schedule_gets_nothing_and_that_is_warned_of(sales: Sales) -> None:
    await sales.schedule("without-102", people={person(101): ALL_DAY})
    hours = {"mode": "individual", "schedule": "without-102"}
    saved = await sales.save("warned", 101, 102, working_time=hours)
    [warning] = [p for p in saved["problems"] if p["code"] == "not-in-schedule"]
    assert warning["severity"] == "warning"
    async with sales.template("warned", 102, 101, working_time=hours):
        [deal] = await sales.deals()
        assert await sales.given([deal]) == [101]
        assert await reasons(sales, deal) == {person(102): "not_in_schedule"}


async def days_of(sales: Sales, schedule: str, first: date, last: date) -> dict[str, dict[str, str]]:
    """Employee -> date -> hours as clock times, "" = off."""
    path = f"schedules/{schedule}/spans?from={first}&to={last}"
    rows = (await sales.api("GET", path))["items"]
    return {row["employee_id"]: {d["day"]: d["hours"] for d in row["days"]} for row in rows}
