"""Working time: when a number of working minutes has passed, and how many lie between two moments.

Hours are local clock times of the account's zone; all arithmetic is on aware UTC, so that a day of 23 or 25 hours and
shifts over midnight come out right.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from routing.settings import WorkingTime

_DAYS_AHEAD = 400


def add_working_minutes(
    start: datetime,
    minutes: int,
    hours: WorkingTime,
    zone: ZoneInfo,
    holidays: Collection[date] = frozenset(),
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
    holidays: Collection[date] = frozenset(),
) -> int:
    """Whole seconds of working time in [start, end); 0 when end is not later."""
    total = timedelta()
    for begins, ends in _spans_from(start, hours, zone, holidays):
        if begins >= end:
            break
        total += max(min(ends, end) - max(begins, start), timedelta())
    return int(total.total_seconds())


def is_working(
    at: datetime, hours: WorkingTime, zone: ZoneInfo, holidays: Collection[date] = frozenset()
) -> bool:
    for begins, ends in _spans_from(at, hours, zone, holidays):
        return begins <= at < ends
    return False


def _spans_from(
    start: datetime, hours: WorkingTime, zone: ZoneInfo, holidays: Collection[date]
) -> Iterator[tuple[datetime, datetime]]:
    """Working spans in UTC that end after `start`, in order and apart: time that two spans share is given once."""
    first = start.astimezone(zone).date() - timedelta(days=1)
    reached = datetime.min.replace(tzinfo=UTC)
    for offset in range(_DAYS_AHEAD):
        day = first + timedelta(days=offset)
        for opens, closes in _hours_of(day, hours, holidays):
            if offset == 0 and closes > opens:
                continue  # yesterday matters only where its hours go on after midnight
            begins, ends = _utc(day, opens, zone), _utc(day, closes, zone)
            if closes <= opens:
                ends = _utc(day + timedelta(days=1), closes, zone)
            begins, reached = max(begins, reached), max(ends, reached)
            if ends > start and ends > begins:
                yield begins, ends


def _hours_of(day: date, hours: WorkingTime, holidays: Collection[date]) -> list[tuple[int, int]]:
    """Spans as minutes since local midnight. An added working day on a free weekday has the hours of the first working one."""
    iso = day.isoformat()
    spans = hours.hours.get(day.isoweekday(), ())
    if iso in hours.work_days:
        spans = spans or next((s for _, s in sorted(hours.hours.items()) if s), ())
    elif iso in hours.free_days or day in holidays:
        return []
    return sorted((_minutes(opens), _minutes(closes)) for opens, closes in spans)


@lru_cache(maxsize=2048)
def _minutes(clock: str) -> int:
    """Minutes since midnight of "HH:MM"; "24:00" is the end of the day."""
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)


@lru_cache(maxsize=4096)
def _utc(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """Return the moment; a local clock time that DST skips is read with the offset before the jump, i.e. one hour later on the new clock."""
    day, minutes = day + timedelta(days=minutes // 1440), minutes % 1440
    local = datetime.combine(day, time(minutes // 60, minutes % 60), tzinfo=zone)
    return local.astimezone(UTC)
