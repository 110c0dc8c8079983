"""Whose call this is: the walk over what the caller's number leads to, while the phone rings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter

from routing.client import Candidate
from routing.decision import Fact, Step
from routing.dialable import first_address
from routing.lookup.available import ANYBODY, Reachability
from routing.lookup.instead import Failed, away_facts, instead, rung_first, why_not
from routing.lookup.one_person import for_one_person
from routing.lookup.outcome import LookupDecision, Target
from routing.lookup.reasons import REASONS, STEP_REASONS, LookupReason
from routing.numbers.normalise import InternalNumber, Number, PublicNumber
from routing.settings import LookupKind, LookupPolicy
from routing.staff import Employee, Staff

__all__ = ["REASONS", "STEP_REASONS", "LookupDecision", "LookupReason", "Target", "decide", "fall_back"]


def fall_back(reason: LookupReason) -> LookupDecision:
    """Say "carry on with your scheme" without having looked at any entity."""
    return _CARRY_ON[reason]


def decide(
    caller: Number,
    candidates: Sequence[Candidate],
    staff: Staff,
    policy: LookupPolicy,
    available: Reachability = ANYBODY,
) -> LookupDecision:
    """Find who is to be rung. candidates: what the directory holds for the caller, in any order; open deals only."""
    refused = _refused(caller)
    if refused is not None:
        return _CARRY_ON[refused]
    steps: list[Step] = []
    if available.only and isinstance(caller, PublicNumber):
        kept = for_one_person(caller.e164, candidates, staff, policy, available, steps)
        if kept is not None:
            return kept
    failed: list[Failed] = []
    by_kind: dict[LookupKind, list[Candidate]] = {}
    for candidate in candidates:
        by_kind.setdefault(_COUNTS_AS[candidate.kind], []).append(candidate)
    for kind in policy.priority:
        found = by_kind.get(kind)
        if found is None:
            steps.append(_NONE_OF[kind])
            continue
        if len(found) > 1:
            _rank(found, kind)
        for entity in found:
            owner = staff.by_crm_user.get(entity.owner) if entity.owner else None
            address = None if owner is None else first_address(owner)
            reason = why_not(owner, address, available)
            facts = _facts(entity, owner, found)
            if reason is None and address is not None:
                because = _OWNER_OF[kind]
                steps.append(Step(kind, "decided", because, facts))
                targets = (*rung_first(failed, policy), Target(*address, policy.ring_seconds))
                return LookupDecision("manager", because, entity, owner, targets, tuple(steps))
            failure = Failed(reason or LookupReason.OWNER_UNMAPPED, entity, owner)
            if failure.reason is LookupReason.OWNER_UNAVAILABLE:
                facts.update(away_facts(owner, available))
            steps.append(Step(kind, "excluded", failure.reason, facts))
            failed.append(failure)
    return instead(failed, steps, staff, policy, available)


def _refused(caller: Number) -> LookupReason | None:
    if isinstance(caller, PublicNumber):
        return LookupReason.OWN_NUMBER if caller.is_own else None
    return LookupReason.INTERNAL if isinstance(caller, InternalNumber) else LookupReason(caller.reason)


def _rank(found: list[Candidate], kind: LookupKind) -> None:
    """Sort, the best first: contacts and companies with an open deal before those without, then the most recently updated."""
    found.sort(key=attrgetter("updated_at", "kind", "id", "owner", "name"), reverse=True)
    if kind == "contact":
        found.sort(key=attrgetter("has_open_deal"), reverse=True)


def _facts(entity: Candidate, owner: Employee | None, found: list[Candidate]) -> dict[str, Fact]:
    facts: dict[str, Fact] = {
        "kind": entity.kind,
        "id": entity.id,
        "owner": entity.owner or None,
        "employee": owner.id if owner else None,
    }
    if len(found) > 1:
        facts["of"] = len(found)
        facts["order"] = "newest_first" if entity.kind in ("lead", "deal") else "open_deal_first_then_newest"
        facts["has_open_deal"] = entity.has_open_deal
        facts["updated_at"] = entity.updated_at
    return facts


_COUNTS_AS: Mapping[str, LookupKind] = {
    "lead": "lead",
    "contact": "contact",
    "company": "contact",
    "deal": "deal",
}
_OWNER_OF: Mapping[LookupKind, LookupReason] = {
    "lead": LookupReason.LEAD_OWNER,
    "contact": LookupReason.CONTACT_OWNER,
    "deal": LookupReason.DEAL_OWNER,
}
_NONE_OF: Mapping[LookupKind, Step] = {
    "lead": Step("lead", "passed", "no_lead"),
    "contact": Step("contact", "passed", "no_contact"),
    "deal": Step("deal", "passed", "no_deal"),
}
_CARRY_ON: Mapping[LookupReason, LookupDecision] = {
    reason: LookupDecision("scheme", reason, steps=(Step("caller", "decided", reason),))
    for reason in LookupReason
}
