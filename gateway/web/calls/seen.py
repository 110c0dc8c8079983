"""Which calls a person may see: a manager's are those that the manager took part in."""

from __future__ import annotations

from dataclasses import replace

from gateway.admin.calls.journal import CallsAsked
from gateway.web.frame import AnyPageCall
from routing.client_work.values import CallRow
from routing.staff import Staff


def own_calls_only(call: AnyPageCall) -> bool:
    return call.who.role == "manager"


def of_oneself(call: AnyPageCall, asked: CallsAsked) -> CallsAsked | None:
    """Return what may be asked, None where there is nothing to see: a manager who is no employee took part in no call."""
    if not own_calls_only(call):
        return asked
    employee = call.who.bound.employee
    return replace(asked, employee=employee) if employee else None


def may_see_call(call: AnyPageCall, row: CallRow, staff: Staff) -> bool:
    if not own_calls_only(call):
        return True
    employee = call.who.bound.employee
    if row.people is not None:
        return employee in row.people
    parties = (*row.call.rung, *(talk.party for talk in row.call.talks))
    found = (staff.employee_at(party) for party in parties)
    return employee is not None and any(person is not None and person.id == employee for person in found)
