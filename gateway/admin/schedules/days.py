"""The calendar of an account as a person looks at it and changes it: holidays, working Saturdays, days of its own above them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Literal, NamedTuple

from gateway.admin.accounts import refuse_bad_day, save_settings
from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.calendars import calendar_of
from gateway.store.admin import accounts as rows
from gateway.store.admin.accounts import Account
from routing.schedules.calendar import DayHours, OwnDay
from routing.settings import WorkingTime
from routing.texts.catalogue import Language
from routing.working_time import own_days
from runtime.database.pool import Conn

_FIRST_YEAR, _LAST_YEAR = 1992, 2099


class CalendarDay(NamedTuple):
    """A date that is not what its weekday says. source: whether the account or its country's calendar says so. like: the
    weekday (1 = Monday) whose hours it has."""

    day: date
    kind: Literal["free", "working"]
    name: str
    source: Literal["own", "country"]
    hours: DayHours
    like: int | None


class CalendarYear(NamedTuple):
    """is_known: whether the country's moved days of this year are known; where not, only what never moves stands here."""

    year: int
    country: str | None
    is_known: bool
    working_saturdays: bool
    days: tuple[CalendarDay, ...]


def calendar_year(account: Account, year: int, language: Language | None = None) -> CalendarYear:
    """language: of the names of holidays, else the account's. Raise InputRefused for a year that nobody plans."""
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise InputRefused(
            "year", f"{year} is no year to plan", f"name one from {_FIRST_YEAR} to {_LAST_YEAR}"
        )
    hours = account.settings.working_time
    calendar = calendar_of(hours, datetime(year, 1, 1, tzinfo=UTC), language or account.settings.language)
    own = own_days(hours)
    found = [
        CalendarDay(day, "free", name, "own" if day in own else "country", (), None)
        for day, name in calendar.free.items()
    ]
    found += [
        CalendarDay(
            day,
            "working",
            own[day].name if day in own else "",
            "own" if day in own else "country",
            *_how(how),
        )
        for day, how in calendar.working.items()
    ]
    days = tuple(sorted(day for day in found if day.day.year == year))
    is_known = not hours.holidays or year in calendar.known_years
    return CalendarYear(year, hours.holidays, is_known, hours.working_saturdays, days)


def _how(worked: tuple[int | None, DayHours]) -> tuple[DayHours, int | None]:
    return worked[1], worked[0]


async def set_day(conn: Conn, account_id: str, day: str, own: OwnDay) -> None:
    """Say of a date what it is, whatever country and weekday say. Raise InputRefused, NoSuchAccount."""
    refuse_bad_day(day, own, "days")
    async with conn.transaction():
        hours = await _locked(conn, account_id)
        days = {**_without(hours, day).days, day: own}
        await _save(
            conn, account_id, _without(hours, day).model_copy(update={"days": dict(sorted(days.items()))})
        )


async def clear_day(conn: Conn, account_id: str, day: str) -> None:
    """Forget what the account said of a date. Raise NothingOfThatName, NoSuchAccount."""
    async with conn.transaction():
        hours = await _locked(conn, account_id)
        if _without(hours, day) == hours:
            raise NothingOfThatName("own day", day, "calendar list")
        await _save(conn, account_id, _without(hours, day))


async def _locked(conn: Conn, account_id: str) -> WorkingTime:
    await rows.lock_account(conn, account_id)
    return (await rows.account(conn, account_id)).settings.working_time


async def _save(conn: Conn, account_id: str, hours: WorkingTime) -> None:
    settings = (await rows.account(conn, account_id)).settings
    await save_settings(conn, account_id, settings.model_copy(update={"working_time": hours}))


def _without(hours: WorkingTime, day: str) -> WorkingTime:
    return hours.model_copy(
        update={
            "free_days": tuple(d for d in hours.free_days if d != day),
            "work_days": tuple(d for d in hours.work_days if d != day),
            "days": {d: own for d, own in hours.days.items() if d != day},
        }
    )
