"""Texts that went out or are going to: to whom, what became of each and why, by which trigger; as a page and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from aiohttp import web

from gateway.admin.sms.words import why_in_words
from gateway.configuration import policy_of
from gateway.store.admin.staff import staff_of
from gateway.store.outbound.items import OutboundItem, items_named
from gateway.store.sms.connections import SavedSmsConnection, sms_connections
from gateway.store.sms.listing import SmsFilter, listed_sms
from gateway.store.sms.messages import SmsMessageRow
from gateway.store.sms.waiting import WaitingFilter, waiting_texts
from gateway.web.frame import AnyPageCall, PageCall, PageQuery, SeeOther, Shown
from gateway.web.messages.seen import hidden_names
from gateway.web.messages.tabs import tabs_of
from gateway.web.messages.waiting_lines import Stuck, WaitingText, waiting_lines, why_stuck
from gateway.web.words.spreadsheet import BEGIN, written
from routing.numbers.normalise import PublicNumber, normalise
from runtime.database.pool import Conn
from sms.model import SmsState

PATH = "/messages/texts"
_ROWS, _MOST = 50, 10_000
_TONES: Mapping[SmsState, str] = {
    SmsState.DELIVERED: "good",
    SmsState.SENT: "good",
    SmsState.ACCEPTED: "good",
    SmsState.UNDELIVERED: "bad",
    SmsState.REJECTED: "bad",
    SmsState.EXPIRED: "warn",
    SmsState.UNKNOWN: "warn",
}
_COLUMNS = ("at", "to", "number", "text", "state", "by", "deal", "provider", "parts", "price")


class TextsQuery(PageQuery):
    """q: a number in any spelling. before_at, before_id: of the page before, its last row."""

    q: str = ""
    state: SmsState | None = None
    provider: str = ""
    deal: str = ""
    before_at: datetime | None = None
    before_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLine:
    """to: the employee, "" = the client. number: as it may be seen. state: with why, in words. by: the trigger, "" = none.
    stuck: it waits for somebody. url: of the deal in the CRM."""

    row: SmsMessageRow
    to: str
    number: str
    state: str
    tone: str
    by: str
    is_test: bool
    stuck: Stuck | None
    url: str


async def sent_texts(call: PageCall[TextsQuery, None]) -> Shown:
    query = call.query
    async with call.connection() as conn:
        wanted, error = await _wanted(conn, call, query)
        rows = [] if error else await listed_sms(conn, call.account.id, wanted, limit=_ROWS + 1)
        providers = {saved.name: saved for saved in await sms_connections(conn, call.account.id)}
        lines = await _lines(conn, call, rows[:_ROWS], providers)
        waiting = [] if error else await _waiting(conn, call, wanted, providers)
    kept = {"q": query.q, "state": query.state, "provider": query.provider, "deal": query.deal}
    last = rows[_ROWS - 1] if len(rows) > _ROWS else None
    place = {"before_at": last.created_at.isoformat(), "before_id": last.own_id} if last else {}
    values = {
        "tabs": tabs_of(call, "texts"),
        "lines": lines,
        "waiting": waiting[:_ROWS],
        "has_more_waiting": len(waiting) > _ROWS,
        "query": query,
        "error": error,
        "states": [(state.value, call.texts.word("sms.state", state)) for state in SmsState],
        "providers": [(name, name) for name in providers],
        "older": call.here(PATH, **kept, **place) if place else "",
        "newest": call.here(PATH, **kept) if query.before_at else "",
        "table_address": call.here(f"{PATH}.csv", **kept),
        "is_filtered": any(kept.values()),
    }
    return Shown("messages/texts.html", values, status=422 if error else 200)


async def _wanted(conn: Conn, call: AnyPageCall, query: TextsQuery) -> tuple[SmsFilter, str]:
    """Return the filter, and what is wrong with the number."""
    number = None
    if query.q.strip():
        read = normalise(query.q, await policy_of(conn, call.account.id))
        if not isinstance(read, PublicNumber):
            return SmsFilter(), call.texts.say("messages.texts.no_number", typed=query.q)
        number = read.e164
    is_placed = query.before_at is not None and query.before_id is not None
    return SmsFilter(
        number=number,
        state=query.state,
        connection=query.provider or None,
        deal_id=query.deal.strip() or None,
        after=(query.before_at, query.before_id) if is_placed else None,  # type: ignore[arg-type]
    ), ""


async def _waiting(
    conn: Conn, call: AnyPageCall, wanted: SmsFilter, providers: Mapping[str, SavedSmsConnection]
) -> list[WaitingText]:
    """Return those that wait to be written, on the newest page: of them nothing is told but that they wait."""
    if wanted.after is not None or wanted.state not in (None, SmsState.QUEUED):
        return []
    of = WaitingFilter(deal_id=wanted.deal_id, number=wanted.number, provider=wanted.connection)
    items = await waiting_texts(conn, call.account.id, of, limit=_ROWS + 1)
    return waiting_lines(call, items, providers, (await hidden_names(call, conn)).triggers)


async def _lines(
    conn: Conn,
    call: AnyPageCall,
    rows: Sequence[SmsMessageRow],
    providers: Mapping[str, SavedSmsConnection],
) -> list[TextLine]:
    """Return what the person may see of them: who is bound to templates sees nothing of triggers that ring by others."""
    items = await items_named(conn, call.account.id, {row.item_id for row in rows if row.item_id})
    staff = await staff_of(conn, call.account.id)
    names = {person.id: person.name for person in staff.employees}
    hidden = (await hidden_names(call, conn)).triggers
    lines = [_line(call, row, items.get(row.item_id or ""), names, providers) for row in rows]
    return [line for line in lines if line.by not in hidden]


def _line(
    call: AnyPageCall,
    row: SmsMessageRow,
    item: OutboundItem | None,
    names: Mapping[str, str],
    providers: Mapping[str, SavedSmsConnection],
) -> TextLine:
    is_waiting = row.state == SmsState.QUEUED
    return TextLine(
        row=row,
        to=names.get(row.employee_id, row.employee_id) if row.employee_id else "",
        number=call.words.phone(row.number),
        state=why_in_words(row, call.texts),
        tone=_TONES.get(SmsState(row.state), ""),
        by=str(item.order.get("trigger") or "") if item else "",
        is_test=row.item_id is None,
        stuck=why_stuck(row.connection, providers.get(row.connection), call) if is_waiting else None,
        url=call.services.url_of(row.account_id, "deal", row.deal_id) if row.deal_id else "",
    )


async def texts_csv(call: PageCall[TextsQuery, None]) -> web.Response | SeeOther:
    """All that the filter finds, whichever page of it is looked at; what is wrong with it is said on the page."""
    async with call.connection() as conn:
        wanted, error = await _wanted(conn, call, call.query)
        if error:
            return SeeOther(f"{PATH}?{call.request.query_string}")
        rows = await listed_sms(conn, call.account.id, wanted, limit=_MOST)
        providers = {saved.name: saved for saved in await sms_connections(conn, call.account.id)}
        lines = await _lines(conn, call, rows, providers)
    heads = [call.texts.say(f"messages.texts.column.{name}") for name in _COLUMNS]
    body = BEGIN + written([heads, *(_cells(call, line) for line in lines)], call.texts.language)
    headers = {"Content-Disposition": f'attachment;filename="texts-{call.words.iso(call.now)[:10]}.csv"'}
    return web.Response(body=body, content_type="text/csv", charset="utf-8", headers=headers)


def _cells(call: AnyPageCall, line: TextLine) -> Sequence[str]:
    """Return the cells in the order of the heads."""
    row = line.row
    whole = (row.number or "") if call.words.sees_numbers else line.number
    price: Decimal | str = "" if row.price is None else row.price
    return (
        row.created_at.astimezone(call.zone).strftime("%Y-%m-%d %H:%M:%S"),
        line.to or call.texts.say("messages.texts.tested" if line.is_test else "sms.client"),
        whole,
        call.words.text(row.text),
        line.state,
        line.by or (call.texts.say("messages.texts.test") if line.is_test else ""),
        row.deal_id or "",
        row.connection,
        str(row.parts),
        str(price),
    )
