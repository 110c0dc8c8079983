"""Timetables of an account in memory: of each schedule, and of its working time, which is the schedule of everybody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.calendars import calendar_of
from gateway.store.admin.accounts import Account
from gateway.store.admin.schedules import StoredSchedule
from routing.schedules.model import Schedule, WorkPlan
from routing.schedules.timetable import Timetable
from routing.settings import WorkingTime
from routing.staff import Staff


class Timetables:
    """Of one account. common: everybody at the account's working time. by_name: of each schedule."""

    def __init__(self, common: Timetable, by_name: Mapping[str, Timetable], made_of: object) -> None:
        self.common, self.by_name, self.made_of = common, by_name, made_of

    def is_on_shift(self, employee_id: str, at: datetime) -> bool | None:
        """Whether a schedule with hours of theirs has them on shift; None: there is none. Hours of everybody are nobody's
        shift: they belong to what is given by them. Who is on leave is on no shift."""
        known = [one for one in self.by_name.values() if one.has(employee_id)]
        theirs = [one.shift(employee_id, at) for one in known if one.names(employee_id)]
        if not theirs and not any(one.shift(employee_id, at).reason == "on_leave" for one in known):
            return None
        return any(shift.is_on for shift in theirs)

    def of(self, name: str | None) -> Timetable | None:
        """Return that of the schedule, None where there is none of this name; without a name the common one."""
        return self.common if name is None else self.by_name.get(name)


def timetables_of(
    account: Account,
    staff: Staff,
    schedules: Iterable[StoredSchedule],
    now: datetime,
    before: Timetables | None = None,
) -> Timetables:
    """before: is returned where nothing differs, with all that it remembers."""
    stored = {s.name: s for s in schedules}
    groups = {person.id: person.group for person in staff.employees}
    hours, zone = account.settings.working_time, account.time_zone
    language = account.settings.language
    made_of = (hours, zone, groups, {n: s.version for n, s in stored.items()}, now.year, language)
    if before is not None and before.made_of == made_of:
        return before
    calendar, at_zone = calendar_of(hours, now, language), ZoneInfo(zone)
    return Timetables(
        Timetable(common_schedule(hours), at_zone, calendar, groups),
        {name: Timetable(s.schedule, at_zone, calendar, groups) for name, s in stored.items()},
        made_of,
    )


def common_schedule(hours: WorkingTime) -> Schedule:
    """Return the account's working time as a schedule of everybody; its own days stand in the calendar."""
    return Schedule(everybody=WorkPlan(hours=hours.hours))
