"""What a call ordered in the CRM, with what became of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gateway.decisions.names_then import NamesThen
from gateway.decisions.order_summary import order_in_words
from gateway.store.decisions.decisions import EffectRow, Explained
from gateway.web.calls.one.course import moment_of
from gateway.web.calls.one.trace import UrlTo
from gateway.web.words.words import Words
from routing.effects import Order

_ORDER: TypeAdapter[Order] = TypeAdapter(Order)
_CREATES = {"create_contact": "contact", "create_deal": "deal", "create_lead": "lead"}
_LOOKS = {
    "done": ("good", "circle-check"),
    "dead": ("bad", "alert-circle"),
    "skipped": ("faint", "circle-minus"),
    "expired": ("faint", "circle-minus"),
    "dry_run": ("brand", "circle-dashed"),
}
_WAITS = ("warn", "clock-pause")


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """number: of the decision that ordered it, 0 = none is shown. retry: the key to try it again by, "" = there is nothing to."""

    tone: str
    icon: str
    title: str
    detail: str
    state: str
    number: int
    moment: str
    at: datetime
    url: str = ""
    link: str = ""
    retry: str = ""


def writes_of_decisions(
    decisions: Sequence[tuple[Explained, NamesThen]], numbers: Mapping[str, int], words: Words, url_to: UrlTo
) -> list[Write]:
    return [
        _write(effect, told, names, numbers, words, url_to)
        for told, names in decisions
        for effect in told.effects
    ]


def _write(
    effect: EffectRow,
    told: Explained,
    names: NamesThen,
    numbers: Mapping[str, int],
    words: Words,
    url_to: UrlTo,
) -> Write:
    tone, icon = _LOOKS.get(effect.state, _WAITS)
    kind, id = _entity(effect)
    what = "order.done" if effect.state == "done" else "calls.order"
    return Write(
        tone=tone,
        icon=icon,
        title=_capital(words.texts.word(what, effect.what)),
        detail=words.text(_capital(_in_words(effect.order, names, words))),
        state=words.text(_state(effect, words)),
        number=numbers.get(told.decision.decision_id, 0),
        moment=moment_of(told, words),
        at=effect.done_at or effect.created_at,
        url=url_to(kind, id) if kind and id else "",
        link=words.texts.word("entity", kind) if kind else "",
        retry=effect.key if effect.state == "dead" else "",
    )


def _entity(effect: EffectRow) -> tuple[str, str]:
    if kind := _CREATES.get(effect.what):
        return kind, effect.crm_id or ""
    target: Mapping[str, Any] = effect.order.get("target") or {}
    return str(target.get("kind") or ""), str(target.get("id") or "")


def _in_words(order: Mapping[str, Any], names: NamesThen, words: Words) -> str:
    """Return "" for an order that an older program wrote in another form."""
    try:
        told = order_in_words(
            _ORDER.validate_python(order), names, words.texts, words.zone.key, "calls.made", words.time
        )
        return told.lstrip(" ,:")
    except ValidationError:
        return ""


def _state(effect: EffectRow, words: Words) -> str:
    """Return what there is to say besides its sign: nothing of what is done at the first attempt."""
    texts = words.texts
    parts: list[str] = []
    if effect.state == "dead":
        parts.append(effect.error_detail or effect.error_code or texts.say("calls.state.dead"))
    elif effect.state != "done":
        parts.append(texts.word("effect.state", effect.state))
    elif effect.was_found:
        parts.append(texts.say("calls.state.found"))
    if effect.state == "waiting" and effect.next_try_at is not None:
        parts.append(texts.say("calls.state.next_try", at=words.time(effect.next_try_at)))
    if effect.attempts > 1:
        parts.append(texts.say("calls.state.attempts", n=effect.attempts))
    return ", ".join(parts)


def refused_keys(writes: Iterable[Write]) -> list[str]:
    return [write.retry for write in writes if write.retry]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
