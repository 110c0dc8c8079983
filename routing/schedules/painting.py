"""A schedule painted day by day: single dates, or weekdays, of people, groups or everybody get other hours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from itertools import groupby
from typing import Literal, NamedTuple

from routing.schedules.calendar import DayHours
from routing.schedules.clock import last_of_month
from routing.schedules.edits import Whose, outside, plan_of, with_plan
from routing.schedules.model import Leave, Period, Schedule, WorkPlan

PaintedDay = date | int
"""A date, or a weekday (1 = Monday) of a weekly schedule."""
Groups = Mapping[str, str | None]
"""Each employee's."""

_DAY = timedelta(days=1)


class Paint(NamedTuple):
    """kind: these hours, none = off; away: on leave, with the hours that stand there left to a substitute; usual: of a date in a
    weekly schedule, what its weekday says."""

    kind: Literal["hours", "away", "usual"]
    hours: DayHours = ()


AWAY, USUAL, OFF = Paint("away"), Paint("usual"), Paint("hours")
PaintedDays = Mapping[Whose, Mapping[PaintedDay, Paint]]


class PaintedSide(NamedTuple):
    """What one version has of a day. hours: None = nothing is said of it."""

    hours: DayHours | None
    is_away: bool = False


class PaintedTwice(NamedTuple):
    """A day that two people painted: what it became with the one who saved first, and what the other makes of it."""

    whose: Whose
    day: PaintedDay
    theirs: PaintedSide
    mine: PaintedSide


def painted(schedule: Schedule, days: PaintedDays, groups: Groups) -> Schedule:
    """Return the schedule with these days. Hours that somebody had from their group, or from everybody, are theirs from now on."""
    for whose, changes in days.items():
        if changes:
            schedule = with_plan(schedule, whose, _painted_plan(schedule, whose, changes, groups))
    return schedule


def painted_twice(seen: Schedule, now: Schedule, days: PaintedDays, groups: Groups) -> list[PaintedTwice]:
    """Return which of these days were changed between the two versions, to something else than what is painted."""
    mine = painted(seen, days, groups)
    found = []
    for whose, changes in days.items():
        for day in changes:
            before, theirs, own = (_side(one, whose, day, groups) for one in (seen, now, mine))
            if before != theirs and theirs != own:
                found.append(PaintedTwice(whose, day, theirs, own))
    return found


def own_plan(schedule: Schedule, whose: Whose, groups: Groups) -> WorkPlan:
    """Return the plan with the hours that it has of its own, or takes from the group or from everybody."""
    plan = plan_of(schedule, whose) or WorkPlan()
    chain = [plan, *_above(schedule, whose, groups)]
    if schedule.kind == "weekly":
        hours = next((one.hours for one in chain if one.hours is not None), None)
        return plan.model_copy(update={"hours": hours})
    periods = next((one.periods for one in chain if one.periods is not None), None)
    return plan.model_copy(update={"periods": periods})


def _above(schedule: Schedule, whose: Whose, groups: Groups) -> Iterator[WorkPlan]:
    if whose.person is not None and (group := schedule.groups.get(groups.get(whose.person) or "")):
        yield group
    if whose != Whose() and schedule.everybody is not None:
        yield schedule.everybody


def _painted_plan(
    schedule: Schedule, whose: Whose, changes: Mapping[PaintedDay, Paint], groups: Groups
) -> WorkPlan:
    weekdays = {day: paint for day, paint in changes.items() if isinstance(day, int)}
    dates = {day: paint for day, paint in changes.items() if isinstance(day, date)}
    is_weekly = schedule.kind == "weekly"
    plan = plan_of(schedule, whose) or WorkPlan()
    if weekdays or (not is_weekly and any(paint.kind == "hours" for paint in dates.values())):
        plan = own_plan(schedule, whose, groups)
    if weekdays:
        week = {**(plan.hours or {}), **{day: paint.hours for day, paint in weekdays.items()}}
        plan = plan.model_copy(update={"hours": {day: week[day] for day in sorted(week)}})
    said = {day: _said(paint, is_weekly) for day, paint in dates.items() if paint.kind != "away"}
    if said:
        plan = with_dates(plan, said)
    return with_away(plan, {day: paint.kind == "away" for day, paint in dates.items()})


def _said(paint: Paint, is_weekly: bool) -> DayHours | None:
    """Return what becomes of a date: in a schedule by day, one that is not named is free."""
    return None if paint.kind == "usual" or not (paint.hours or is_weekly) else paint.hours


def with_dates(plan: WorkPlan, days: Mapping[date, DayHours | None]) -> WorkPlan:
    """Say other hours of single dates, None = nothing; other dates stay. The months of these dates are written anew."""
    months = {(day.year, day.month) for day in days}
    kept: list[Period] = list(plan.periods or ())
    for year, month in sorted(months):
        first = date(year, month, 1)
        last = last_of_month(first)
        hours_of = _dates_of(kept, first, last)
        kept = [part for period in kept for part in outside(period, first, last)]
        hours_of |= {day: hours for day, hours in days.items() if first <= day <= last}
        kept += _runs(sorted((day, hours) for day, hours in hours_of.items() if hours is not None))
    return plan.model_copy(update={"periods": tuple(sorted(kept, key=lambda period: period.first))})


def _dates_of(periods: Iterable[Period], first: date, last: date) -> dict[date, DayHours | None]:
    touching = [period for period in periods if period.first <= last and period.last >= first]
    every = (first + n * _DAY for n in range((last - first).days + 1))
    found = ((day, next((period for period in touching if period.covers(day)), None)) for day in every)
    return {day: period.hours for day, period in found if period is not None}


def _runs(days: Iterable[tuple[date, DayHours | None]]) -> Iterator[Period]:
    """Yield neighbouring dates with the same hours as one period."""
    numbered = ((day.toordinal() - at, hours, day) for at, (day, hours) in enumerate(days))
    for (_, hours), run in groupby(numbered, key=lambda one: one[:2]):
        dates = [day for _, _, day in run]
        yield Period(first=dates[0], last=dates[-1], hours=hours or ())


def with_away(plan: WorkPlan, days: Mapping[date, bool]) -> WorkPlan:
    """Say of single dates whether they are leave. Leave that is there keeps its substitute on the dates that stay in it."""
    leave = list(plan.leave)
    for day in sorted(day for day, is_away in days.items() if not is_away):
        leave = [part for one in leave for part in _without(one, day)]
    missing = sorted(
        day for day, is_away in days.items() if is_away and not any(one.covers(day) for one in leave)
    )
    numbered = ((day, day.toordinal() - at) for at, day in enumerate(missing))
    for _, run in groupby(numbered, key=lambda one: one[1]):
        dates = [day for day, _ in run]
        leave.append(Leave(first=dates[0], last=dates[-1]))
    kept = tuple(sorted(leave, key=lambda one: one.first))
    return plan if kept == plan.leave else plan.model_copy(update={"leave": kept})


def _without(leave: Leave, day: date) -> Iterator[Leave]:
    if not leave.covers(day):
        yield leave
        return
    if leave.first < day:
        yield leave.model_copy(update={"last": day - _DAY})
    if leave.last > day:
        yield leave.model_copy(update={"first": day + _DAY})


def _side(schedule: Schedule, whose: Whose, day: PaintedDay, groups: Groups) -> PaintedSide:
    plan = own_plan(schedule, whose, groups)
    if isinstance(day, int):
        return PaintedSide((plan.hours or {}).get(day, ()))
    period = next((one for one in plan.periods or () if one.covers(day)), None)
    hours = period.hours if period else () if schedule.kind == "by_day" else None
    return PaintedSide(hours, any(one.covers(day) for one in plan.leave))
