"""What the grid of a schedule is made of: brushes, lines, cells, people on shift."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.calendars import calendar_of
from gateway.web.shifts.schedules.brushes import brushes_of, read, written
from gateway.web.shifts.schedules.cells import bars_of
from gateway.web.shifts.schedules.clash import without
from gateway.web.shifts.schedules.coverage import coverage_of, hour_ranges
from gateway.web.shifts.schedules.grid import (
    day_of,
    groups_of,
    key_of,
    lines_of,
    month_days,
    rows_of,
    week_days,
    whose_of,
)
from gateway.web.shifts.schedules.reading import month_of
from gateway.web.texts.sentences import TEXTS
from routing.schedules.calendar import NO_CALENDAR
from routing.schedules.clock import hours_in_minutes
from routing.schedules.edits import Whose
from routing.schedules.model import Leave, NamedShift, Period, Schedule, WorkPlan
from routing.schedules.painting import PaintedSide, PaintedTwice
from routing.settings import WorkingTime
from routing.staff import Employee, Staff

MOSCOW, BERLIN = ZoneInfo("Europe/Moscow"), ZoneInfo("Europe/Berlin")
DAY, NIGHT = (("09:00", "18:00"),), (("21:00", "09:00"),)
STAFF = Staff.of(
    [
        Employee(id="anna", name="Анна", group="sales"),
        Employee(id="boris", name="Борис", group="sales"),
        Employee(id="vera", name="Вера"),
        Employee(id="gone", name="Глеб", is_active=False),
    ]
)


@pytest.mark.parametrize(
    "text", ["09:00-18:00", "21:00-09:00", "00:00-24:00", "09:00-13:00,14:00-18:00", "22:00-24:00", ""]
)
def test_hours_are_written_as_they_are_read(text: str) -> None:
    assert written(hours_in_minutes(read(text))) == text


@pytest.mark.parametrize("text", ["9", "25:00-26:00", "09:00-09:00", "x-y", "24:00-09:00", "09:00-18:60"])
def test_what_are_no_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="hours"):
        read(text)


def test_brushes_are_the_named_shifts_then_the_usual_ones_then_others() -> None:
    named = NamedShift(letter="Д", name="Смена", colour="rose", hours=DAY)
    early, late = hours_in_minutes((("08:00", "17:00"),)), hours_in_minutes(NIGHT)
    used = [early, late, late, hours_in_minutes(DAY)]
    found = brushes_of((named,), used, TEXTS["ru"])
    assert [(b.letter, b.name, b.colour, b.hours) for b in found][:3] == [
        ("Д", "Смена", "rose", "09:00-18:00"),
        ("В", "Вечер", "blue", "13:00-22:00"),
        ("Н", "Ночь", "violet", "21:00-09:00"),
    ]
    assert (found[3].letter, found[3].hours) == ("Д2", "08:00-17:00")
    assert [b.is_named for b in found] == [True, False, False, False]


def test_a_key_means_the_same_brush_after_days_were_painted() -> None:
    before = [b.hours for b in brushes_of((), [], TEXTS["ru"])]
    for number in range(len(before)):
        used = [hours_in_minutes(read(before[number]))] * 5
        assert [b.hours for b in brushes_of((), used, TEXTS["ru"])] == before


def test_hours_too_many_to_have_a_letter_each_are_drawn_as_their_own() -> None:
    used = [hours_in_minutes(((f"{hour:02}:00", f"{hour + 8:02}:00"),)) for hour in range(12)]
    found = brushes_of((), used, TEXTS["en"])
    assert len(found) == 12
    assert {brush.colour for brush in found[8:]} == {""}
    assert len({brush.letter for brush in found[:8]}) == 8


def test_lines_stand_for_everybody_else_groups_and_people() -> None:
    plan = WorkPlan(hours={1: DAY})
    schedule = Schedule(
        everybody=plan, groups={"sales": plan}, people={"boris": WorkPlan(), "nobody": plan, "gone": plan}
    )
    lines = lines_of(schedule, STAFF)
    assert [(line.key, line.people) for line in lines] == [
        ("e", 1),
        ("g:sales", 1),
        ("p:nobody", 0),
        ("p:boris", 1),
        ("p:gone", 0),
    ]
    assert [line.is_gone for line in lines] == [False, False, True, False, False]
    assert lines[3].is_inherited


@pytest.mark.parametrize("whose", [Whose(), Whose(group="a:b"), Whose(person="x:y@z")])
def test_a_line_has_a_key_that_can_be_read_again(whose: Whose) -> None:
    assert whose_of(key_of(whose)) == whose


@pytest.mark.parametrize("key", ["", "p:", "x:y", "g:"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="nobody"):
        whose_of(key)
    with pytest.raises(ValueError, match="Invalid isoformat"):
        day_of(key)


def test_a_month_names_holidays_working_days_and_hours_that_the_clock_skips_or_repeats() -> None:
    calendar = calendar_of(WorkingTime(holidays="RU"), datetime(2025, 11, 1, tzinfo=UTC), "ru")
    november = {day.key: day for day in month_days(date(2025, 11, 15), MOSCOW, calendar)}
    assert len(november) == 30
    assert november["2025-11-04"].is_free
    assert "единства" in november["2025-11-04"].name
    assert (november["2025-11-01"].is_free, november["2025-11-01"].name) == (False, "working")
    assert not any(day.odd_hours for day in november.values())
    march = month_days(date(2026, 3, 1), BERLIN, NO_CALENDAR)
    assert {day.key: day.odd_hours for day in march if day.odd_hours} == {"2026-03-29": (2,)}
    october = month_days(date(2026, 10, 1), BERLIN, NO_CALENDAR)
    assert {day.key: day.odd_hours for day in october if day.odd_hours} == {"2026-10-25": (2,)}


def test_hours_are_counted_without_leave_and_without_holidays() -> None:
    leave = (Leave(first=date(2026, 1, 12), last=date(2026, 1, 13), substitute="boris"),)
    schedule = Schedule(people={"anna": WorkPlan(hours=dict.fromkeys(range(1, 6), DAY), leave=leave)})
    calendar = calendar_of(WorkingTime(holidays="RU"), datetime(2026, 1, 1, tzinfo=UTC))
    days = month_days(date(2026, 1, 1), MOSCOW, calendar)
    [row] = rows_of(schedule, lines_of(schedule, STAFF), days, MOSCOW, calendar, groups_of(STAFF))
    assert row.minutes == (15 - 2) * 9 * 60
    found = coverage_of([row], len(days))
    assert found.days[11] == 1, "the substitute is there"
    assert found.days[1] == 0, "a holiday"


def test_a_night_counts_for_the_day_it_begins_on_and_for_the_hours_of_the_next() -> None:
    schedule = Schedule(
        kind="by_day",
        people={
            "anna": WorkPlan(periods=(Period(first=date(2026, 12, 1), last=date(2026, 12, 1), hours=NIGHT),)),
            "vera": WorkPlan(periods=(Period(first=date(2026, 12, 2), last=date(2026, 12, 2), hours=DAY),)),
        },
    )
    days = month_days(date(2026, 12, 1), MOSCOW, NO_CALENDAR)
    rows = rows_of(schedule, lines_of(schedule, STAFF), days, MOSCOW, NO_CALENDAR, {})
    found = coverage_of(rows, len(days))
    assert found.days[:3] == [1, 1, 0]
    assert found.hours[0] == [0] * 21 + [1] * 3
    assert found.hours[1] == [1] * 18 + [0] * 6


def test_the_last_night_of_a_week_goes_on_in_its_first_morning() -> None:
    schedule = Schedule(groups={"sales": WorkPlan(hours={7: NIGHT})})
    rows = rows_of(schedule, lines_of(schedule, STAFF), week_days(), MOSCOW, NO_CALENDAR, {})
    found = coverage_of(rows, 7, is_week=True)
    assert found.days == [0, 0, 0, 0, 0, 0, 2]
    assert found.hours[0][:10] == [2] * 9 + [0]


def test_an_hour_that_two_intervals_touch_counts_once() -> None:
    assert list(hour_ranges(((540, 810), (820, 1080)))) == [(9, 14), (14, 18)]


def test_bars_reach_to_the_top_where_most_people_are() -> None:
    bars = bars_of([0] * 9 + [2, 4] + [0] * 13, (2,))
    assert [bar.height for bar in bars[9:11]] == [48, 96]
    assert [bar.hour for bar in bars if bar.is_odd] == [2]


def test_without_what_both_painted_the_rest_is_left() -> None:
    twice = [PaintedTwice(Whose(person="anna"), date(2026, 12, 1), PaintedSide(None), PaintedSide(DAY))]
    sent = {"rows": {"p:anna": {"2026-12-01": "", "2026-12-02": "away"}, "e": {"1": ""}}, "shifts": []}
    assert without(sent, twice)["rows"] == {"p:anna": {"2026-12-02": "away"}, "e": {"1": ""}}


@pytest.mark.parametrize("text", ["", "2026-13", "x", "0001-01", "2026-1"])
def test_a_month_that_nobody_plans_is_this_one(text: str) -> None:
    assert month_of(text, date(2026, 11, 27)) == date(2026, 11, 1)
