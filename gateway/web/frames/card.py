"""Beside a card of the CRM: calls of its numbers, who waits for a call, and the way to call back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from crm.store.clients import entities_of, numbers_of_entity
from gateway.admin.calls import missed as service
from gateway.admin.calls.journal import CallsAsked, call_filter
from gateway.admin.refused import InputRefused
from gateway.decisions.names_then import names_now
from gateway.store.calls.journal import page_of
from gateway.store.calls.missed_calls import open_case
from gateway.web.calls.journal.lines import CallLine
from gateway.web.calls.journal.listed import shown_lines
from gateway.web.calls.seen import of_oneself
from gateway.web.dialogs.beginning import new_dialogue_hrefs
from gateway.web.frame import (
    AnyPageCall,
    Form,
    Framed,
    PageAnswer,
    PageCall,
    PageQuery,
    PageRefused,
    SeeOther,
    Shown,
)
from gateway.web.missed.calling import around_of, why_no_call_back
from gateway.web.missed.whose import employee_of, may_touch, owner_of
from gateway.web.now.reading import waited
from routing.missed_calls import Case
from runtime.database.pool import Conn

_CALLS, _NUMBERS = 10, 10
PATH = "/frame/card"

Said = Literal["called", "waits"]


class CardQuery(PageQuery):
    """said: what came of calling back."""

    said: Said | None = None


class CallBackForm(Form):
    case: str = ""


def framed_of(call: AnyPageCall) -> Framed:
    assert call.framed is not None, "the page is opened within the CRM only"
    return call.framed


async def show(call: PageCall[CardQuery, None]) -> Shown:
    token = framed_of(call).token
    kind, id = token.kind or "", token.entity_id or ""
    async with call.connection() as conn:
        numbers = (await numbers_of_entity(conn, call.account.id, kind, id))[:_NUMBERS]
        entity = (await entities_of(conn, call.account.id, [(kind, id)])).get((kind, id))
        people = await names_now(conn, call.account.id)
        calls = await _calls(call, conn, numbers)
        cases = await _cases(call, conn, numbers)
    owner = entity.owner_id if entity else None
    writes = await new_dialogue_hrefs(call, numbers)
    values: Mapping[str, Any] = {
        "entity": entity,
        "name": call.words.text(entity.name) if entity else "",
        "owner": people.user(owner) if owner else "",
        "owner_id": owner,
        "numbers": numbers,
        "calls": calls,
        "writes": [(call.words.phone(number), href) for number, href in writes.items()],
        "cases": [(case, waited(case, call.account, call.now), may_touch(call, case)) for case in cases],
        "can_call": why_no_call_back(call, employee_of(call)) is None,
        "said": call.query.said,
    }
    return Shown("frames/card.html", values)


async def _calls(call: AnyPageCall, conn: Conn, numbers: Sequence[str]) -> Sequence[CallLine]:
    """Return the latest that the person may see."""
    asked = of_oneself(call, CallsAsked())
    if asked is None or not numbers:
        return ()
    policy = call.services.configuration.now.policy_of(call.account.id)
    try:
        wanted = await call_filter(conn, call.account, policy, asked)
    except InputRefused:
        return ()  # bound to an employee who is gone
    rows = await page_of(conn, call.account.id, replace(wanted, clients=tuple(numbers)), limit=_CALLS)
    return await shown_lines(call, conn, rows)


async def _cases(call: AnyPageCall, conn: Conn, numbers: Sequence[str]) -> Sequence[Case]:
    found = [await open_case(conn, call.account.id, number) for number in numbers]
    owner = owner_of(call)
    return [case for case in found if case is not None and owner in (None, case.owner_id)]


async def call_back(call: PageCall[PageQuery, CallBackForm]) -> PageAnswer:
    """Order it once: whoever presses twice is told that the client waits already."""
    token, person, around = framed_of(call).token, employee_of(call), around_of(call)
    async with call.connection() as conn:
        numbers = await numbers_of_entity(conn, call.account.id, token.kind or "", token.entity_id or "")
        cases = await _cases(call, conn, numbers)
    case = next((one for one in cases if one.id == call.form.case and may_touch(call, one)), None)
    if case is None:
        raise PageRefused(404, "no-such-case")
    why_not = why_no_call_back(call, person)
    if why_not is not None or person is None or around is None:
        raise PageRefused(422, f"call-back-{(why_not or 'no_extension').replace('_', '-')}")
    said: Said = "called"
    try:
        async with call.services.pool.acquire() as conn, conn.transaction():
            await service.call_back(conn, around, case.id, person, call.now)
    except service.CallBackWaits:
        said = "waits"
    return SeeOther(call.here(PATH, said=said))
