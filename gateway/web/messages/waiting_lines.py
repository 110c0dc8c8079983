"""Texts that are not written yet: why each waits, and what a person does about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from gateway.admin.outbound.items import reason_in_words
from gateway.store.outbound.items import OutboundItem
from gateway.store.sms.connections import SavedSmsConnection
from gateway.web.frame import AnyPageCall
from sms.kinds import SMS_KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingText:
    """number: as it may be seen, "" = not chosen yet. by: the trigger. todo: "" = it goes out by itself. mended_at: where the
    person does it, "" = others do."""

    item: OutboundItem
    number: str
    by: str
    provider: str
    why: str
    todo: str
    mended_at: str
    url: str


def waiting_lines(
    call: AnyPageCall,
    items: Sequence[OutboundItem],
    providers: Mapping[str, SavedSmsConnection],
    hidden: Collection[str],
) -> list[WaitingText]:
    lines = [_line(call, item, providers) for item in items]
    return [line for line in lines if line.by not in hidden]


def _line(call: AnyPageCall, item: OutboundItem, providers: Mapping[str, SavedSmsConnection]) -> WaitingText:
    name = str(item.action.get("provider", ""))
    stuck = why_stuck(name, providers.get(name), call)
    return WaitingText(
        item=item,
        number=call.words.phone(item.client) if item.client else "",
        by=str(item.order.get("trigger") or ""),
        provider=name,
        why=stuck.why if stuck else reason_in_words(item.kind, item.reason, call.texts),
        todo=stuck.todo if stuck else "",
        mended_at=stuck.mended_at if stuck else "",
        url=call.services.url_of(item.account_id, "deal", item.deal_id) if item.deal_id else "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """Why nothing goes out until somebody acts, and what is done. mended_at: the page for it, "" = it is none of this person's."""

    why: str
    todo: str
    mended_at: str


def why_stuck(name: str, saved: SavedSmsConnection | None, call: AnyPageCall) -> Stuck | None:
    """None: it needs nobody."""
    if saved is None:
        return _stuck("gone", name, call)
    if not saved.is_on:
        return _stuck("off", name, call)
    if SMS_KINDS[saved.connection.kind].missing(saved.connection):
        return _stuck("lacks", name, call)
    return _stuck("stopped", name, call) if saved.stop else None


def _stuck(what: str, name: str, call: AnyPageCall) -> Stuck:
    key, texts = f"messages.texts.stuck.{what}", call.texts
    page = "/setup/sms" if what == "gone" else f"/setup/sms/{name}"
    return Stuck(
        why=texts.say(key, name=name),
        todo=texts.say(f"{key}.todo", name=name),
        mended_at=call.here(page) if call.may_open("/setup/sms") else "",
    )
