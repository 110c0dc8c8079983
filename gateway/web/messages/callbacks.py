"""Auto-callback: how many calls a minute go out, what waits and why, and taking it out of the queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.admin.outbound.items import reason_in_words
from gateway.admin.outbound.queue import QueueSeen, clear_queue, queue_seen
from gateway.admin.outbound.settings import change_settings
from gateway.admin.refused import InputRefused
from gateway.store.outbound.listing import QueuePart
from gateway.web.frame import AnyPageCall, Form, NoPageQuery, PageCall, SeeOther, Shown
from gateway.web.messages.tabs import tabs_of
from routing.texts.catalogue import phrase

_PATH = "/messages"
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
    values = {
        "tabs": tabs_of(call, "callbacks"),
        "seen": seen,
        "lines": _lines(call, seen),
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


def _waiting(seen: QueueSeen, kind: str) -> int:
    return sum(part.items for part in seen.parts if part.kind == kind and part.state == "waiting")
