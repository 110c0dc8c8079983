"""Missed calls: who is to be called back first, what was closed, and how long clients wait."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from gateway.admin.calls import missed as service
from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.decisions.names_then import names_now
from gateway.store.calls.case_lists import cases_by_owner, waited, waiting_count
from gateway.store.calls.missed_calls import case_figures
from gateway.web.charts.bars import BarLine
from gateway.web.charts.bars import lines as bar_lines
from gateway.web.frame import (
    AnyPageCall,
    Form,
    NoPageQuery,
    PageAnswer,
    PageCall,
    PageQuery,
    PageRefused,
    PageRoute,
    SeeOther,
    Shown,
    page_not_found,
)
from gateway.web.missed.calling import around_of, why_no_call_back
from gateway.web.missed.lines import closed_lines, missed_lines
from gateway.web.missed.query import MissedQuery, is_wanted
from gateway.web.missed.reading import beside, closed_with_names, waiting_cases
from gateway.web.missed.table import missed_csv
from gateway.web.missed.whose import employee_of, may_touch, owner_of, why_none_is_theirs
from gateway.web.words.clients import name_or_number
from routing.missed_calls import Case
from routing.texts.catalogue import phrase

_PAGE = 50
_CLOSED_TODAY = 4
_WEEK = timedelta(days=7)
_BOUNDS = (5 * 60, 15 * 60, 30 * 60, 60 * 60)
_FILLS = ("good", "good", "good", "warn", "bad")


class ClosedQuery(PageQuery):
    before: datetime | None = None


class WaitsQuery(PageQuery):
    days: Literal["7", "30"] = "7"


class CloseForm(Form):
    note: str = ""


async def missed(call: PageCall[MissedQuery, None]) -> PageAnswer:
    values = await _waiting(call)
    if call.is_fragment:
        return Shown("missed/_waiting.html", values)
    closed, names, people = await closed_with_names(call, limit=_CLOSED_TODAY)
    return Shown(
        "missed/missed.html",
        {
            **values,
            "closed": closed_lines(closed, names, people, call.words),
            **await _waits(call, _WEEK),
        },
    )


async def _waiting(call: PageCall[MissedQuery, None]) -> Mapping[str, Any]:
    found = await waiting_cases(call)
    touchable = frozenset(case.id for case, _ in found if may_touch(call, case))
    async with call.connection() as conn:
        known = await beside(conn, call, [case for case, _ in found])
    every = missed_lines(found, known, touchable, call.words)
    wanted = [line for line in every if is_wanted(line, call.query)]
    start = max(0, min(call.query.start, max(0, len(wanted) - 1)))
    person = employee_of(call)
    return {
        "every": every,
        "lines": wanted[start : start + _PAGE],
        "found": len(wanted),
        "start": start,
        "size": _PAGE,
        "overdue": sum(line.overdue is not None for line in every),
        "new": sum(line.is_new for line in every),
        "lines_known": sorted({(line.line, line.line) for line in every if line.line}),
        "people_known": sorted({(line.person_id or "", line.person) for line in every if line.person}),
        "can_call": why_no_call_back(call, person) is None,
        "own_user": person.crm_user_id if person else None,
        "can_take": person is not None and bool(person.crm_user_id),
        "none_because": why_none_is_theirs(call),
        "url_of": call.services.url_of,
        "q": call.query,
    }


async def closed(call: PageCall[ClosedQuery, None]) -> PageAnswer:
    found, names, people = await closed_with_names(call, limit=_PAGE + 1, before=call.query.before)
    shown = found[:_PAGE]
    older = shown[-1].closed_at.isoformat() if len(found) > _PAGE else None
    lines = closed_lines(shown, names, people, call.words)
    values = {"lines": lines, "older": older, "before": call.query.before}
    return Shown("missed/closed.html", {**values, "none_because": why_none_is_theirs(call)})


async def waits(call: PageCall[WaitsQuery, None]) -> PageAnswer:
    since = timedelta(days=int(call.query.days))
    async with call.connection() as conn:
        owners = await cases_by_owner(conn, call.account.id, call.now - since, call.now, owner_of(call))
        people = await names_now(conn, call.account.id)
    return Shown(
        "missed/waits.html",
        {
            **await _waits(call, since),
            "owners": owners,
            "people": people,
            "days": int(call.query.days),
        },
    )


async def _waits(call: AnyPageCall, days: timedelta) -> Mapping[str, Any]:
    account_id, owner = call.account.id, owner_of(call)
    async with call.connection() as conn:
        counts = await waited(conn, account_id, call.now - days, _BOUNDS, owner)
        figures = await case_figures(conn, account_id, since=call.now - days, now=call.now)
    texts = call.texts
    named = [texts.say(f"missed.bucket.{at}") for at in range(len(counts))]
    bars = [
        BarLine(name, float(count), call.words.count(count), fill)  # type: ignore[arg-type]
        for name, count, fill in zip(named, counts, _FILLS, strict=True)
    ]
    label = ", ".join(f"{name}: {count}" for name, count in zip(named, counts, strict=True))
    return {
        "drawing": bar_lines(bars, label),
        "buckets": list(zip(named, counts, strict=True)),
        "usual": None if owner else figures.median_seconds,
        "closed_count": sum(counts),
    }


async def count(call: PageCall) -> PageAnswer:
    """How many wait, for the navigation."""
    async with call.connection() as conn:
        found = await waiting_count(conn, call.account.id, owner_of(call))
    return Shown("missed/_count.html", {"count": found})


async def close_question(call: PageCall) -> PageAnswer:
    case = await _case(call)
    return Shown("missed/close.html", await _question(call, case))


async def close(call: PageCall[NoPageQuery, CloseForm]) -> PageAnswer:
    case = await _case(call)
    try:
        async with call.services.pool.acquire() as conn, conn.transaction():
            await service.close_case(
                conn, call.services.client_job, call.account.id, case.id, call.who.name, call.form.note
            )
    except service.CaseClosed:
        return SeeOther(call.here("/missed"), said=phrase("missed.said.closed_already"))
    except InputRefused as err:
        values = await _question(call, case)
        return Shown("missed/close.html", {**values, "note": call.form.note, "error": err.field}, status=422)
    return SeeOther(call.here("/missed"), said=phrase("missed.said.closed"))


async def take(call: PageCall) -> PageAnswer:
    case, person = await _case(call), employee_of(call)
    if person is None or not person.crm_user_id:
        raise PageRefused(422, "case-no-employee")
    try:
        async with call.services.pool.acquire() as conn, conn.transaction():
            await service.take_case(conn, call.services.client_job, call.account.id, case.id, person)
    except service.CaseClosed:
        return SeeOther(call.here("/missed"), said=phrase("missed.said.closed_already"))
    return SeeOther(call.here("/missed"), said=phrase("missed.said.taken"))


async def call_back(call: PageCall) -> PageAnswer:
    case, person = await _case(call), employee_of(call)
    why_not = why_no_call_back(call, person)
    around = around_of(call)
    if why_not is not None or person is None or around is None:
        raise PageRefused(422, f"call-back-{(why_not or 'no_extension').replace('_', '-')}")
    try:
        async with call.services.pool.acquire() as conn, conn.transaction():
            until = await service.call_back(conn, around, case.id, person, call.now)
    except service.CallBackWaits:
        return SeeOther(call.here("/missed"), said=phrase("missed.said.called_already"))
    return SeeOther(call.here("/missed"), said=phrase("missed.said.called", until=call.words.clock(until)))


async def stop_call(call: PageCall) -> PageAnswer:
    case = await _case(call)
    async with call.services.pool.acquire() as conn, conn.transaction():
        was_there = await service.stop_call_back(conn, call.account.id, case.id, call.now)
    said = phrase("missed.said.stopped" if was_there else "missed.said.stopped_already")
    return SeeOther(call.here("/missed"), said=said)


async def _case(call: AnyPageCall) -> Case:
    """Return the case of the address if the person may touch it; else it is as good as none."""
    try:
        async with call.connection() as conn:
            case = await service.the_case(conn, call.account.id, call.path["case"])
    except NothingOfThatName as err:
        raise page_not_found("case") from err
    if not may_touch(call, case):
        raise page_not_found("case")
    return case


async def _question(call: AnyPageCall, case: Case) -> Mapping[str, Any]:
    async with call.connection() as conn:
        known = await beside(conn, call, [case])
    name = known.names.get(case.client)
    return {
        "case_id": case.id,
        "client": name_or_number(name, case.client, call.words),
        "note": "",
        "error": "",
    }


_POST = ("close", close), ("take", take), ("call", call_back), ("stop", stop_call)
PAGES: tuple[PageRoute, ...] = (
    PageRoute(method="GET", path="/missed", handler=missed, role="read_only", entry="missed"),
    PageRoute(method="GET", path="/missed/csv", handler=missed_csv, role="read_only", entry="missed"),
    PageRoute(method="GET", path="/missed/count", handler=count, role="read_only", entry="missed"),
    PageRoute(method="GET", path="/missed/closed", handler=closed, role="read_only", entry="missed"),
    PageRoute(method="GET", path="/missed/waits", handler=waits, role="read_only", entry="missed"),
    PageRoute(
        method="GET", path="/missed/{case}/close", handler=close_question, role="manager", entry="missed"
    ),
    *(
        PageRoute(
            method="POST", path=f"/missed/{{case}}/{name}", handler=handler, role="manager", entry="missed"
        )
        for name, handler in _POST
    ),
)
