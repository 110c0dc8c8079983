"""The planned hours of each person on each date, worked or not, as moments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from routing.schedules.calendar import Calendar
from routing.schedules.clock import first_instant, instant
from routing.schedules.model import Schedule
from routing.schedules.plans import DayReason, Minutes, PersonalPlan, PlannedDay, personal_plan

_DAY = timedelta(days=1)
_DAYS_KEPT = 100_000
_UNPLANNED = PlannedDay((), "off_shift")


class Span(NamedTuple):
    """Half-open: on shift at `begins`, no longer at `ends`."""

    begins: datetime
    ends: datetime


class Piece(NamedTuple):
    """Planned hours. reason: "" when they are worked, else why not."""

    begins: datetime
    ends: datetime
    reason: DayReason


class PlannedHours:
    """Of one schedule; each date of a person is worked out once. zone: the account's. groups: each employee's."""

    def __init__(
        self, schedule: Schedule, zone: ZoneInfo, calendar: Calendar, groups: Mapping[str, str | None]
    ) -> None:
        self._schedule, self._account_zone, self._calendar, self._groups = schedule, zone, calendar, groups
        self._plans: dict[str, PersonalPlan | None] = {}
        self._pieces: dict[tuple[str, date], tuple[Piece, ...]] = {}
        self._covered = _covered_by(schedule)

    def has(self, employee_id: str) -> bool:
        """Whether they are in the schedule, or work the hours of somebody who is."""
        return self.plan(employee_id) is not None or employee_id in self._covered

    def names(self, employee_id: str) -> bool:
        """Whether hours of their own or of their group stand in it, and not those of everybody alone."""
        plans = (
            self._schedule.people.get(employee_id),
            self._schedule.groups.get(self._groups.get(employee_id) or ""),
        )
        return any(plan is not None and plan.has_hours for plan in plans)

    def plan(self, employee_id: str) -> PersonalPlan | None:
        if employee_id not in self._plans:
            self._plans[employee_id] = personal_plan(
                self._schedule, employee_id, self._groups.get(employee_id), self._account_zone
            )
        return self._plans[employee_id]

    def zone(self, employee_id: str) -> ZoneInfo:
        plan = self.plan(employee_id)
        return plan.zone if plan else self._account_zone

    def day(self, employee_id: str, day: date) -> PlannedDay:
        plan = self.plan(employee_id)
        return plan.on(day, self._calendar) if plan else _UNPLANNED

    def last(self, employee_id: str) -> date | None:
        """Return the last date on which they may have hours; None = there is no last one."""
        whose = (employee_id, *self._covered.get(employee_id, ()))
        lasts = [plan.last for who in whose if (plan := self.plan(who)) is not None]
        return None if None in lasts else max((day for day in lasts if day), default=date.min)

    def pieces(self, employee_id: str, day: date) -> tuple[Piece, ...]:
        """Those that begin on this local date: their own, and of others whose hours they work."""
        key = (employee_id, day)
        if (known := self._pieces.get(key)) is None:
            if len(self._pieces) >= _DAYS_KEPT:
                self._pieces.clear()
            known = self._pieces[key] = tuple(self._found(employee_id, day))
        return known

    def worked(self, employee_id: str, first: date, last: date) -> Iterator[Span]:
        """Yield all that touch these local dates, in no order. Another's dates may lie a day apart from theirs."""
        margin = 2 if employee_id in self._covered else 0
        for offset in range(-1 - margin, (last - first).days + 1 + margin):
            for piece in self.pieces(employee_id, first + offset * _DAY):
                if not piece.reason:
                    yield Span(piece.begins, piece.ends)

    def instead_of(self, employee_id: str, day: date) -> tuple[str, ...]:
        """Return whose hours of this date they work."""
        absent = self._covered.get(employee_id, ())
        return tuple(who for who in absent if self.stand_in(who, day) == employee_id)

    def stand_in(self, employee_id: str, day: date) -> str | None:
        """Return who works their hours of this date, None = nobody: a substitute who is away either has a substitute, too."""
        met = {employee_id}
        who = self.day(employee_id, day).substitute
        while who is not None and who not in met:
            plan = self.plan(who)
            away = plan.leave_on(day) if plan else None
            if away is None:
                return who
            met.add(who)
            who = away.substitute
        return None

    def _found(self, employee_id: str, day: date) -> Iterator[Piece]:
        own = self.day(employee_id, day)
        yield from _moments(day, own.hours, self.zone(employee_id), own.reason)
        for absent in self.instead_of(employee_id, day):
            yield from _moments(day, self.day(absent, day).hours, self.zone(absent), "")


def _moments(day: date, hours: Minutes, zone: ZoneInfo, reason: DayReason) -> Iterator[Piece]:
    """No piece is empty, as one between two clock times that are skipped would be."""
    if not hours or first_instant(day, zone) == first_instant(day + _DAY, zone):
        return  # a zone that crossed the date line has no such date
    for opens, closes in hours:
        begins, ends = instant(day, opens, zone), instant(day, closes, zone)
        if begins < ends:
            yield Piece(begins, ends, reason)


def _covered_by(schedule: Schedule) -> Mapping[str, tuple[str, ...]]:
    """Return whose hours each substitute may have to work, theirs too who are substituted by somebody absent."""
    found: dict[str, set[str]] = {}
    for who, plan in schedule.people.items():
        waiting, met = [leave.substitute for leave in plan.leave], {who}
        while waiting:
            substitute = waiting.pop()
            if substitute is None or substitute in met:
                continue
            met.add(substitute)
            found.setdefault(substitute, set()).add(who)
            theirs = schedule.people.get(substitute)
            waiting += [leave.substitute for leave in theirs.leave] if theirs else []
    return {who: tuple(sorted(absent)) for who, absent in found.items()}


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """In order and apart: what overlaps or touches is one."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.begins <= found[-1].ends:
            found[-1] = Span(found[-1].begins, max(found[-1].ends, span.ends))
        else:
            found.append(span)
    return tuple(found)
