"""What is wrong with a schedule, before it is saved: all of it at once, each with its place and what to do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict

from routing.schedules.calendar import DayHours
from routing.schedules.clock import hours_in_minutes, is_span, minutes_of
from routing.schedules.model import Leave, Period, Schedule, WorkPlan
from routing.texts.catalogue import Language, Value
from routing.texts.sentences import TEXTS

_EARLIEST, _LATEST = date(2000, 1, 1), date(2199, 12, 31)


class ScheduleProblem(BaseModel):
    """where: e.g. people.olga.periods.2, as in the body. An error keeps the schedule from being saved."""

    model_config = ConfigDict(frozen=True)

    severity: Literal["error", "warning"]
    code: str
    where: str
    message: str
    remedy: str
    message_en: str
    remedy_en: str

    def in_words(self, language: Language) -> tuple[str, str]:
        """Return what is wrong and what to do."""
        return (self.message, self.remedy) if language == "ru" else (self.message_en, self.remedy_en)


WARNINGS = frozenset(
    {"moved-days-unknown", "hours-overlap", "hours-nowhere", "group-unknown", "schedule-empty", "person-left"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleStaff:
    """Who there is. had: ids that stand in the schedule already: they are not judged again. unknown_years: this one and the
    next, where the account's calendar does not know which days are moved."""

    employees: Collection[str] = ()
    groups: Collection[str] = ()
    had: Collection[str] = field(default_factory=frozenset)
    unknown_years: Collection[int] = ()


def schedule_problems(schedule: Schedule, known: ScheduleStaff) -> list[ScheduleProblem]:
    """Errors first."""
    found = list(_all(schedule, known))
    return sorted(found, key=lambda p: p.severity == "warning")


def can_be_saved(problems: Collection[ScheduleProblem]) -> bool:
    return not any(p.severity == "error" for p in problems)


def people_of(schedule: Schedule) -> frozenset[str]:
    """Everybody whom it names, substitutes too."""
    instead = {leave.substitute for plan in schedule.people.values() for leave in plan.leave}
    return frozenset(schedule.people) | {who for who in instead if who}


def people_inside(schedule: Schedule, groups: Mapping[str, str | None]) -> frozenset[str] | None:
    """Return the employees who have hours in it, None = everybody has. groups: each employee's."""
    if schedule.everybody is not None:
        return None
    of_groups = {who for who, group in groups.items() if group in schedule.groups}
    return people_of(schedule) | of_groups


def _all(schedule: Schedule, known: ScheduleStaff) -> Iterator[ScheduleProblem]:
    if schedule.zone is not None:
        yield from _zone("zone", schedule.zone)
    plans = {"everybody": schedule.everybody} if schedule.everybody else {}
    plans |= {f"groups.{name}": plan for name, plan in schedule.groups.items()}
    for where, plan in plans.items():
        yield from _plan(where, plan, schedule)
        if any(leave.substitute for leave in plan.leave):
            yield _problem("substitute-of-many", f"{where}.leave")
    for name in schedule.groups:
        if name not in known.groups:
            yield _problem("group-unknown", f"groups.{name}", name=name)
    for who, plan in schedule.people.items():
        yield from _plan(f"people.{who}", plan, schedule)
    yield from _people(schedule, known)
    yield from _shifts(schedule)
    if schedule.keeps_holidays:
        for year in sorted(known.unknown_years):
            yield _problem("moved-days-unknown", "holidays", year=year)
    if not plans and not schedule.people:
        yield _problem("schedule-empty", "people")


def _shifts(schedule: Schedule) -> Iterator[ScheduleProblem]:
    """Find names that do not tell hours apart."""
    letters: set[str] = set()
    for number, shift in enumerate(schedule.shifts):
        yield from _hours(f"shifts.{number}.hours", shift.hours)
        if shift.letter in letters:
            yield _problem("letter-twice", f"shifts.{number}.letter", name=shift.letter)
        letters.add(shift.letter)


def _people(schedule: Schedule, known: ScheduleStaff) -> Iterator[ScheduleProblem]:
    for who in sorted(people_of(schedule)):
        if who not in known.employees:
            code = "person-left" if who in known.had else "person-unknown"
            yield _problem(code, f"people.{who}", name=who)
    for who, plan in schedule.people.items():
        if not (plan.has_hours or schedule.everybody or schedule.groups):
            yield _problem("hours-missing", f"people.{who}", name=who)
        for number, leave in enumerate(plan.leave):
            if leave.substitute is not None and (day := _circle(schedule, who, leave)) is not None:
                where = f"people.{who}.leave.{number}"
                yield _problem("substitute-circle", where, name=leave.substitute, day=day.isoformat())


def _circle(schedule: Schedule, who: str, leave: Leave) -> date | None:
    """Return a date on which who stands in for somebody is replaced by that very person."""
    waiting = [(leave.substitute, leave.first, leave.last)]
    met: set[tuple[str | None, date, date]] = set()
    while waiting:
        substitute, first, last = step = waiting.pop()
        if substitute == who:
            return first
        if step in met or substitute is None or substitute not in schedule.people:
            continue
        met.add(step)
        for other in schedule.people[substitute].leave:
            begins, ends = max(first, other.first), min(last, other.last)
            if begins <= ends:
                waiting.append((other.substitute, begins, ends))
    return None


def _plan(where: str, plan: WorkPlan, schedule: Schedule) -> Iterator[ScheduleProblem]:
    if plan.zone is not None:
        yield from _zone(f"{where}.zone", plan.zone)
    if plan.hours is not None and schedule.kind == "by_day":
        yield _problem("weekdays-by-day", f"{where}.hours")
    for weekday, hours in (plan.hours or {}).items():
        if not 1 <= weekday <= 7:
            yield _problem("weekday-unknown", f"{where}.hours", name=str(weekday))
        yield from _hours(f"{where}.hours.{weekday}", hours)
    for number, period in enumerate(plan.periods or ()):
        if not _is_fine(period):
            yield from _period(f"{where}.periods.{number}", period)
    for number, leave in enumerate(plan.leave):
        yield from _dates(f"{where}.leave.{number}", leave)
    yield from _twice(where, plan)
    if plan.has_hours and not _has_work(plan):
        yield _problem("hours-nowhere", where)


def _has_work(plan: WorkPlan) -> bool:
    return any((plan.hours or {}).values()) or any(period.hours for period in plan.periods or ())


def _is_fine(period: Period) -> bool:
    """Whether nothing is wrong with it: told before its place is written, as a schedule has thousands of them."""
    return _EARLIEST <= period.first <= period.last <= _LATEST and _are_fine(period.hours)


def _period(where: str, period: Period) -> Iterator[ScheduleProblem]:
    yield from _dates(where, period)
    yield from _hours(f"{where}.hours", period.hours)


def _dates(where: str, dates: Period | Leave) -> Iterator[ScheduleProblem]:
    first, last = dates.first, dates.last
    if last < first:
        yield _problem("dates-backwards", where, first=first.isoformat(), last=last.isoformat())
    elif first < _EARLIEST or last > _LATEST:
        yield _problem("dates-far", where, first=_EARLIEST.isoformat(), last=_LATEST.isoformat())


def _hours(where: str, hours: DayHours) -> Iterator[ScheduleProblem]:
    if not _are_fine(hours):
        yield from _hours_problems(where, hours)


@lru_cache(maxsize=4096)
def _are_fine(hours: DayHours) -> bool:
    """Whether nothing is wrong with them: a schedule has the same hours thousands of times."""
    return next(_hours_problems("", hours), None) is None


def _hours_problems(where: str, hours: DayHours) -> Iterator[ScheduleProblem]:
    wrong = [span for span in hours if not is_span(*span)]
    for opens, closes in wrong:
        yield _problem("hours-unreadable", where, opens=opens, closes=closes)
    endless = [opens for opens, closes in hours if opens == closes]
    for opens in endless:
        yield _problem("hours-whole-day", where, opens=opens)
    if not (wrong or endless) and sum(_length(*span) for span in hours) > sum(
        b - a for a, b in hours_in_minutes(hours)
    ):
        yield _problem("hours-overlap", where)


def hours_refused(hours: DayHours) -> bool:
    """Whether a schedule with these hours of a day would not be saved."""
    return any(problem.severity == "error" for problem in _hours("", hours))


def _length(opens: str, closes: str) -> int:
    return (minutes_of(closes) - minutes_of(opens) - 1) % 1440 + 1


def _twice(where: str, plan: WorkPlan) -> Iterator[ScheduleProblem]:
    """Find dates that stand in two periods, or on which two substitutes would work."""
    periods = [(n, p) for n, p in enumerate(plan.periods or ()) if p.first <= p.last]
    if (both := _same_date(periods)) is not None:
        yield _problem("date-twice", f"{where}.periods.{both[1]}", day=both[2].isoformat(), other=both[0])
    leaves = [(n, leave) for n, leave in enumerate(plan.leave) if leave.substitute]
    if (both := _same_date(leaves)) is not None:
        yield _problem("leave-twice", f"{where}.leave.{both[1]}", day=both[2].isoformat(), other=both[0])


def _same_date(dates: Iterable[tuple[int, Period | Leave]]) -> tuple[int, int, date] | None:
    """Return the numbers of two that share a date, and that date."""
    numbered = list(dates)
    if len({one.first for _, one in numbered}) == len(numbered) and all(
        one.first == one.last for _, one in numbered
    ):
        return None
    open_ones: list[tuple[int, Period | Leave]] = []
    for number, one in sorted(numbered, key=lambda pair: pair[1].first):
        open_ones = [other for other in open_ones if other[1].last >= one.first]
        for earlier, other in open_ones:
            shared = min(one.last, other.last)
            week = (one.first + timedelta(days=n) for n in range(min((shared - one.first).days + 1, 7)))
            if (day := next((d for d in week if one.covers(d) and other.covers(d)), None)) is not None:
                return min(earlier, number), max(earlier, number), day
        open_ones.append((number, one))
    return None


def _zone(where: str, name: str) -> Iterator[ScheduleProblem]:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield _problem("zone-unknown", where, name=name)


def _problem(code: str, where: str, /, **values: Value) -> ScheduleProblem:
    said, remedy = f"schedule.problem.{code}", f"schedule.problem.{code}.remedy"
    return ScheduleProblem(
        severity="warning" if code in WARNINGS else "error",
        code=code,
        where=where,
        message=TEXTS["ru"].say(said, **values),
        remedy=TEXTS["ru"].say(remedy, **values),
        message_en=TEXTS["en"].say(said, **values),
        remedy_en=TEXTS["en"].say(remedy, **values),
    )
