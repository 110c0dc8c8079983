"""Schedules as a person looks at them: who is on shift at a moment, and the dates of each person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gateway.admin.refused import InputRefused
from gateway.admin.schedules.saved import the_schedule
from gateway.store.admin import accounts as rows
from gateway.store.admin.staff import staff_of
from gateway.timetables import timetables_of
from routing.schedules.checks import people_of
from routing.schedules.clock import last_of_month, local_date
from routing.schedules.timetable import Shift, Timetable, WorkDay
from routing.schedules.written import FIRST_YEAR, LAST_YEAR
from routing.staff import Staff
from runtime.database.pool import Conn

MOST_DAYS = 400


class Looked(NamedTuple):
    """A schedule as it holds now. people: everybody in it, with their names; of a schedule of everybody, all employees."""

    timetable: Timetable
    people: Sequence[tuple[str, str]]


class SeenShift(NamedTuple):
    employee_id: str
    name: str
    shift: Shift


class PersonDays(NamedTuple):
    """zone: in which the hours of this person are meant."""

    employee_id: str
    name: str
    zone: str
    days: Sequence[WorkDay]


async def look(conn: Conn, account_id: str, name: str | None) -> Looked:
    """name: None = the account's working time, for everybody. Raise NothingOfThatName, NoSuchAccount."""
    account = await rows.account(conn, account_id)
    staff = await staff_of(conn, account_id)
    stored = [] if name is None else [await the_schedule(conn, account_id, name)]
    timetable = timetables_of(account, staff, stored, datetime.now(UTC)).of(name)
    assert timetable is not None
    return Looked(timetable, _people(timetable, staff))


def _people(timetable: Timetable, staff: Staff) -> list[tuple[str, str]]:
    ids = {person.id for person in staff.employees if timetable.has(person.id)}
    named = ids | people_of(timetable.schedule)
    by_id = staff.by_id
    return sorted(
        ((who, by_id[who].name if who in by_id else "") for who in named), key=lambda p: (p[1], p[0])
    )


def who_is_on(looked: Looked, at: datetime) -> list[SeenShift]:
    """Return everybody in the schedule, who is on first. Raise InputRefused."""
    _refuse_far("at", at.date())
    found = [SeenShift(who, name, looked.timetable.shift(who, at)) for who, name in looked.people]
    return sorted(found, key=lambda one: not one.shift.is_on)


def days_of(looked: Looked, first: date, last: date) -> list[PersonDays]:
    """Return each person's dates from first to last, both included. Raise InputRefused."""
    if last < first or (last - first).days >= MOST_DAYS:
        raise InputRefused(
            "to", f"{first} to {last} are no days", f"name 1 to {MOST_DAYS} days, the earlier one first"
        )
    _refuse_far("from", first)
    _refuse_far("to", last)
    dates = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    timetable = looked.timetable
    return [
        PersonDays(who, name, str(timetable.zone_of(who)), [timetable.day(who, day) for day in dates])
        for who, name in looked.people
    ]


def dates_asked(looked: Looked, first: date | None, last: date | None) -> tuple[date, date]:
    """Return the dates that were named; where none is, the month that today is in, where one is, a month from or to it."""
    for field, day in (("from", first), ("to", last)):
        if day is not None:
            _refuse_far(field, day)
    if first is None and last is None:
        first = local_date(datetime.now(UTC), looked.timetable.zone).replace(day=1)
    if first is None:
        assert last is not None
        return last.replace(day=1), last
    return first, last or last_of_month(first)


def _refuse_far(field: str, day: date) -> None:
    """Raise InputRefused for what nobody plans: calendars end somewhere."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        years = f"name one of the years {FIRST_YEAR} to {LAST_YEAR}"
        raise InputRefused(field, f"{day} lies too far away", years)


def clock_times(day: WorkDay, zone: str | ZoneInfo) -> str:
    """Write the spans of a date as clock times, e.g. 09:00-18:00, 22:00-06:00."""
    there = zone if isinstance(zone, ZoneInfo) else ZoneInfo(zone)
    return ", ".join(_clock_times(((s.begins, s.ends) for s in day.spans), there, day.day))


def _clock_times(spans: Iterable[tuple[datetime, datetime]], zone: ZoneInfo, day: date) -> Iterable[str]:
    for begins, ends in spans:
        opens, closes = begins.astimezone(zone), ends.astimezone(zone)
        is_midnight = closes.date() > day and not (closes.hour or closes.minute)
        yield f"{opens:%H:%M}-{'24:00' if is_midnight else f'{closes:%H:%M}'}"
