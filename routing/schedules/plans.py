"""What holds for one person on one date: their own plan, with what their group and everybody add to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from routing.schedules.calendar import Calendar, DayHours, WorkingDay
from routing.schedules.clock import hours_in_minutes, last_of_month
from routing.schedules.model import Leave, Period, Schedule, WorkPlan

DayReason = Literal["", "off_shift", "holiday", "on_leave"]
Minutes = tuple[tuple[int, int], ...]


class PlannedDay(NamedTuple):
    """A local date of one person. hours: as they would be worked, in minutes since midnight. reason: "" when they are worked,
    else why they are not. substitute: who works them instead."""

    hours: Minutes
    reason: DayReason = ""
    substitute: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalPlan:
    """Of one person, complete. hours: by weekday, None = by day: only `periods` count. is_own: the hours are theirs, not
    those of a group or of everybody. last: the last date that may have hours, None = there is no last."""

    zone: ZoneInfo
    hours: Mapping[int, DayHours] | None
    periods: tuple[Period, ...]
    leave: tuple[Leave, ...]
    is_own: bool
    keeps_holidays: bool
    by_month: dict[tuple[int, int], Mapping[date, Period]] = field(
        default_factory=dict, compare=False, repr=False
    )
    """Found so far: of a month, the period that holds on each date."""

    @property
    def last(self) -> date | None:
        if self.hours and any(self.hours.values()):
            return None
        return max((p.last for p in self.periods if p.hours), default=date.min)

    def on(self, day: date, calendar: Calendar) -> PlannedDay:
        hours, reason = self._without_leave(day, calendar)
        if (away := self.leave_on(day)) is None:
            return PlannedDay(hours, reason)
        return PlannedDay(() if reason else hours, "on_leave", away.substitute)

    def leave_on(self, day: date) -> Leave | None:
        """Return the leave of this date, one with a substitute before others."""
        if not self.leave:
            return None
        found = [leave for leave in self.leave if leave.covers(day)]
        return next((leave for leave in found if leave.substitute), found[0] if found else None)

    def _without_leave(self, day: date, calendar: Calendar) -> tuple[Minutes, DayReason]:
        named = self._dates_around(day).get(day) if self.periods else None
        if self.hours is not None and named is not None:
            return _planned(
                hours_in_minutes(named.hours)
            )  # what is said of the date stands above weekday and calendar
        if self.hours is None:
            hours = hours_in_minutes(named.hours) if named else ()
        else:
            hours = hours_in_minutes(self.hours.get(day.isoweekday(), ()))
        if self.keeps_holidays and day in calendar.free:
            return hours, "holiday" if hours else "off_shift"
        if self.keeps_holidays and self.hours is not None and day in calendar.working:
            return _planned(hours_of_worked_day(self.hours, day, calendar.working[day], is_own=self.is_own))
        return _planned(hours)

    def _dates_around(self, day: date) -> Mapping[date, Period]:
        month = day.year, day.month
        if (found := self.by_month.get(month)) is None:
            first = day.replace(day=1)
            found = self.by_month[month] = _by_date(self.periods, first, last_of_month(first))
        return found


def _by_date(periods: Sequence[Period], first: date, last: date) -> Mapping[date, Period]:
    """Return for each date from first to last the first period that covers it."""
    found: dict[date, Period] = {}
    for period in periods:
        if (
            period.first == period.last and not period.weekdays
        ):  # a painted day: hundreds of people have thousands
            if first <= period.first <= last:
                found.setdefault(period.first, period)
            continue
        begins, ends = max(period.first, first), min(period.last, last)
        for day in (begins + timedelta(days=n) for n in range((ends - begins).days + 1)):
            if not period.weekdays or day.isoweekday() in period.weekdays:
                found.setdefault(day, period)
    return found


def _planned(hours: Minutes) -> tuple[Minutes, DayReason]:
    return hours, "" if hours else "off_shift"


def hours_of_worked_day(
    weekly: Mapping[int, DayHours], day: date, worked: WorkingDay, *, is_own: bool = False
) -> Minutes:
    """Return the hours of a date on which is worked whatever the calendar says: those of its weekday, of the weekday that it
    stands for, or where nobody said for which, of the first one that has any."""
    if worked.hours and not is_own:
        return hours_in_minutes(worked.hours)
    instead = (
        weekly.get(worked.like, ()) if worked.like else next((h for _, h in sorted(weekly.items()) if h), ())
    )
    hours = hours_in_minutes(weekly.get(day.isoweekday(), ()) or instead)
    return _within(hours, hours_in_minutes(worked.hours)) if worked.hours else hours


def _within(hours: Minutes, limits: Minutes) -> Minutes:
    both = ((max(a, c), min(b, d)) for a, b in hours for c, d in limits)
    return tuple(sorted((begins, ends) for begins, ends in both if begins < ends))


def personal_plan(
    schedule: Schedule, employee_id: str, group: str | None, zone: ZoneInfo
) -> PersonalPlan | None:
    """Return None for who is not in the schedule. zone: the account's."""
    own, of_group = schedule.people.get(employee_id), schedule.groups.get(group or "")
    chain = [plan for plan in (own, of_group, schedule.everybody) if plan is not None]
    if not chain:
        return None
    named = next((plan.zone for plan in chain if plan.zone), None) or schedule.zone
    is_weekly = schedule.kind == "weekly"
    return PersonalPlan(
        zone=_zone(named) if named else zone,
        hours=next((plan.hours for plan in chain if plan.hours is not None), {}) if is_weekly else None,
        periods=_periods(chain, is_weekly),
        leave=tuple(leave for plan in chain for leave in plan.leave),
        is_own=own is not None and own.has_hours,
        keeps_holidays=schedule.keeps_holidays,
    )


def _periods(chain: Sequence[WorkPlan], is_weekly: bool) -> tuple[Period, ...]:
    """In a weekly schedule they are exceptions, a person's above the group's; by day, they are all that there is."""
    if is_weekly:
        return tuple(period for plan in chain for period in plan.periods or ())
    return next((plan.periods for plan in chain if plan.periods is not None), ())


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
