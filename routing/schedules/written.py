"""Schedules as people write them: hours, weekdays and days of a month in one line each.

09:00-13:00, 14:00-18:00        mon-fri        1-15, 17        off
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from routing.schedules.clock import last_of_month

FIRST_YEAR, LAST_YEAR = 1990, 2199
"""Of what is planned and looked at: calendars end somewhere."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_OFF = ("off", "")
_SEPARATORS = r"[,\s]+"


def hours_written(value: Any) -> Any:
    """Return "09:00-13:00, 14:00-18:00" as pairs; "off" is none. What is written otherwise is left to whoever reads on."""
    if isinstance(value, str):
        return () if value.strip().lower() in _OFF else tuple(_span(part) for part in _parts(value))
    if isinstance(value, list):
        return tuple(
            _span(p) if isinstance(p, str) else tuple(p) if isinstance(p, list) else p for p in value
        )
    return value


def _parts(text: str) -> list[str]:
    return [part for part in re.split(_SEPARATORS, re.sub(r"\s*[-–]\s*", "-", text.strip())) if part]


def _span(text: str) -> tuple[str, str]:
    opens, dash, closes = text.partition("-")
    if not dash:
        raise ValueError(f"'{text}' are no hours: write them as 09:00-18:00, several with commas, or off")
    return _clock(opens), _clock(closes)


def _clock(text: str) -> str:
    """Return 9 and 9:00 as 09:00."""
    hour, colon, minute = text.strip().partition(":")
    return f"{hour.zfill(2)}:{minute if colon else '00'}"


def week_written(value: Any) -> Any:
    """Return {"mon-fri": …} with the numbers of the weekdays, 1 for Monday."""
    if not isinstance(value, Mapping):
        return value
    week: dict[Any, Any] = {}
    for days, hours in value.items():
        for day in weekdays_of(days) if isinstance(days, str) else (days,):
            if day in week:
                raise ValueError(f"'{days}' stands there twice: each weekday has one line")
            week[day] = hours_written(hours)
    return week


def weekdays_of(text: str) -> tuple[int, ...]:
    """Return "mon-fri, sun" as numbers; numbers may stand there, too."""
    found: list[int] = []
    for part in _parts(text):
        first, _, last = part.partition("-")
        begins, ends = _weekday(first), _weekday(last or first)
        found += range(begins, ends + 1) if begins <= ends else (*range(begins, 8), *range(1, ends + 1))
    return tuple(dict.fromkeys(found))


def _weekday(text: str) -> int:
    name = text.lower()[:3]
    if name in WEEKDAYS:
        return WEEKDAYS.index(name) + 1
    if re.fullmatch("[1-7]", text):
        return int(text)
    raise ValueError(f"'{text}' is no weekday: write mon, tue, wed, thu, fri, sat or sun, or 1 to 7")


def months_written(months: Any) -> list[dict[str, Any]]:
    """Return {"2026-12": {"1-15": "09:00-18:00"}} as periods: each day in one line, but for `off`, which goes before others."""
    if not isinstance(months, Mapping):
        raise ValueError('months are written as {"2026-12": {"1-15": "09:00-18:00"}}')
    return [period for month, lines in months.items() for period in month_written(str(month), lines)]


def month_written(month: str, lines: Any) -> list[dict[str, Any]]:
    """month: "2026-12". lines: a mapping of days to hours, or a text of such lines."""
    year, number, length = _month(month)
    hours_of: dict[int, Any] = {}
    line_of: dict[int, str] = {}
    off: set[int] = set()
    for days, written in _lines(lines):
        hours = hours_written(written)
        for day in _days(days, length, month):
            if hours == ():
                off.add(day)
                continue
            if day in hours_of:
                raise ValueError(f"day {day} of {month} stands twice: in '{line_of[day]}' and in '{days}'")
            hours_of[day], line_of[day] = hours, days
    kept = sorted((hours_of | dict.fromkeys(off, ())).items())
    return [
        {
            "first": date(year, number, first).isoformat(),
            "last": date(year, number, last).isoformat(),
            "hours": hours,
        }
        for first, last, hours in _runs(kept)
    ]


def _month(text: str) -> tuple[int, int, int]:
    """Return year, month and the number of its days."""
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text, re.ASCII):
        raise ValueError(f"'{text}' is no month: write it as 2026-12")
    year, month = int(text[:4]), int(text[5:])
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"{text} lies too far away: name one of the years {FIRST_YEAR} to {LAST_YEAR}")
    return year, month, last_of_month(date(year, month, 1)).day


def _lines(lines: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(lines, Mapping):
        yield from ((str(days), written) for days, written in lines.items())
    elif isinstance(lines, str):
        for line in re.split(r"[;\n]", lines):
            text = line.partition("#")[0].strip()
            days, colon, written = text.partition(":")
            if text and not colon:
                raise ValueError(f"'{text}' names no hours: write it as 1-15: 09:00-18:00")
            if text:
                yield days, written
    else:
        raise ValueError('the days of a month are written as {"1-15": "09:00-18:00", "16": "off"}')


def _days(text: str, length: int, month: str) -> Iterator[int]:
    for part in _parts(text):
        match = re.fullmatch(r"([0-9]{1,2})(?:-([0-9]{1,2}))?", part, re.ASCII)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 1 <= first <= last <= length:
            raise ValueError(f"'{part}' are no days of {month}: write 1 to {length}, or e.g. 1-15")
        yield from range(first, last + 1)


def _runs(days: list[tuple[int, Any]]) -> Iterator[tuple[int, int, Any]]:
    """Yield neighbouring days with the same hours as one."""
    begun: tuple[int, int, Any] | None = None
    for day, hours in days:
        if begun is not None and begun[1] == day - 1 and begun[2] == hours:
            begun = (begun[0], day, hours)
            continue
        if begun is not None:
            yield begun
        begun = (day, day, hours)
    if begun is not None:
        yield begun


def hours_in_words(hours: Sequence[Sequence[str]]) -> str:
    """Write them as they may be read again."""
    return ", ".join(f"{opens}-{closes}" for opens, closes in hours) or "off"


def week_in_words(week: Mapping[str, Sequence[Sequence[str]]]) -> dict[str, str]:
    """Write {"1": …} as {"mon-fri": "09:00-18:00"}: neighbouring weekdays with the same hours in one line."""
    days = sorted((int(day), hours_in_words(hours)) for day, hours in week.items())
    return {
        WEEKDAYS[first - 1] if first == last else f"{WEEKDAYS[first - 1]}-{WEEKDAYS[last - 1]}": hours
        for first, last, hours in _runs(days)
    }
