"""Who is at work: what schedules and presence say of people, as a decision wants it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from gateway.at_work import AtWork
from gateway.store.admin.accounts import Account
from gateway.timetables import timetables_of
from routing.distribution.item import Standing
from routing.distribution.template import DistributionTemplate
from routing.staff import Staff
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
    """Presence and schedules as `AtWork` has them, for deals as for calls.

    at_work: None = nothing is known of this process's accounts: presence says nothing, and only the account's own working
    time counts.
    """

    def __init__(self, at_work: AtWork | None = None) -> None:
        self._at_work = at_work

    async def standings(
        self, conn: Conn, account: Account, template: DistributionTemplate, staff: Staff, now: datetime
    ) -> Mapping[str, Standing]:
        people = [person.id for person in staff.employees]
        return self._of(account, now).standings(account.id, template, people, now)

    async def working_deadline(
        self,
        conn: Conn,
        account: Account,
        template: DistributionTemplate,
        employee_id: str,
        start: datetime,
        minutes: int,
    ) -> datetime:
        hours = template.working_time
        worked = None
        if hours.mode in ("common", "individual"):
            timetable = self._of(account, start).hours_of(account.id, template)
            worked = timetable.after_minutes(employee_id, start, minutes) if timetable else None
        return worked or start + timedelta(minutes=minutes)

    def _of(self, account: Account, now: datetime) -> AtWork:
        return self._at_work or AtWork(lambda _account_id: timetables_of(account, Staff(), (), now))
