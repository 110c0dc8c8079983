from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.schedules.calendar import PublicHolidays
from routing.settings import WorkingTime
from routing.working_time import add_working_minutes, is_working, working_seconds_between

MOSCOW = ZoneInfo("Europe/Moscow")
BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = WorkingTime()  # Monday to Friday, 9 to 18
ALWAYS = WorkingTime(hours=dict.fromkeys(range(1, 8), (("00:00", "24:00"),)))


def local(text: str, zone: ZoneInfo = MOSCOW) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("2026-03-02T10:00", 120, "2026-03-02T12:00"),
        ("2026-03-02T17:00", 120, "2026-03-03T10:00"),  # over the evening
        ("2026-03-06T17:30", 60, "2026-03-09T09:30"),  # over the week-end
        ("2026-03-02T03:00", 30, "2026-03-02T09:30"),  # before opening
        ("2026-03-02T18:00", 0, "2026-03-03T09:00"),  # nothing is due outside working time
        ("2026-03-02T17:00", 60, "2026-03-02T18:00"),  # exactly the end
        ("2026-03-02T09:00", 9 * 60 * 5, "2026-03-06T18:00"),  # a week's worth
    ],
)
def test_working_minutes_are_added_in_working_time(start: str, minutes: int, end: str) -> None:
    assert add_working_minutes(local(start), minutes, OFFICE, MOSCOW) == local(end)


def test_the_result_is_aware_utc() -> None:
    assert add_working_minutes(local("2026-03-02T10:00"), 5, OFFICE, MOSCOW).utcoffset() == timedelta()


def test_holidays_and_free_days_are_skipped_and_added_working_days_count() -> None:
    holidays = PublicHolidays(free={date(2026, 3, 9)})
    friday = local("2026-03-06T17:30")
    assert add_working_minutes(friday, 60, OFFICE, MOSCOW, holidays) == local("2026-03-10T09:30")
    free = OFFICE.model_copy(update={"free_days": ("2026-03-09", "2026-03-10")})
    assert add_working_minutes(friday, 60, free, MOSCOW) == local("2026-03-11T09:30")
    saturday = OFFICE.model_copy(update={"work_days": ("2026-03-07",)})
    assert add_working_minutes(friday, 60, saturday, MOSCOW) == local("2026-03-07T09:30")
    both = OFFICE.model_copy(update={"work_days": ("2026-03-09",)})
    assert add_working_minutes(friday, 60, both, MOSCOW, holidays) == local("2026-03-09T09:30")


def test_a_break_at_noon_does_not_count() -> None:
    hours = WorkingTime(hours={1: (("09:00", "13:00"), ("14:00", "18:00"))})
    assert add_working_minutes(local("2026-03-02T12:30"), 60, hours, MOSCOW) == local("2026-03-02T14:30")


def test_a_night_shift_goes_over_midnight_into_a_free_day() -> None:
    hours = WorkingTime(hours={5: (("22:00", "06:00"),)})
    friday = local("2026-03-06T23:00")
    assert add_working_minutes(friday, 6 * 60, hours, MOSCOW) == local("2026-03-07T05:00")
    assert is_working(local("2026-03-07T02:00"), hours, MOSCOW)
    assert not is_working(local("2026-03-07T06:00"), hours, MOSCOW)


def test_midnight_belongs_to_the_new_day() -> None:
    assert is_working(local("2026-03-03T00:00"), ALWAYS, MOSCOW)
    assert add_working_minutes(local("2026-03-02T23:30"), 60, ALWAYS, MOSCOW) == local("2026-03-03T00:30")


def test_the_night_of_a_clock_change_has_its_real_length() -> None:
    hours = WorkingTime(hours={6: (("22:00", "06:00"),)})
    spring = local("2026-03-28T22:00", BERLIN)  # 02:00 -> 03:00: seven hours
    autumn = local("2026-10-24T22:00", BERLIN)  # 03:00 -> 02:00: nine hours
    assert add_working_minutes(spring, 7 * 60, hours, BERLIN) == local("2026-03-29T06:00", BERLIN)
    assert add_working_minutes(autumn, 9 * 60, hours, BERLIN) == local("2026-10-25T06:00", BERLIN)
    assert working_seconds_between(spring, spring + timedelta(days=1), hours, BERLIN) == 7 * 3600


def test_opening_hours_stay_at_local_time_after_a_clock_change() -> None:
    friday = local("2026-03-27T17:30", BERLIN)
    assert add_working_minutes(friday, 60, OFFICE, BERLIN) == local("2026-03-30T09:30", BERLIN)
    assert local("2026-03-30T09:30", BERLIN) - friday == timedelta(days=2, hours=15)


def test_without_any_working_time_plain_time_counts() -> None:
    never = WorkingTime(hours={})
    start = local("2026-03-02T10:00")
    assert add_working_minutes(start, 90, never, MOSCOW) == start + timedelta(minutes=90)
    assert working_seconds_between(start, start + timedelta(days=9), never, MOSCOW) == 0


def test_time_that_two_spans_share_counts_once() -> None:
    hours = WorkingTime(hours={1: (("09:00", "13:00"), ("12:00", "18:00"))})
    day = local("2026-03-02T00:00")
    assert working_seconds_between(day, day + timedelta(days=1), hours, MOSCOW) == 9 * 3600


def test_nothing_passes_between_a_time_and_an_earlier_one() -> None:
    start = local("2026-03-02T10:00")
    assert working_seconds_between(start, start - timedelta(hours=1), OFFICE, MOSCOW) == 0


_STARTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda d: d.replace(tzinfo=UTC))  # noqa: DTZ001


@given(_STARTS, st.integers(0, 6000), st.sampled_from([MOSCOW, BERLIN, ZoneInfo("America/St_Johns")]))
def test_what_was_added_lies_between(start: datetime, minutes: int, zone: ZoneInfo) -> None:
    end = add_working_minutes(start, minutes, OFFICE, zone)
    assert end >= start
    assert working_seconds_between(start, end, OFFICE, zone) == minutes * 60
