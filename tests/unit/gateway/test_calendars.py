"""What the library says of a country's days, and what the account says above it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.calendars import calendar_of, has_holidays, holidays_around, norm_hours, unknown_years
from routing.schedules.calendar import NO_CALENDAR, NO_HOLIDAYS, OwnDay, WorkingDay
from routing.settings import WorkingTime
from routing.working_time import add_working_minutes, is_working

MOSCOW = ZoneInfo("Europe/Moscow")
RUSSIA = WorkingTime(holidays="RU")
IN_2025 = datetime(2025, 10, 1, tzinfo=UTC)
IN_2027 = datetime(2027, 1, 1, tzinfo=UTC)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=MOSCOW).astimezone(UTC)


@pytest.mark.parametrize(
    ("saturday", "free", "like"),
    [("2025-11-01", "2025-11-03", 1), ("2027-02-20", "2027-02-22", 1), ("2024-12-28", "2024-12-30", 1)],
)
def test_a_working_saturday_of_russia_stands_for_the_day_that_is_free_instead(
    saturday: str, free: str, like: int
) -> None:
    now = datetime.fromisoformat(f"{saturday}T00:00+00:00")
    found = holidays_around(RUSSIA, now)
    assert found.worked[date.fromisoformat(saturday)] == like
    assert date.fromisoformat(free) in found.free
    assert date.fromisoformat(saturday) not in found.free


def test_what_falls_due_on_friday_evening_is_due_on_the_working_saturday() -> None:
    friday = local("2025-10-31T17:30")
    due = add_working_minutes(friday, 60, RUSSIA, MOSCOW, holidays_around(RUSSIA, IN_2025))
    assert due == local("2025-11-01T09:30")
    assert is_working(local("2027-02-20T10:00"), RUSSIA, MOSCOW, holidays_around(RUSSIA, IN_2027))


def test_an_account_may_leave_working_saturdays_free() -> None:
    rested = WorkingTime(holidays="RU", working_saturdays=False)
    friday = local("2025-10-31T17:30")
    due = add_working_minutes(friday, 60, rested, MOSCOW, holidays_around(rested, IN_2025))
    assert due == local("2025-11-05T09:30")


def test_the_accounts_own_days_stand_above_the_country() -> None:
    own = RUSSIA.model_copy(
        update={
            "free_days": ("2025-11-01",),
            "days": {
                "2025-11-03": OwnDay(kind="working", hours=(("10:00", "15:00"),)),
                "2025-12-27": OwnDay(kind="working", like=5),
            },
        }
    )
    around = holidays_around(own, IN_2025)
    assert not is_working(local("2025-11-01T10:00"), own, MOSCOW, around)
    assert not is_working(local("2025-11-03T09:30"), own, MOSCOW, around)
    assert is_working(local("2025-11-03T14:59"), own, MOSCOW, around)
    assert is_working(local("2025-12-27T10:00"), own, MOSCOW, around)
    calendar = calendar_of(own, IN_2025)
    assert calendar.working[date(2025, 11, 3)] == WorkingDay(None, (("10:00", "15:00"),))
    assert date(2025, 11, 3) not in calendar.free
    assert date(2025, 11, 1) not in calendar.working


def test_years_whose_moved_days_were_not_decreed_yet_are_not_known() -> None:
    assert calendar_of(RUSSIA, IN_2027).known_years == {2026, 2027}
    assert calendar_of(WorkingTime(holidays="DE"), IN_2027).known_years == set(range(2026, 2033))
    assert 2026 not in calendar_of(WorkingTime(holidays="UA"), datetime(2026, 1, 1, tzinfo=UTC)).known_years


def test_holidays_have_names_in_the_language_that_is_asked_for() -> None:
    new_year = date(2026, 1, 1)
    assert calendar_of(RUSSIA, IN_2027, "ru").free[new_year].startswith("Новогодние")
    assert calendar_of(RUSSIA, IN_2027, "en").free[new_year].startswith("New Year")
    assert calendar_of(WorkingTime(holidays="DE"), IN_2027, "ru").free[new_year] == "Neujahr"


def test_without_a_country_nothing_is_moved() -> None:
    assert holidays_around(WorkingTime(), IN_2025) == NO_HOLIDAYS
    assert calendar_of(WorkingTime(holidays="XX"), IN_2025) == NO_CALENDAR
    assert has_holidays("ru")
    assert not has_holidays("XX")


@pytest.mark.parametrize(
    "country", ["UA", "BY", "KZ", "UZ", "KG", "AM", "GE", "MD", "AZ", "CN", "PL", "EG", "LB", "HU"]
)
def test_every_country_can_be_read_whatever_form_its_moved_days_have(country: str) -> None:
    for year in (2010, 2019, 2024, 2026):
        calendar = calendar_of(WorkingTime(holidays=country), datetime(year, 1, 1, tzinfo=UTC))
        assert not set(calendar.free) & set(calendar.working)


FAR = datetime(2090, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "now", "years"),
    [
        (WorkingTime(), FAR, ()),
        (RUSSIA, datetime(2025, 12, 1, tzinfo=UTC), ()),
        (RUSSIA, FAR, (2090,)),
        (RUSSIA, FAR.replace(month=10), (2090, 2091)),
        (RUSSIA.model_copy(update={"free_days": ("2090-01-09",)}), FAR.replace(month=10), (2091,)),
        (RUSSIA.model_copy(update={"days": {"2091-01-09": OwnDay(kind="free")}}), FAR, (2090,)),
    ],
)
def test_years_of_which_nobody_knows_the_moved_days_are_named(
    hours: WorkingTime, now: datetime, years: tuple[int, ...]
) -> None:
    assert unknown_years(hours, now) == years


def test_the_production_calendar_of_russia_has_its_hours() -> None:
    """As decreed for 40 hours a week: 1979 of 2024, 1972 of 2025 and of 2026."""
    years = {
        year: [norm_hours(RUSSIA, date(year, month, 1)) for month in range(1, 13)]
        for year in (2024, 2025, 2026)
    }
    assert {year: sum(months) for year, months in years.items()} == {2024: 1979, 2025: 1972, 2026: 1972}
    assert years[2025][10] == 151, "the working Saturday before moved days is short too"
    assert norm_hours(WorkingTime(), date(2026, 12, 1)) == 23 * 8
    own = WorkingTime(
        days={
            "2026-12-05": OwnDay(kind="working"),
            "2026-12-07": OwnDay(kind="free"),
            "2026-12-08": OwnDay(kind="free"),
        }
    )
    assert norm_hours(own, date(2026, 12, 31)) == 22 * 8
