"""Who takes calls and deals right now: people by their state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.admin.presence.people import PersonNow, presence_now
from gateway.store.admin.accounts import Account
from gateway.web.words.sorting import by_name
from routing.attendance.model import Attendance, state_of
from routing.presence import PresenceState
from routing.staff import Employee
from runtime.database.pool import Conn

ORDER = (
    PresenceState.AVAILABLE,
    PresenceState.BUSY,
    PresenceState.DND,
    PresenceState.UNKNOWN,
    PresenceState.OFFLINE,
    PresenceState.OFF_SHIFT,
)
"""Who can take work first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonHere:
    """attendance: None = nothing is known. may_switch: by who looks."""

    employee: Employee
    state: PresenceState
    attendance: Attendance | None
    may_switch: bool

    @property
    def is_here(self) -> bool:
        return self.attendance is not None and self.attendance.is_here


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoIsHere:
    """doubt: why silence counts for nothing just now, "" = it counts."""

    is_on: bool
    doubt: str
    people: Sequence[PersonHere]

    def count(self, state: PresenceState) -> int:
        return sum(person.state is state for person in self.people)

    @property
    def states(self) -> Sequence[PresenceState]:
        """Return those that anybody is in, in order."""
        return tuple(state for state in ORDER if self.count(state))


async def who_is_here(conn: Conn, account: Account, now: datetime, may_switch: set[str] | None) -> WhoIsHere:
    """may_switch: ids of employees whose counter may be switched, None = everybody's."""
    found = await presence_now(conn, account, now)
    people = [_person(one, may_switch) for one in found.people]
    people.sort(key=lambda one: (ORDER.index(one.state), by_name(one.employee.name)))
    return WhoIsHere(is_on=found.is_on, doubt=found.doubt, people=people)


def _person(found: PersonNow, may_switch: set[str] | None) -> PersonHere:
    known = found.attendance
    return PersonHere(
        employee=found.employee,
        state=state_of(known) if known else PresenceState.UNKNOWN,
        attendance=known,
        may_switch=may_switch is None or found.employee.id in may_switch,
    )
