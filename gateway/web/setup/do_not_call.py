"""Numbers that are neither called nor written to: found, added one by one or as a list, taken off with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.admin.outbound import do_not_call as service
from gateway.admin.refused import InputRefused
from gateway.store.campaigns.campaigns import campaigns_of
from gateway.store.outbound.do_not_call import DoNotCallRow, DoNotCallSource
from gateway.web.frame import AnyPageCall, Form, PageAnswer, PageCall, PageQuery, SeeOther, Shown
from gateway.web.messages.campaigns.shown import is_seen
from gateway.web.setup.refusals import errors_of
from gateway.web.setup.tabs import tabs_of
from routing.texts.catalogue import phrase

_PAGE = 50
_SHORTEST_REASON = 3
PATH = "/setup/do-not-call"


class DoNotCallPageQuery(PageQuery):
    """q: a number in any spelling, a part of one or of a note. since, number, campaign: of the last row of the page before."""

    q: str = ""
    source: DoNotCallSource | None = None
    since: datetime | None = None
    number: str = ""
    campaign: str = ""


class NumberForm(Form):
    number: str = ""
    campaign: str = ""
    note: str = ""


class NumbersForm(Form):
    """text: a number a line, or a table with numbers first."""

    text: str = ""
    campaign: str = ""


async def show(call: PageCall[DoNotCallPageQuery, None]) -> Shown:
    return await _page(call, call.query)


async def _page(
    call: AnyPageCall, query: DoNotCallPageQuery, errors: Mapping[str, str] | None = None, **more: Any
) -> Shown:
    after = (query.since, query.number, query.campaign) if query.since else None
    async with call.connection() as conn:
        found = await service.listed_numbers(
            conn,
            call.account.id,
            search=query.q or None,
            source=query.source,
            after=after,
            limit=_PAGE + 1,
        )
        campaigns = [
            (row.name, row.name) for row in await campaigns_of(conn, call.account.id) if is_seen(call, row)
        ]
    shown = found[:_PAGE]
    values = {
        "tabs": tabs_of(call, "do_not_call"),
        "found": shown,
        "query": query,
        "older": _older(call, query, shown[-1]) if len(found) > _PAGE else "",
        "newest": call.here(PATH, q=query.q, source=query.source) if after else "",
        "typed": {},
        "errors": errors or {},
        "campaigns": campaigns,
        "imported": None,
        "to_remove": None,
    }
    return Shown("setup/do_not_call.html", {**values, **more}, status=422 if errors else 200)


def _older(call: AnyPageCall, query: DoNotCallPageQuery, last: DoNotCallRow) -> str:
    place = {"since": last.since.isoformat(), "number": last.number, "campaign": last.campaign}
    return call.here(PATH, q=query.q, source=query.source, **place)


async def add(call: PageCall[PageQuery, NumberForm]) -> PageAnswer:
    form = call.form
    async with call.connection() as conn:
        try:
            done = await service.add_number(
                conn,
                call.account.id,
                form.number.strip(),
                campaign=form.campaign.strip(),
                note=form.note.strip(),
                by=call.who.name,
            )
        except InputRefused as err:
            errors = errors_of(err, call.texts, "do_not_call")
            return await _page(call, DoNotCallPageQuery(), errors, typed=form.model_dump())
    said = "added" if done.is_new else "there"
    return SeeOther(call.here(PATH), said=phrase(f"setup.dnc.said.{said}", dropped=done.dropped))


async def add_all(call: PageCall[PageQuery, NumbersForm]) -> PageAnswer:
    """Answer with the page, now with what became of each line."""
    async with call.connection() as conn:
        try:
            done = await service.import_numbers(
                conn, call.account.id, call.form.text, campaign=call.form.campaign.strip(), by=call.who.name
            )
        except InputRefused as err:
            errors = errors_of(err, call.texts, "do_not_call")
            return await _page(call, DoNotCallPageQuery(), errors, typed=call.form.model_dump())
    return await _page(call, DoNotCallPageQuery(), imported=done)


async def remove(call: PageCall[PageQuery, NumberForm]) -> PageAnswer:
    """Take one entry off, once it is said why; asked without a reason, show the question."""
    form, note = call.form, call.form.note.strip()
    if len(note) < _SHORTEST_REASON:
        errors = {"why": call.texts.say("setup.dnc.why_missing")} if "note" in form.model_fields_set else {}
        return await _page(call, DoNotCallPageQuery(), errors, to_remove=form)
    async with call.connection() as conn:
        try:
            await service.remove_number(conn, call.account.id, form.number, campaign=form.campaign, note=note)
        except service.NotOnList:
            return SeeOther(call.here(PATH), said=phrase("setup.dnc.said.gone"))
        except InputRefused as err:
            errors = {"why": errors_of(err, call.texts, "do_not_call").get(err.field, err.message)}
            return await _page(call, DoNotCallPageQuery(), errors, to_remove=form)
    return SeeOther(call.here(PATH), said=phrase("setup.dnc.said.removed"))
