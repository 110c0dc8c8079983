"""The deals that stand where a trigger works: what would come of each, and what a text would be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gateway.sms.deal import surroundings
from gateway.sms.preview import TextPreview, previewed_texts
from gateway.triggers.applying import ApplyPreview, LookedAtDeal
from gateway.web.frame import AnyPageCall
from gateway.web.messages.text_shown import TextShown, sample_shown, text_shown
from routing.templates import TemplateRefused
from routing.texts.catalogue import Texts
from routing.triggers.model import SendSms
from runtime.database.pool import Conn
from sms.templates import compiled_sms, previewed

SHOWN = 20
"""Deals in the list; the others are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageDeal:
    """message: why nothing would come of it, "" = it would. is_unknown: only the CRM knows. parts: of its text, 0 = none goes
    out. why_not: who gets none and why. empty: macros without a value, in words."""

    id: str
    name: str
    contact: str
    url: str
    message: str
    is_unknown: bool
    parts: int = 0
    why_not: Sequence[str] = ()
    empty: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StageDeals:
    """count: of all. fires: that are expected to. reasons: (in words, how many) of the others."""

    count: int
    fires: int
    not_known: int
    reasons: Sequence[tuple[str, int]]
    deals: Sequence[StageDeal]

    @property
    def faulty(self) -> int:
        return sum(
            1 for deal in self.deals if deal.why_not or deal.empty or (deal.message and not deal.is_unknown)
        )


def stage_deals(
    call: AnyPageCall,
    found: ApplyPreview,
    texts: Mapping[str, TextPreview],
    macro: Callable[[str], str],
) -> StageDeals:
    """texts: by deal, of a trigger that sends one."""
    said = call.texts
    others = {reason: n for reason, n in found.reasons.items() if reason != "fires"}
    others["not_met"] = others.get("not_met", 0) - found.not_known
    return StageDeals(
        count=found.deals,
        fires=found.reasons.get("fires", 0),
        not_known=found.not_known,
        reasons=[(said.word("trigger.reason", reason), n) for reason, n in others.items() if n],
        deals=[_deal(call, one, texts.get(one.facts.deal_id), macro) for one in found.first],
    )


def _deal(
    call: AnyPageCall, one: LookedAtDeal, text: TextPreview | None, macro: Callable[[str], str]
) -> StageDeal:
    facts, said = one.facts, call.texts
    shown = text_shown(text, said, macro) if text else None
    return StageDeal(
        id=facts.deal_id,
        name=facts.name or said.say("messages.deal", id=facts.deal_id),
        contact=facts.contact_name or "",
        url=call.services.url_of(call.account.id, "deal", facts.deal_id),
        message=_message(one, said),
        is_unknown=one.is_unknown,
        parts=shown.length.parts if shown and shown.gets and not shown.refusal else 0,
        why_not=_why_not(shown),
        empty=shown.empty if shown else (),
    )


def _message(one: LookedAtDeal, texts: Texts) -> str:
    if one.is_unknown:
        return texts.say("messages.deals.unknown")
    return "" if one.reason == "fires" else texts.word("trigger.reason", one.reason)


def _why_not(shown: TextShown | None) -> Sequence[str]:
    if shown is None:
        return ()
    refused = [shown.refusal] if shown.refusal else []
    return [*refused, *(f"{one.name}: {one.message}" for one in shown.skipped)]


async def texts_of(
    conn: Conn, account_id: str, action: object, deals: Sequence[str]
) -> dict[str, TextPreview]:
    """Return how the text reads for each; nothing for another action, or for a text that cannot be read."""
    if not isinstance(action, SendSms):
        return {}
    try:
        return await previewed_texts(conn, account_id, deals, action)
    except TemplateRefused:
        return {}


async def sample_of(conn: Conn, account_id: str, template: str, texts: Texts) -> TextShown | None:
    """Return the text with the samples of its macros; None: it cannot be read."""
    around = await surroundings(conn, account_id)
    try:
        compiled = compiled_sms(template, around.macros)
    except TemplateRefused:
        return None
    return sample_shown(previewed(compiled, ZoneInfo(around.account.time_zone), texts), texts)
