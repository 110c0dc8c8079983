"""What the grid of a schedule shows: its lines, days and brushes, how many people are there, and what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from zoneinfo import ZoneInfo

from gateway.admin.schedules.saved import problems_of
from gateway.calendars import calendar_of, norm_hours
from gateway.store.admin.accounts import Account
from gateway.store.admin.schedules import StoredSchedule
from gateway.store.admin.staff import staff_of
from gateway.store.distribution.templates import templates_of
from gateway.web.frame import AnyPageCall, PageQuery
from gateway.web.shifts.schedules.brushes import Brush, brushes_of
from gateway.web.shifts.schedules.coverage import Coverage, coverage_of, without
from gateway.web.shifts.schedules.grid import (
    GridDay,
    GridLine,
    GridRow,
    groups_of,
    lines_of,
    month_days,
    rows_of,
    week_days,
)
from gateway.web.shifts.schedules.places import may_edit, seen_schedule
from gateway.web.shifts.schedules.uses import TemplateOfSchedule, templates_of_schedule
from gateway.web.words.sorting import by_name
from routing.schedules.calendar import Calendar
from routing.schedules.checks import ScheduleProblem
from routing.schedules.model import Schedule
from routing.schedules.written import FIRST_YEAR, LAST_YEAR
from routing.staff import Employee, Staff
from runtime.database.pool import Conn

PEOPLE_A_PAGE = 50
View = Literal["week", "month"]


class GridQuery(PageQuery):
    """month: e.g. 2026-12. q: a part of a name. page: from 0. day: whose hours are shown below, as the key of its column. who: one
    line alone, by its key."""

    view: View | None = None
    month: str = ""
    q: str = ""
    page: int = 0
    day: str = ""
    who: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRead:
    """A schedule without its grid. brushes: the named ones, where the grid is not drawn."""

    stored: StoredSchedule
    staff: Staff
    brushes: Sequence[Brush]

    @property
    def schedule(self) -> Schedule:
        return self.stored.schedule

    @property
    def outside(self) -> Sequence[Employee]:
        """Return the employees who have no line of their own, by name."""
        people = [p for p in self.staff.employees if p.is_active and p.id not in self.schedule.people]
        return sorted(people, key=lambda person: by_name(person.name))

    @property
    def groups_outside(self) -> Sequence[str]:
        found = {person.group for person in self.staff.employees if person.group}
        return sorted(found - set(self.schedule.groups), key=by_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSeen(ScheduleRead):
    """rows: of this page; lines: all that were searched for. others: who is on shift by lines that are not on this page."""

    view: View
    month: date
    days: Sequence[GridDay]
    rows: Sequence[GridRow]
    lines: Sequence[GridLine]
    page: int
    coverage: Coverage
    others: Coverage
    focus: int
    norm: int
    zone: ZoneInfo
    uses: Sequence[TemplateOfSchedule]
    problems: Sequence[ScheduleProblem]
    may_edit: bool

    @property
    def index_of(self) -> Mapping[str, int]:
        """Return the brush of hours as they are sent."""
        return {brush.hours: number for number, brush in enumerate(self.brushes)}


async def read_schedule(conn: Conn, call: AnyPageCall) -> ScheduleRead:
    """Raise PageRefused."""
    staff = await staff_of(conn, call.account.id)
    stored = await seen_schedule(conn, call, staff)
    named = [brush for brush in brushes_of(stored.schedule.shifts, (), call.texts) if brush.is_named]
    return ScheduleRead(stored=stored, staff=staff, brushes=named)


async def see_schedule(conn: Conn, call: AnyPageCall, query: GridQuery) -> ScheduleSeen:
    """Raise PageRefused."""
    staff = await staff_of(conn, call.account.id)
    stored = await seen_schedule(conn, call, staff)
    templates = await templates_of(conn, call.account.id)
    problems = await problems_of(conn, call.account.id, stored.schedule, stored.schedule)
    uses = templates_of_schedule(stored.name, stored.schedule, templates, staff)
    return seen_of(call, query, stored, staff, uses, problems)


def seen_of(
    call: AnyPageCall,
    query: GridQuery,
    stored: StoredSchedule,
    staff: Staff,
    uses: Sequence[TemplateOfSchedule],
    problems: Sequence[ScheduleProblem],
) -> ScheduleSeen:
    schedule, account = stored.schedule, call.account
    zone = ZoneInfo(schedule.zone) if schedule.zone else call.zone
    view: View = "month" if schedule.kind == "by_day" else query.view or "week"
    today = call.now.astimezone(zone).date()
    month = month_of(query.month, today)
    calendar = _calendar(account, month, call)
    days = month_days(month, zone, calendar) if view == "month" else week_days()
    lines = lines_of(schedule, staff)
    every = rows_of(schedule, lines, days, call.zone, calendar, groups_of(staff))
    found = [row for row in every if _is_wanted(row.line, query)]
    page = min(max(query.page, 0), max(len(found) - 1, 0) // PEOPLE_A_PAGE)
    shown = found[page * PEOPLE_A_PAGE : (page + 1) * PEOPLE_A_PAGE]
    is_week = view == "week"
    coverage = coverage_of(every, len(days), is_week=is_week)
    return ScheduleSeen(
        stored=stored,
        staff=staff,
        view=view,
        month=month,
        days=days,
        rows=shown,
        lines=[row.line for row in found],
        page=page,
        brushes=brushes_of(schedule.shifts, _used(every), call.texts),
        coverage=coverage,
        others=without(coverage, coverage_of(shown, len(days), is_week=is_week)),
        focus=_focus(days, query.day, today),
        norm=norm_hours(account.settings.working_time, month),
        zone=zone,
        uses=uses,
        problems=problems,
        may_edit=may_edit(call, stored.name),
    )


def _used(rows: Sequence[GridRow]) -> list[tuple[tuple[int, int], ...]]:
    return [cell.hours for row in rows for cell in row.cells if cell.hours]


def month_of(text: str, today: date) -> date:
    """Return the first of the month that is named; of this one where none is, or none that anybody plans."""
    if re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text, re.ASCII) and FIRST_YEAR < int(text[:4]) < LAST_YEAR:
        return date.fromisoformat(f"{text}-01")
    return today.replace(day=1)


def _calendar(account: Account, month: date, call: AnyPageCall) -> Calendar:
    at = call.now.replace(year=month.year, month=month.month, day=1)
    return calendar_of(account.settings.working_time, at, call.texts.language)


def _is_wanted(line: GridLine, query: GridQuery) -> bool:
    if query.who:
        return line.key == query.who
    return not query.q or by_name(query.q.strip()) in by_name(line.name)


def _focus(days: Sequence[GridDay], wanted: str, today: date) -> int:
    """Return which column's hours are shown: the one that is asked for, today, or the first."""
    keys = [day.key for day in days]
    for key in (wanted, today.isoformat(), str(today.isoweekday())):
        if key in keys:
            return keys.index(key)
    return 0
