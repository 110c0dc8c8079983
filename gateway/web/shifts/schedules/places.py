"""Where the pages of schedules are, and who may open and change which."""

from __future__ import annotations

from urllib.parse import quote

from gateway.admin.refused import NothingOfThatName
from gateway.admin.schedules.saved import the_schedule
from gateway.store.admin.roles import Role
from gateway.store.admin.schedules import StoredSchedule
from gateway.web.frame import AnyPageCall, PageRefused, page_not_found
from gateway.web.shifts.tabs import SCHEDULES
from routing.schedules.checks import people_inside
from routing.schedules.model import Schedule
from routing.staff import Staff
from runtime.database.pool import Conn

EDITS: Role = "senior_manager"


def place_of(name: str) -> str:
    return f"{SCHEDULES}/{quote(name, safe='')}"


def may_edit(call: AnyPageCall, name: str) -> bool:
    return call.may(EDITS, schedule=name)


def may_see(call: AnyPageCall, name: str, schedule: Schedule, staff: Staff) -> bool:
    """Whether somebody may look at it: managers at what they work by or are bound to, others at all that they are not kept from."""
    if not call.may("read_only", schedule=name):
        return False
    if call.who.role != "manager" or name in call.who.bound.schedules:
        return True
    inside = people_inside(schedule, {person.id: person.group for person in staff.employees})
    return inside is None or call.who.bound.employee in inside


async def seen_schedule(conn: Conn, call: AnyPageCall, staff: Staff) -> StoredSchedule:
    """Return the schedule of the path. Raise PageRefused."""
    try:
        stored = await the_schedule(conn, call.account.id, call.path["schedule"])
    except NothingOfThatName as err:
        raise page_not_found("schedule") from err
    if not may_see(call, stored.name, stored.schedule, staff):
        raise PageRefused(403, "not-their-schedule")
    return stored
