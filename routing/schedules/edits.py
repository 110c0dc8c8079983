"""A schedule with one thing changed: the week, a month or the leave of a person, a group or everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

from routing.schedules.clock import last_of_month
from routing.schedules.model import Leave, Period, Schedule, WorkPlan
from routing.schedules.written import hours_in_words, month_written, week_in_words, week_written

_DAY = timedelta(days=1)


class Whose(NamedTuple):
    """Whose plan is meant: an employee's, a group's, or, with neither, everybody's."""

    person: str | None = None
    group: str | None = None


def plan_of(schedule: Schedule, whose: Whose) -> WorkPlan | None:
    if whose.person is not None:
        return schedule.people.get(whose.person)
    return schedule.groups.get(whose.group) if whose.group is not None else schedule.everybody


def with_plan(schedule: Schedule, whose: Whose, plan: WorkPlan | None) -> Schedule:
    """plan: None = taken out."""
    if whose.person is None and whose.group is None:
        return schedule.model_copy(update={"everybody": plan})
    part, name = ("people", whose.person) if whose.person is not None else ("groups", whose.group)
    plans = {**getattr(schedule, part), name: plan}
    return schedule.model_copy(update={part: {who: p for who, p in plans.items() if p is not None}})


def changed_plan(schedule: Schedule, whose: Whose, change: Callable[[WorkPlan], WorkPlan]) -> Schedule:
    return with_plan(schedule, whose, change(plan_of(schedule, whose) or WorkPlan()))


def with_week(plan: WorkPlan, text: str) -> WorkPlan:
    """text: "mon-fri 09:00-18:00; sat 10:00-14:00". Raise ValueError."""
    lines = [line.strip().partition(" ") for line in text.replace("\n", ";").split(";") if line.strip()]
    if not lines or any(not hours.strip() for _, _, hours in lines):
        raise ValueError(f"'{text}' is no week: write it as mon-fri 09:00-18:00; sat 10:00-14:00")
    if len({days for days, _, _ in lines}) < len(lines):
        raise ValueError(f"'{text}' names the same weekdays twice: each weekday has one line")
    return plan.model_copy(update={"hours": week_written({days: hours for days, _, hours in lines})})


def with_month(plan: WorkPlan, month: str, text: str) -> WorkPlan:
    """Give the month these days and no others; other months stay. text: "1-15: 09:00-18:00; 16: off". Raise ValueError."""
    written = [Period.model_validate(period) for period in month_written(month, text)]
    year, number = int(month[:4]), int(month[5:])
    first = date(year, number, 1)
    last = last_of_month(first)
    kept = [part for period in plan.periods or () for part in outside(period, first, last)]
    return plan.model_copy(update={"periods": tuple(sorted((*kept, *written), key=lambda p: p.first))})


def outside(period: Period, first: date, last: date) -> Iterator[Period]:
    """Yield what is left of a period outside of first to last."""
    if period.last < first or period.first > last:
        yield period
        return
    if period.first < first:
        yield period.model_copy(update={"last": first - _DAY})
    if period.last > last:
        yield period.model_copy(update={"first": last + _DAY})


def with_leave(plan: WorkPlan, leave: Leave) -> WorkPlan:
    return plan.model_copy(update={"leave": tuple(sorted((*plan.leave, leave), key=lambda one: one.first))})


def leave_outside(leave: Leave, first: date, last: date) -> Iterator[Leave]:
    """Yield what is left of leave outside of first to last."""
    if leave.last < first or leave.first > last:
        yield leave
        return
    if leave.first < first:
        yield leave.model_copy(update={"last": first - _DAY})
    if leave.last > last:
        yield leave.model_copy(update={"first": last + _DAY})


def without_leave(plan: WorkPlan) -> WorkPlan:
    return plan.model_copy(update={"leave": ()})


def as_written(schedule: Schedule) -> dict[str, Any]:
    """Return it as a person would write it, e.g. for a file: read again, it is the same."""
    short = schedule.model_dump(mode="json", exclude_defaults=True)
    plans = [short["everybody"]] if "everybody" in short else []
    plans += [*short.get("groups", {}).values(), *short.get("people", {}).values()]
    for plan in plans:
        _write_plan(plan)
    for shift in short.get("shifts", ()):
        shift["hours"] = hours_in_words(shift["hours"])
    return short


def _write_plan(plan: dict[str, Any]) -> None:
    if plan.get("hours"):
        plan["hours"] = week_in_words(plan["hours"])
    periods = plan.get("periods") or []
    months = _months(periods)
    if months is not None:
        del plan["periods"]
        plan["months"] = months
    for period in periods if months is None else ():
        period["hours"] = hours_in_words(period.get("hours", ()))


def _months(periods: list[dict[str, Any]]) -> dict[str, dict[str, str]] | None:
    """Return {"2026-12": {"1-15": "09:00-18:00"}} where that says the same; None where it does not."""
    months: dict[str, dict[str, str]] = {}
    for period in periods:
        first, last = period["first"], period["last"]
        if first[:7] != last[:7] or period.get("weekdays"):
            return None
        days = f"{int(first[8:])}" if first == last else f"{int(first[8:])}-{int(last[8:])}"
        months.setdefault(first[:7], {})[days] = hours_in_words(period.get("hours", ()))
    again = [p for month, lines in months.items() for p in month_written(month, lines)]
    plain = [(p["first"], p["last"], [list(span) for span in p.get("hours", ())]) for p in periods]
    read = [(p["first"], p["last"], [list(span) for span in p["hours"]]) for p in again]
    return months if periods and read == plain else None
