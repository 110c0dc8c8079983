"""Who is at work: what schedules and presence say of people, as a decision wants it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from gateway.at_work import PresenceOf, TimetablesOf
from gateway.calendars import holidays_around
from gateway.store.admin.accounts import Account
from routing.distribution.item import Standing
from routing.distribution.template import DistributionTemplate
from routing.presence import NOBODY_SAID
from routing.schedules.timetable import Timetable
from routing.staff import Staff
from routing.working_time import add_working_minutes, is_working
from runtime.database.pool import Conn


class Availability(Protocol):
    """What is known of people's hours and presence now."""

    async def standings(
        self, conn: Conn, account: Account, template: DistributionTemplate, staff: Staff, now: datetime
    ) -> Mapping[str, Standing]:
        """By employee id; who is missing is at work, as far as anybody knows. Deals are counted elsewhere."""
        ...

    async def working_deadline(
        self,
        conn: Conn,
        account: Account,
        template: DistributionTemplate,
        employee_id: str,
        start: datetime,
        minutes: int,
    ) -> datetime:
        """Return when so many minutes of this person's working time have passed."""
        ...


class AccountHours:
    """Presence and schedules as they are known in this process; for a template with common hours and no schedule the
    account's working time.

    presence: None = nobody has said anything. timetables: None = no schedule is known.
    """

    def __init__(self, presence: PresenceOf | None = None, timetables: TimetablesOf | None = None) -> None:
        self._presence = presence or (lambda _account: NOBODY_SAID)
        self._timetables = timetables or (lambda _account: None)

    async def standings(
        self, conn: Conn, account: Account, template: DistributionTemplate, staff: Staff, now: datetime
    ) -> Mapping[str, Standing]:
        presence = self._presence(account.id)
        if (name := _schedule_of(template)) is not None:
            timetable = self._timetable(account.id, name)
            hours = {p.id: _standing(timetable, p.id, now) for p in staff.employees}
        else:
            hours = dict.fromkeys((p.id for p in staff.employees), _account_hours(account, template, now))
        return {id: standing._replace(presence=presence.of(id)) for id, standing in hours.items()}

    async def working_deadline(
        self,
        conn: Conn,
        account: Account,
        template: DistributionTemplate,
        employee_id: str,
        start: datetime,
        minutes: int,
    ) -> datetime:
        if (name := _schedule_of(template)) is not None:
            timetable = self._timetable(account.id, name)
            by_shift = timetable.after_minutes(employee_id, start, minutes) if timetable else None
            return by_shift or start + timedelta(minutes=minutes)
        if template.working_time.mode != "common":
            return start + timedelta(minutes=minutes)
        hours = account.settings.working_time
        free = holidays_around(hours, start)
        return add_working_minutes(start, minutes, hours, ZoneInfo(account.time_zone), free)

    def _timetable(self, account_id: str, name: str) -> Timetable | None:
        known = self._timetables(account_id)
        return known.of(name) if known else None


def _schedule_of(template: DistributionTemplate) -> str | None:
    """Return the schedule that a template goes by, None = none."""
    hours = template.working_time
    return hours.schedule if hours.mode in ("common", "individual") else None


def _standing(timetable: Timetable | None, employee_id: str, now: datetime) -> Standing:
    """By a schedule that is gone nobody works."""
    if timetable is None:
        return Standing(off="not_in_schedule")
    shift = timetable.shift(employee_id, now)
    return Standing(
        off=shift.reason,
        back_at=shift.next_start if shift.reason else None,
        substitute_id=shift.substitute_id,
    )


def _account_hours(account: Account, template: DistributionTemplate, now: datetime) -> Standing:
    """Everybody's standing by the account's working time, for the templates that go by it."""
    if template.working_time.mode != "common":
        return Standing()
    hours = account.settings.working_time
    zone, free = ZoneInfo(account.time_zone), holidays_around(hours, now)
    if is_working(now, hours, zone, free):
        return Standing()
    back_at = add_working_minutes(now, 0, hours, zone, free)
    return Standing(off="off_shift", back_at=back_at if back_at > now else None)
