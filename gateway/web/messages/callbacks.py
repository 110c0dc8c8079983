"""Auto-callback: how many calls a minute go out, what waits and why, and taking it out of the queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from crm.store.clients import names_of_numbers
from gateway.admin.outbound.items import reason_in_words
from gateway.admin.outbound.queue import QueueSeen, clear_queue, queue_seen
from gateway.admin.outbound.settings import change_settings
from gateway.admin.refused import InputRefused
from gateway.store.outbound.items import OutboundItem
from gateway.store.outbound.listing import QueuePart, first_of_queue
from gateway.web.frame import AnyPageCall, Form, NoPageQuery, PageCall, SeeOther, Shown
from gateway.web.messages.seen import hidden_names
from gateway.web.messages.tabs import tabs_of
from routing.texts.catalogue import phrase
from runtime.database.pool import Conn

_PATH, SHOWN = "/messages", 20
Cleared = Literal["callback", "sms"]


class RateForm(Form):
    """As it was typed: what it cannot be is said at the field."""

    rate: str = ""


class ClearForm(Form):
    kind: Cleared = "callback"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartLine:
    """message: why these wait, or what they do."""

    part: QueuePart
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedLine:
    """One that waits or is under way. name: of the client, "" = not known. by: trigger or campaign. at: when it is looked at
    next, None = as soon as there is room. url: of the deal in the CRM."""

    item: OutboundItem
    name: str
    by: str
    message: str
    at: datetime | None
    url: str


async def callbacks(call: PageCall) -> Shown:
    return await _shown(call)


async def set_rate(call: PageCall[NoPageQuery, RateForm]) -> SeeOther | Shown:
    """Set it; one that is none is shown again with what is wrong about it, and nothing changes."""
    try:
        async with call.connection() as conn:
            now = await change_settings(conn, call.account.id, {"rate": call.form.rate})
    except InputRefused:
        return await _shown(call, typed=call.form.rate)
    said = phrase("messages.said.paused") if now.rate == 0 else phrase("messages.said.rate", rate=now.rate)
    return SeeOther(call.here(_PATH), said=said)


async def ask_to_clear(call: PageCall) -> Shown:
    return await _shown(call, "messages/clear.html")


async def clear(call: PageCall[NoPageQuery, ClearForm]) -> SeeOther:
    async with call.connection() as conn:
        count = await clear_queue(conn, call.account.id, call.form.kind)
    return SeeOther(call.here(_PATH), said=phrase("messages.said.cleared", n=count))


async def _shown(call: AnyPageCall, template: str = "", typed: str | None = None) -> Shown:
    """typed: a rate that was refused."""
    async with call.connection() as conn:
        seen = await queue_seen(conn, call.account.id, call.texts.language)
        queued = await _queued(conn, call, seen)
    values = {
        "tabs": tabs_of(call, "callbacks"),
        "seen": seen,
        "lines": _lines(call, seen),
        "queued": queued,
        "more": max(sum(part.items for part in seen.parts) - len(queued), 0),
        "waiting": {kind: _waiting(seen, kind) for kind in ("callback", "sms", "campaign")},
        "typed": typed,
    }
    template = template or ("messages/_callbacks.html" if call.is_fragment else "messages/callbacks.html")
    return Shown(template, values, status=200 if typed is None else 422)


def _lines(call: AnyPageCall, seen: QueueSeen) -> Sequence[PartLine]:
    return [
        PartLine(part=part, message=reason_in_words(part.kind, part.reason, call.texts, seen.gate))
        for part in seen.parts
    ]


async def _queued(conn: Conn, call: AnyPageCall, seen: QueueSeen) -> list[QueuedLine]:
    """Return the first of the queue: under way, then by when they are looked at next."""
    items = await first_of_queue(conn, call.account.id, limit=SHOWN)
    hidden = await hidden_names(call, conn)
    numbers = {item.client for item in items if item.client}
    names = await names_of_numbers(conn, call.account.id, numbers)
    found = []
    for item in items:
        by = item.campaign or str(item.order.get("trigger") or "")
        if by not in (*hidden.triggers, *hidden.campaigns) or not by:
            found.append(
                QueuedLine(
                    item=item,
                    name=names.get(item.client or "", ""),
                    by=by,
                    message=reason_in_words(item.kind, item.reason, call.texts, seen.gate),
                    at=max(
                        (at for at in (item.look_at, item.not_before) if at and at > call.now), default=None
                    ),
                    url=call.services.url_of(item.account_id, "deal", item.deal_id) if item.deal_id else "",
                )
            )
    return found


def _waiting(seen: QueueSeen, kind: str) -> int:
    return sum(part.items for part in seen.parts if part.kind == kind and part.state == "waiting")
