"""A schedule as a grid: a line for everybody, for each group and each person, with what they have on each day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from gateway.web.shifts.schedules.brushes import length
from gateway.web.words.sorting import by_name
from routing.schedules.calendar import NO_CALENDAR, Calendar
from routing.schedules.clock import first_instant, hours_in_minutes, last_of_month
from routing.schedules.edits import Whose
from routing.schedules.model import Schedule
from routing.schedules.painting import Groups, PaintedDay
from routing.schedules.plans import Minutes, PersonalPlan, personal_plan
from routing.staff import Staff

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class GridDay:
    """A column. day: None in a week of no date. name: of the holiday, or why it is worked on. odd_hours: that the clock skips or
    has twice."""

    key: str
    weekday: int
    day: date | None = None
    is_free: bool = False
    name: str = ""
    odd_hours: tuple[int, ...] = ()


class GridCell(NamedTuple):
    """hours: as planned. is_away: on leave. is_worked: else they are not worked, e.g. on a holiday. substitute: who works them."""

    hours: Minutes = ()
    is_away: bool = False
    is_worked: bool = True
    substitute: str | None = None

    @property
    def worked(self) -> Minutes:
        """Return what counts as theirs."""
        return self.hours if self.is_worked and not self.is_away else ()

    @property
    def covered(self) -> Minutes:
        """Return when somebody is there, be it the substitute."""
        return self.hours if self.worked or self.substitute else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GridLine:
    """people: how many work by it. is_gone: no employee any more. zone: their own, "" = as the schedule. is_inherited: the hours are
    those of the group or of everybody."""

    whose: Whose
    name: str
    people: int = 1
    is_gone: bool = False
    zone: str = ""
    is_inherited: bool = False

    @property
    def key(self) -> str:
        return key_of(self.whose)

    @property
    def kind(self) -> Literal["everybody", "group", "person"]:
        if self.whose.person is not None:
            return "person"
        return "everybody" if self.whose.group is None else "group"


@dataclass(frozen=True, slots=True)
class GridRow:
    line: GridLine
    cells: Sequence[GridCell]

    @property
    def minutes(self) -> int:
        return sum(length(cell.worked) for cell in self.cells)


def key_of(whose: Whose) -> str:
    if whose.person is not None:
        return f"p:{whose.person}"
    return "e" if whose.group is None else f"g:{whose.group}"


def whose_of(key: str) -> Whose:
    """Raise ValueError for what is no key."""
    kind, _, name = key.partition(":")
    if kind == "p" and name:
        return Whose(person=name)
    if kind == "g" and name:
        return Whose(group=name)
    if key == "e":
        return Whose()
    raise ValueError(f"'{key}' is nobody's line")


def day_of(key: str) -> PaintedDay:
    """Return the date or the weekday of a column. Raise ValueError."""
    if key in ("1", "2", "3", "4", "5", "6", "7"):
        return int(key)
    return date.fromisoformat(key)


def groups_of(staff: Staff) -> Groups:
    return {person.id: person.group for person in staff.employees}


def lines_of(schedule: Schedule, staff: Staff) -> list[GridLine]:
    """Everybody first, then groups and people by name."""
    active = [person for person in staff.employees if person.is_active]
    others = [person for person in active if person.id not in schedule.people]
    found = []
    if schedule.everybody is not None:
        rest = sum(person.group not in schedule.groups for person in others)
        zone = schedule.everybody.zone or ""
        found.append(GridLine(whose=Whose(), name="", people=rest, zone=zone))
    for name, plan in sorted(schedule.groups.items(), key=lambda pair: by_name(pair[0])):
        members = sum(person.group == name for person in others)
        found.append(GridLine(whose=Whose(group=name), name=name, people=members, zone=plan.zone or ""))
    people = [_line_of_person(schedule, staff, who) for who in schedule.people]
    return [*found, *sorted(people, key=lambda line: by_name(line.name))]


def _line_of_person(schedule: Schedule, staff: Staff, who: str) -> GridLine:
    plan, person = schedule.people[who], staff.by_id.get(who)
    return GridLine(
        whose=Whose(person=who),
        name=person.name if person else who,
        people=1 if person and person.is_active else 0,
        is_gone=person is None,
        zone=plan.zone or "",
        is_inherited=not plan.has_hours,
    )


def month_days(month: date, zone: ZoneInfo, calendar: Calendar) -> list[GridDay]:
    """month: any day of it."""
    first = month.replace(day=1)
    count = (last_of_month(first) - first).days + 1
    return [_grid_day(first + n * _DAY, zone, calendar) for n in range(count)]


def _grid_day(day: date, zone: ZoneInfo, calendar: Calendar) -> GridDay:
    is_worked = day in calendar.working
    return GridDay(
        key=day.isoformat(),
        weekday=day.isoweekday(),
        day=day,
        is_free=day in calendar.free or (day.isoweekday() > 5 and not is_worked),
        name=calendar.free.get(day, "working" if is_worked else ""),
        odd_hours=_odd_hours(day, zone),
    )


def _odd_hours(day: date, zone: ZoneInfo) -> tuple[int, ...]:
    """Return the hours of the clock that do not come, or come twice, on this day: on a day of 24 hours none."""
    if first_instant(day + _DAY, zone) - first_instant(day, zone) == _DAY:
        return ()
    return tuple(hour for hour in range(24) if _is_odd(datetime.combine(day, time(hour), zone)))


def _is_odd(clock: datetime) -> bool:
    return clock.replace(fold=0).utcoffset() != clock.replace(fold=1).utcoffset()


def week_days() -> list[GridDay]:
    return [GridDay(key=str(day), weekday=day, is_free=day > 5) for day in range(1, 8)]


def rows_of(
    schedule: Schedule,
    lines: Sequence[GridLine],
    days: Sequence[GridDay],
    zone: ZoneInfo,
    calendar: Calendar,
    groups: Groups,
) -> list[GridRow]:
    """zone: the account's. days: of a month, or of a week of no date."""
    found = []
    for line in lines:
        plan = _plan_of(schedule, line.whose, zone, groups)
        cells = [_cell(plan, day, calendar) for day in days] if plan else [GridCell()] * len(days)
        found.append(GridRow(line, cells))
    return found


def _plan_of(
    schedule: Schedule, whose: Whose, zone: ZoneInfo, groups: Mapping[str, str | None]
) -> PersonalPlan | None:
    if whose.person is not None:
        return personal_plan(schedule, whose.person, groups.get(whose.person), zone)
    return personal_plan(schedule, "", whose.group, zone)


def _cell(plan: PersonalPlan, day: GridDay, calendar: Calendar) -> GridCell:
    if day.day is None:
        return GridCell(hours_in_minutes((plan.hours or {}).get(day.weekday, ())))
    hours, reason, substitute = plan.on(day.day, calendar if plan.keeps_holidays else NO_CALENDAR)
    return GridCell(hours, reason == "on_leave", reason in ("", "on_leave"), substitute)
