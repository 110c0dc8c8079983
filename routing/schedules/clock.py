"""Local clock times of a zone as moments: aware UTC, whatever the clock does that night."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTES_OF_A_DAY = 1440
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"


def is_span(opens: str, closes: str) -> bool:
    """Whether these are "HH:MM", the second also "24:00"."""
    return bool(re.fullmatch(_CLOCK, opens, re.ASCII) and re.fullmatch(rf"{_CLOCK}|24:00", closes, re.ASCII))


@lru_cache(maxsize=2048)
def minutes_of(clock: str) -> int:
    """Minutes since midnight of "HH:MM"; "24:00" is the end of the day."""
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)


@lru_cache(maxsize=16384)
def instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """Return the moment. A clock time that is skipped is read with the offset before the jump, i.e. one hour later on the
    new clock; of one that comes twice it is the first."""
    day, minutes = day + timedelta(days=minutes // MINUTES_OF_A_DAY), minutes % MINUTES_OF_A_DAY
    local = datetime.combine(day, time(minutes // 60, minutes % 60), tzinfo=zone)
    return local.astimezone(UTC)


def first_instant(day: date, zone: ZoneInfo) -> datetime:
    """Return when this local date begins: midnight, or where there is none that night, what the clock jumps to."""
    return instant(day, 0, zone)


def last_of_month(day: date) -> date:
    first = day.replace(day=1)
    following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return following - timedelta(days=1)


def local_date(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


@lru_cache(maxsize=4096)
def hours_in_minutes(hours: tuple[tuple[str, str], ...]) -> tuple[tuple[int, int], ...]:
    """("22:00", "06:00") as (1320, 1800): in order, and over midnight where they end no later than they begin. What
    overlaps or touches is one."""
    found: list[tuple[int, int]] = []
    for begins, ends in sorted((minutes_of(opens), minutes_of(closes)) for opens, closes in hours):
        ends = ends if ends > begins else ends + MINUTES_OF_A_DAY
        if found and begins <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ends))
        else:
            found.append((begins, ends))
    return tuple(found)
