"""The calendars of countries, and of accounts: what is free, what is worked on a Saturday, and of which years it is known."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays

from routing.schedules.calendar import NO_CALENDAR, NO_HOLIDAYS, Calendar, PublicHolidays, WorkingDay
from routing.settings import WorkingTime
from routing.texts.catalogue import DEFAULT_LANGUAGE, Language
from routing.working_time import is_working, own_days

_YEARS_AHEAD = 5
_FRIDAY, _NORM_HOURS = 5, 8
_SHORT_EVES = frozenset({"BY", "RU"})
"""Where the working day before a holiday has an hour less."""
_NEXT_YEAR_FROM = (
    10  # month: by then the next year's days are decreed, as a rule, and schedules for it are written
)


def holidays_around(hours: WorkingTime, now: datetime) -> PublicHolidays:
    """Return what the account's country says of the years around `now`. Nothing for no country, or one that is not known."""
    if not hours.holidays:
        return NO_HOLIDAYS
    return _public(hours.holidays.upper(), now.year - 1, now.year + 1, hours.working_saturdays)


def is_working_now(hours: WorkingTime, time_zone: str, now: datetime) -> bool:
    """Whether the account's people are expected to do something now. time_zone: the account's."""
    return is_working(now, hours, ZoneInfo(time_zone), holidays_around(hours, now))


def calendar_of(hours: WorkingTime, now: datetime, language: Language = DEFAULT_LANGUAGE) -> Calendar:
    """Return the account's calendar: its country's from last year on, the account's own days above it. language: of names."""
    country = (hours.holidays or "").upper()
    years = now.year - 1, now.year + _YEARS_AHEAD
    return _calendar(country, *years, hours.working_saturdays, language).with_own(own_days(hours))


def unknown_years(hours: WorkingTime, now: datetime) -> tuple[int, ...]:
    """Return of this year and, in its last quarter, of the next those whose moved days neither the country's calendar nor the
    account itself has."""
    if not hours.holidays:
        return ()
    known = calendar_of(hours, now).known_years | {day.year for day in own_days(hours)}
    years = (now.year, now.year + 1) if now.month >= _NEXT_YEAR_FROM else (now.year,)
    return tuple(year for year in years if year not in known)


def norm_hours(hours: WorkingTime, month: date) -> int:
    """Return how many hours the production calendar has in the month of this date, at forty hours a week: eight a working day, where
    the law says so one less before a holiday. A Saturday that is worked on has the hours of the day that is free instead.
    """
    country, year = (hours.holidays or "").upper(), month.year
    calendar = _calendar(country, year - 1, year + 1, hours.working_saturdays, DEFAULT_LANGUAGE)
    whole = calendar.with_own(own_days(hours))
    moved = _moved_to(country, year)
    days = (month.replace(day=1) + timedelta(days=n) for n in range(monthrange(year, month.month)[1]))
    return sum(_norm_of_day(day, whole, moved, country in _SHORT_EVES) for day in days)


def _norm_of_day(day: date, calendar: Calendar, moved: Mapping[date, date], has_short_eves: bool) -> int:
    """Return its hours. moved: days that are worked on at a week-end, by the day that is free instead."""
    if day in calendar.free or (day.isoweekday() > _FRIDAY and day not in calendar.working):
        return 0
    instead = next((free for free, worked in moved.items() if worked == day), day)
    following = instead + timedelta(days=1)
    is_before_holiday = has_short_eves and following in calendar.free and following not in moved
    return _NORM_HOURS - 1 if is_before_holiday else _NORM_HOURS


@lru_cache(maxsize=64)
def _moved_to(country: str, year: int) -> Mapping[date, date]:
    if not country or not has_holidays(country):
        return {}
    return dict(_moved_days(holidays.country_holidays(country, years=range(year - 1, year + 2))))


def has_holidays(country: str) -> bool:
    """Whether the holidays of this country (ISO code) are known."""
    return country.upper() in holidays.list_supported_countries()


@lru_cache(maxsize=64)
def _public(country: str, first: int, last: int, with_saturdays: bool) -> PublicHolidays:
    calendar = _calendar(country, first, last, with_saturdays, DEFAULT_LANGUAGE)
    worked = {day: how.like for day, how in calendar.working.items()}
    return PublicHolidays(frozenset(calendar.free), worked)


@lru_cache(maxsize=64)
def _calendar(country: str, first: int, last: int, with_saturdays: bool, language: Language) -> Calendar:
    years = range(first, last + 1)
    if not country or not has_holidays(country):
        return NO_CALENDAR
    found = holidays.country_holidays(country, years=years, language=_spoken(country, language))
    worked = _worked_days(found, years) if with_saturdays else {}
    free = {day: name for day, name in sorted(found.items()) if day not in worked}
    last_known = _last_decreed(found) if found.has_substituted_holidays else found.end_year
    known = frozenset(year for year in years if found.start_year <= year <= last_known)
    return Calendar(free=free, working=worked, known_years=known)


def _spoken(country: str, language: Language) -> str | None:
    """Return the library's name of the language; where it does not have it, the country's own."""
    of_country = holidays.country_holidays(country)
    spoken = (name for name in of_country.supported_languages if name.partition("_")[0] == language)
    return next(spoken, of_country.default_language)


def _worked_days(found: holidays.HolidayBase, years: range) -> Mapping[date, WorkingDay]:
    """Return the days of a week-end that are worked on, each with the weekday that is free instead of it."""
    instead = {worked: free for free, worked in _moved_days(found)}
    days = sorted(day for day in getattr(found, "weekend_workdays", ()) if day.year in years)
    return {day: WorkingDay(instead[day].isoweekday() if day in instead else None) for day in days}


def _moved_days(found: holidays.HolidayBase) -> Iterator[tuple[date, date]]:
    """Yield (what is free, what is worked on instead), as decrees of each year have it."""
    for year, entries in _decrees(found).items():
        for month, day, from_month, from_day, *from_year in entries:
            of_year = from_year[0] if from_year else year
            yield date(year, month, day), date(of_year, from_month, from_day)


def _last_decreed(found: holidays.HolidayBase) -> int:
    """Return the last year whose moved days were decreed when the library was written: of later ones it knows only what never
    moves."""
    return max(_decrees(found), default=0)


def _decrees(found: holidays.HolidayBase) -> dict[int, list[Any]]:
    """By year: (month, day, month and day that it was moved from, and the year of these where it is another)."""
    special = getattr(found, "special_public_holidays", {})
    by_year = {year: [e for e in _entries(entries) if len(e) > 3] for year, entries in special.items()}
    return {year: entries for year, entries in by_year.items() if entries}


def _entries(value: Any) -> tuple[Any, ...]:
    """Return a list of entries; the library writes a single one without its list."""
    return value if not value or isinstance(value[0], tuple) else (value,)
