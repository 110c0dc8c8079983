"""Working time: when a number of working minutes has passed, and how many lie between two moments.

Hours are local clock times of the account's zone; all arithmetic is on aware UTC, so that a day of 23 or 25 hours and
shifts over midnight come out right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from routing.schedules.calendar import NO_HOLIDAYS, OwnDay, PublicHolidays, WorkingDay
from routing.schedules.clock import hours_in_minutes, instant
from routing.schedules.plans import Minutes, hours_of_worked_day
from routing.settings import WorkingTime

_DAYS_AHEAD = 400


def add_working_minutes(
    start: datetime,
    minutes: int,
    hours: WorkingTime,
    zone: ZoneInfo,
    holidays: PublicHolidays = NO_HOLIDAYS,
) -> datetime:
    """Return the moment by which `minutes` of working time have passed since `start`; aware UTC in and out.

    Where an account has no working time at all in the coming year, plain time is counted instead.
    """
    left = timedelta(minutes=minutes)
    for begins, ends in _spans_from(start, hours, zone, holidays):
        begins = max(begins, start)
        if begins + left <= ends:
            return begins + left
        left -= ends - begins
    return start + timedelta(minutes=minutes)


def working_seconds_between(
    start: datetime,
    end: datetime,
    hours: WorkingTime,
    zone: ZoneInfo,
    holidays: PublicHolidays = NO_HOLIDAYS,
) -> int:
    """Whole seconds of working time in [start, end); 0 when end is not later."""
    total = timedelta()
    for begins, ends in _spans_from(start, hours, zone, holidays):
        if begins >= end:
            break
        total += max(min(ends, end) - max(begins, start), timedelta())
    return int(total.total_seconds())


def is_working(
    at: datetime, hours: WorkingTime, zone: ZoneInfo, holidays: PublicHolidays = NO_HOLIDAYS
) -> bool:
    for begins, ends in _spans_from(at, hours, zone, holidays):
        return begins <= at < ends
    return False


def _spans_from(
    start: datetime, hours: WorkingTime, zone: ZoneInfo, holidays: PublicHolidays
) -> Iterator[tuple[datetime, datetime]]:
    """Working spans in UTC that end after `start`, in order and apart: time that two spans share is given once."""
    first = start.astimezone(zone).date() - timedelta(days=1)
    reached = datetime.min.replace(tzinfo=UTC)
    own = own_days(hours)
    for offset in range(_DAYS_AHEAD):
        day = first + timedelta(days=offset)
        for opens, closes in _hours_of(day, hours, own, holidays):
            begins, ends = instant(day, opens, zone), instant(day, closes, zone)
            begins, reached = max(begins, reached), max(ends, reached)
            if ends > start and ends > begins:
                yield begins, ends


def own_days(hours: WorkingTime) -> Mapping[date, OwnDay]:
    """Return what the account says of single dates, whichever way it is written."""
    free, worked = OwnDay(kind="free"), OwnDay(kind="working")
    said = {**dict.fromkeys(hours.free_days, free), **dict.fromkeys(hours.work_days, worked), **hours.days}
    return {date.fromisoformat(day): own for day, own in said.items()}


def _hours_of(day: date, hours: WorkingTime, own: Mapping[date, OwnDay], holidays: PublicHolidays) -> Minutes:
    said = own.get(day)
    if said is not None and said.kind == "free":
        return ()
    if said is not None:
        return hours_of_worked_day(hours.hours, day, WorkingDay(said.like, said.hours))
    if day in holidays.free:
        return ()
    if day in holidays.worked:
        return hours_of_worked_day(hours.hours, day, WorkingDay(holidays.worked[day]))
    return hours_in_minutes(hours.hours.get(day.isoweekday(), ()))
