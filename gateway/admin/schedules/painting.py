"""A schedule changed day by day, as a person paints it: together with what somebody else saved meanwhile, or refused by both."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.admin.schedules.saved import ScheduleSaved, save_schedule, the_schedule
from gateway.store.admin import accounts as rows
from gateway.store.admin.schedules import StoredSchedule, schedule_at
from gateway.store.admin.staff import stored_employees
from routing.schedules.model import NamedShift, Schedule
from routing.schedules.painting import PaintedDays, PaintedTwice, painted, painted_twice
from routing.texts.catalogue import Language
from runtime.database.pool import Conn


class PaintedByBoth(Exception):
    """Somebody else painted the same days meanwhile. now: what holds. twice: the days, with both sides. Nothing was stored."""

    def __init__(self, now: StoredSchedule, twice: Sequence[PaintedTwice]) -> None:
        super().__init__(f"{len(twice)} days of schedule '{now.name}' were painted twice")
        self.now, self.twice = now, twice


async def save_painted(
    conn: Conn,
    account_id: str,
    name: str,
    days: PaintedDays,
    *,
    version: int,
    by: str,
    shifts: Sequence[NamedShift] = (),
    language: Language | None = None,
) -> ScheduleSaved:
    """Save these days, and add these shifts. version: that was looked at; of later ones everything else is kept. Raise PaintedByBoth,
    NothingOfThatName, ScheduleRefused, NotBoundTo; nothing is stored then."""
    async with conn.transaction():
        await rows.lock_account(conn, account_id)
        now = await the_schedule(conn, account_id, name)
        groups = {person.id: person.group for person in await stored_employees(conn, account_id)}
        seen = await schedule_at(conn, account_id, name, version)
        twice = painted_twice(seen, now.schedule, days, groups) if seen else []
        if twice:
            raise PaintedByBoth(now, twice)
        schedule = with_shifts(painted(now.schedule, days, groups), shifts)
        return await save_schedule(
            conn, account_id, name, schedule, by=by, version=now.version, language=language
        )


def with_shifts(schedule: Schedule, shifts: Sequence[NamedShift]) -> Schedule:
    """Add named shifts; one of the same letter takes the place of the earlier one, and of more than twelve the oldest go."""
    if not shifts:
        return schedule
    letters = {shift.letter for shift in shifts}
    kept = [shift for shift in schedule.shifts if shift.letter not in letters]
    return schedule.model_copy(update={"shifts": (*kept, *shifts)[-12:]})
