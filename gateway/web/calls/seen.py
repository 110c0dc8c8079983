"""Which calls a person may see: a manager's are those that the manager took part in, and missed ones that are theirs to return."""

from __future__ import annotations

from dataclasses import replace

from gateway.admin.calls.journal import CallsAsked
from gateway.store.calls.missed_calls import cases_of_client
from gateway.web.frame import AnyPageCall, PageRefused, page_not_found
from gateway.web.missed.whose import owner_of
from routing.client_work.values import CallRow
from routing.staff import Staff
from runtime.database.pool import Conn


def own_calls_only(call: AnyPageCall) -> bool:
    return call.who.role == "manager"


def of_oneself(call: AnyPageCall, asked: CallsAsked) -> CallsAsked | None:
    """Return what may be asked, None where there is nothing to see: a manager who is no employee took part in no call."""
    if not own_calls_only(call):
        return asked
    employee = call.who.bound.employee
    return replace(asked, employee=employee) if employee else None


async def may_see_call(call: AnyPageCall, conn: Conn, row: CallRow, staff: Staff) -> bool:
    if not own_calls_only(call) or _took_part(call, row, staff):
        return True
    owner = owner_of(call)
    if row.client is None or owner is None:
        return False
    cases = await cases_of_client(conn, row.account_id, row.client)
    return any(case.owner_id == owner and row.call_id in case.missed_calls for case in cases)


def no_call_to_see(call: AnyPageCall) -> PageRefused:
    """Whoever sees their own only is not told whether there is one of others."""
    return PageRefused(404, "no-own-call") if own_calls_only(call) else page_not_found("call")


def _took_part(call: AnyPageCall, row: CallRow, staff: Staff) -> bool:
    employee = call.who.bound.employee
    if row.people is not None:
        return employee in row.people
    parties = (*row.call.rung, *(talk.party for talk in row.call.talks))
    found = (staff.employee_at(party) for party in parties)
    return employee is not None and any(person is not None and person.id == employee for person in found)
