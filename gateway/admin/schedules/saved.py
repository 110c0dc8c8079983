"""Schedules as a person saves and removes them, on the command line, by API or in a file: saving publishes, or refuses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.admin.input_words import refuse_odd_name
from gateway.admin.protection.grants import refuse_other_schedule
from gateway.admin.refused import InputRefused, InUse, NameTaken, NothingOfThatName
from gateway.calendars import unknown_years
from gateway.store.admin import accounts as rows
from gateway.store.admin import schedules as store
from gateway.store.admin.schedules import StoredSchedule
from gateway.store.admin.staff import stored_employees
from routing.schedules.checks import (
    ScheduleProblem,
    ScheduleStaff,
    can_be_saved,
    people_of,
    schedule_problems,
)
from routing.schedules.model import Schedule
from routing.texts.catalogue import Language
from runtime.database.pool import Conn

ABSENT = 0
"""The version of a schedule that is not there yet."""


class ScheduleRefused(InputRefused):
    """The checks found errors in the schedule, so that it was not saved. problems: all that was found. language: of the first
    one's words."""

    code = "schedule-refused"

    def __init__(self, found: list[ScheduleProblem], language: Language) -> None:
        self.found, self.language = found, language
        first = self.errors[0]
        super().__init__(first.where, *first.in_words(language), problems=[p.model_dump() for p in found])

    @property
    def errors(self) -> list[ScheduleProblem]:
        return [p for p in self.found if p.severity == "error"]


class ScheduleMoved(InputRefused):
    """Somebody else saved the schedule meanwhile; nothing was overwritten."""

    code = "schedule-conflict"

    def __init__(self, name: str, who: str, at: datetime | None, version: int) -> None:
        said = (
            f"{who} saved version {version} of schedule '{name}' meanwhile"
            if version
            else f"schedule '{name}' is gone"
        )
        super().__init__(
            "version",
            said,
            "read it again and repeat your change; nothing was overwritten",
            problems=[{"by": who, "at": at.isoformat() if at else None, "version": version}],
        )


class ScheduleInUse(InUse):
    """Others stand on the schedule: with it they would be left without hours."""

    code = "schedule-in-use"

    def __init__(self, name: str, uses: list[str]) -> None:
        super().__init__(
            "name",
            f"on schedule '{name}' stand",
            uses,
            "take it out there first, or say that it goes all the same",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSaved:
    """warnings: what a person should look at. language: in which they are told."""

    stored: StoredSchedule
    warnings: list[ScheduleProblem]
    language: Language


async def save_schedule(
    conn: Conn,
    account_id: str,
    name: str,
    schedule: Schedule,
    *,
    by: str,
    version: int | None = None,
    language: Language | None = None,
) -> ScheduleSaved:
    """version: that was seen, ABSENT = there is none of this name, None = whichever there is. language: of what is said of it,
    else the account's. Raise InputRefused, NoSuchAccount; nothing is stored then."""
    async with conn.transaction():
        await rows.lock_account(conn, account_id)
        spoken = language or (await rows.account(conn, account_id)).settings.language
        before = await store.schedule_named(conn, account_id, name)
        if before is None:
            refuse_odd_name("schedule", name)
        _refuse_stale(name, before, version)
        if before is None or before.schedule != schedule:
            refuse_other_schedule(name)
        found = await problems_of(conn, account_id, schedule, before.schedule if before else None)
        if not can_be_saved(found):
            raise ScheduleRefused(found, spoken)
        stored = await store.save_schedule(conn, account_id, name, schedule, by)
        return ScheduleSaved(stored=stored, warnings=found, language=spoken)


async def problems_of(
    conn: Conn, account_id: str, schedule: Schedule, before: Schedule | None
) -> list[ScheduleProblem]:
    """Return what is wrong with it. before: what stands there; who stands in it is not judged again."""
    people = await stored_employees(conn, account_id)
    settings, now = (await rows.account(conn, account_id)).settings, datetime.now(UTC)
    known = ScheduleStaff(
        unknown_years=unknown_years(settings.working_time, now),
        employees={p.id for p in people},
        groups={p.group for p in people if p.group},
        had=people_of(before) if before else frozenset(),
    )
    return schedule_problems(schedule, known)


async def remove_schedule(conn: Conn, account_id: str, name: str, *, even_if_used: bool = False) -> None:
    """Take it away; its versions stay. Raise ScheduleInUse, NotBoundTo, NothingOfThatName; nothing is changed then."""
    refuse_other_schedule(name)
    async with conn.transaction():
        await rows.lock_account(conn, account_id)
        uses = await uses_of(conn, account_id, name)
        if uses and not even_if_used and await store.schedule_named(conn, account_id, name):
            raise ScheduleInUse(name, uses)
        if not await store.remove_schedule(conn, account_id, name):
            raise NothingOfThatName("schedule", name)


async def uses_of(conn: Conn, account_id: str, name: str) -> list[str]:
    """Return what stands on it: e.g. "template ads", or "user olga", who may touch this schedule only."""
    return await store.uses_of_schedule(conn, account_id, name)


async def the_schedule(conn: Conn, account_id: str, name: str) -> StoredSchedule:
    """Raise NothingOfThatName."""
    found = await store.schedule_named(conn, account_id, name)
    if found is None:
        raise NothingOfThatName("schedule", name)
    return found


def _refuse_stale(name: str, before: StoredSchedule | None, seen: int | None) -> None:
    now = before.version if before else ABSENT
    if seen is None or seen == now:
        return
    if seen == ABSENT:
        raise NameTaken("schedule", name)
    raise ScheduleMoved(name, before.saved_by if before else "", before.saved_at if before else None, now)
