"""What a client's message makes in the CRM: which contact and which deal the dialogue belongs to, or what is to be made."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, get_args

from routing.client import Client, ClientEntity, Ref
from routing.decision import Fact, Step, Trace
from routing.dialogues.rules import ChannelRules

IncomingReason = Literal[
    "group-chat",
    "channel-off",
    "same-deal",
    "open-deal",
    "waiting-lead",
    "last-closed-deal",
    "after-closing",
    "known-client",
    "new-client",
]
INCOMING_REASONS: tuple[IncomingReason, ...] = get_args(IncomingReason)
MAKING_REASONS: frozenset[str] = frozenset({"after-closing", "known-client", "new-client"})
"""With these a deal is made."""

Ordered = Callable[[ClientEntity], datetime]
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingSituation:
    """client: as the CRM knows it, with what effects of ours have promised. deal: the dialogue's, None = it has none yet."""

    client: Client
    rules: ChannelRules
    is_group: bool = False
    is_on: bool = True
    deal: Ref | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingDecision:
    """contact, deal: whose the dialogue is now; None with makes_contact, makes_deal: it is to be made."""

    reason: IncomingReason
    steps: Trace
    contact: Ref | None = None
    deal: Ref | None = None
    makes_contact: bool = False
    makes_deal: bool = False


def decide_incoming(told: IncomingSituation) -> IncomingDecision:
    """Decide for a message of a client. The same situation always gives the same decision."""
    if told.is_group:
        return _ended("group-chat", "chat")
    if not told.is_on:
        return _ended("channel-off", "channel")
    contact = _contact(told.client)
    deals = told.client.of("deal")
    still = next((e for e in deals if e.ref == told.deal and e.is_open), None)
    if still is not None:
        return _found("same-deal", contact, still.ref, deals)
    open_deals = [e for e in deals if e.is_open]
    if open_deals:
        return _found("open-deal", contact, _latest(open_deals, told.rules, _changed).ref, deals)
    if leads := told.client.of("lead"):
        return _found("waiting-lead", contact, _latest(leads, told.rules, _changed).ref, deals)
    if deals and told.rules.owner == "template" and told.rules.after_closing == "last_closed":
        return _found("last-closed-deal", contact, _latest(deals, told.rules, _closed).ref, deals)
    reason: IncomingReason = "after-closing" if deals else "known-client" if contact else "new-client"
    return IncomingDecision(
        reason=reason,
        steps=(_step(reason, deals),),
        contact=contact,
        makes_contact=contact is None,
        makes_deal=True,
    )


def with_whose_deal(decision: IncomingDecision, client: Client, whose: Collection[Ref]) -> IncomingDecision:
    """Return it with the contact whose deal it is, where several have the client's number. whose: the deal's in the CRM."""
    theirs = [e for e in client.of("contact") or client.of("company") if e.ref in whose]
    return replace(decision, contact=_last_changed(theirs).ref) if theirs else decision


def _contact(client: Client) -> Ref | None:
    """Return the client's contact, else company: of several the one that changed last."""
    people = client.of("contact") or client.of("company")
    return _last_changed(people).ref if people else None


def _last_changed(entities: Sequence[ClientEntity]) -> ClientEntity:
    return max(entities, key=lambda e: (_changed(e), e.ref.id or ""))


def _latest(entities: Sequence[ClientEntity], rules: ChannelRules, when: Ordered) -> ClientEntity:
    """Return the last one, of the channel's pipeline where there is one in it."""
    here = [e for e in entities if rules.pipeline_id and e.pipeline_id == rules.pipeline_id]
    return max(here or entities, key=lambda e: (when(e), e.ref.id or ""))


def _changed(entity: ClientEntity) -> datetime:
    return entity.updated_at or entity.created_at or _LONG_AGO


def _closed(entity: ClientEntity) -> datetime:
    return entity.closed_at or _LONG_AGO


def _found(
    reason: IncomingReason, contact: Ref | None, deal: Ref, deals: Sequence[ClientEntity]
) -> IncomingDecision:
    return IncomingDecision(reason=reason, steps=(_step(reason, deals),), contact=contact, deal=deal)


def _ended(reason: IncomingReason, rule: str) -> IncomingDecision:
    return IncomingDecision(reason=reason, steps=(Step(rule, "decided", reason),))


def _step(reason: IncomingReason, deals: Sequence[ClientEntity]) -> Step:
    facts: dict[str, Fact] = {"deals_known": len(deals), "deals_open": sum(e.is_open for e in deals)}
    return Step("deal", "decided", reason, facts)
