"""Whose missed calls somebody sees, and may touch: a manager's are their own."""

from __future__ import annotations

from gateway.web.frame import AnyPageCall
from routing.missed_calls import Case
from routing.staff import Employee

NOBODY = "-"
"""In place of a user of the CRM: of a manager who is none. No case is theirs."""


def employee_of(call: AnyPageCall) -> Employee | None:
    """Return who is signed in, as one of the employees."""
    staff = call.services.configuration.now.staff[call.account.id]
    return staff.by_id.get(call.who.bound.employee or "")


def owner_of(call: AnyPageCall) -> str | None:
    """Return the CRM user whose cases only are shown, None = everybody's."""
    if call.who.role != "manager":
        return None
    person = employee_of(call)
    return (person.crm_user_id if person else None) or NOBODY


def why_none_is_theirs(call: AnyPageCall) -> str | None:
    """Return why no missed call can be this person's, as the end of a sentence's key; None: some may be."""
    if call.who.role != "manager" or owner_of(call) != NOBODY:
        return None
    return "no_crm_user" if employee_of(call) else "no_employee"


def may_touch(call: AnyPageCall, case: Case) -> bool:
    """Tell whether the person may: managers what is theirs, who only looks nothing."""
    if not call.who.may("manager"):
        return False
    owner = owner_of(call)
    return owner is None or case.owner_id == owner
