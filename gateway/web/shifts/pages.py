"""Shifts: who is here, when somebody was, and schedules."""

from __future__ import annotations

from datetime import timedelta

from gateway.admin.presence.people import online_seconds, person_now, presence_history, switch_presence
from gateway.admin.refused import NothingOfThatName
from gateway.store.admin.bindings import why_not
from gateway.web.frame import (
    AnyPageCall,
    Form,
    NoPageQuery,
    PageCall,
    PageQuery,
    PageRefused,
    PageRoute,
    SeeOther,
    Shown,
    page_not_found,
)
from gateway.web.shifts.schedules.routes import PAGES as SCHEDULE_PAGES
from gateway.web.shifts.tabs import tabs_of
from gateway.web.shifts.who_is_here import who_is_here
from routing.texts.catalogue import phrase

_MOST_DAYS, _ROWS = 92, 100


class HistoryQuery(PageQuery):
    """days: back from now. before: the interval that the page before ended with."""

    days: int = 7
    before: int | None = None


class SwitchForm(Form):
    is_here: bool


async def who(call: PageCall) -> Shown:
    template = "shifts/_people.html" if call.is_fragment else "shifts/who_is_here.html"
    async with call.connection() as conn:
        found = await who_is_here(conn, call.account, call.now, _switchable(call))
    return Shown(template, {"here_now": found, "tabs_shown": tabs_of(call, "who")})


async def switch(call: PageCall[NoPageQuery, SwitchForm]) -> SeeOther:
    employee = call.path["employee"]
    bar = why_not(call.who.role, call.who.bound, "senior_manager", employee=employee, counter=employee)
    if bar is not None:
        raise PageRefused(403, "not-their-counter")
    async with call.connection() as conn:
        person = await switch_presence(conn, call.account, employee, call.now, is_on=call.form.is_here)
    said = "shifts.said.here" if call.form.is_here else "shifts.said.away"
    return SeeOther(call.here("/shifts"), said=phrase(said, name=person.employee.name))


async def history(call: PageCall[HistoryQuery, None]) -> Shown:
    employee, query = call.path["employee"], call.query
    days = min(max(query.days, 1), _MOST_DAYS)
    since = call.now - timedelta(days=days)
    async with call.connection() as conn:
        try:
            person = await person_now(conn, call.account, employee)
        except NothingOfThatName as err:
            raise page_not_found("employee") from err
        spent = await presence_history(
            conn, call.account, employee, since, call.now, before=query.before, limit=_ROWS
        )
    values = {
        "person": person,
        "spent": spent,
        "days": days,
        "older": spent[-1].interval_id if len(spent) == _ROWS else None,
        "seconds": online_seconds(spent, since, call.now, call.now),
    }
    return Shown("shifts/history.html", values)


def _switchable(call: AnyPageCall) -> set[str] | None:
    """Return whose counter this person may switch, None = everybody's."""
    if call.who.bound.counters:
        return set(call.who.bound.counters)
    own = {call.who.bound.employee} if call.who.bound.employee else set()
    return None if call.may("senior_manager") else own


PAGES: tuple[PageRoute, ...] = (
    PageRoute(method="GET", path="/shifts", handler=who, role="read_only", entry="shifts"),
    PageRoute(
        method="POST", path="/shifts/people/{employee}/here", handler=switch, role="read_only", entry="shifts"
    ),
    PageRoute(
        method="GET",
        path="/shifts/people/{employee}",
        handler=history,
        role="senior_manager",
        entry="shifts",
        is_ones_own=True,
    ),
    *SCHEDULE_PAGES,
)
