"""Whose call this is: the walk over what the caller's number leads to, while the phone rings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Literal, NamedTuple

from routing.client import Candidate
from routing.decision import Step, Trace
from routing.dialable import DialableAddress, first_address, is_extension
from routing.lookup.reasons import REASONS, STEP_REASONS, LookupReason
from routing.numbers.normalise import InternalNumber, Number, PublicNumber
from routing.presence import NOBODY_SAID, Presence
from routing.settings import LookupKind, LookupPolicy
from routing.staff import Employee, Staff

__all__ = ["REASONS", "STEP_REASONS", "LookupDecision", "LookupReason", "Target", "decide", "fall_back"]

Outcome = Literal["manager", "deputy", "group", "scheme"]


class Target(NamedTuple):
    """One address to ring, for ring_seconds seconds."""

    kind: Literal["extension", "sip", "phone"]
    address: str
    ring_seconds: int


class LookupDecision(NamedTuple):
    """What the PBX is told and why.

    reason: for `manager` which owner answers; for `deputy`, `group` and `scheme` what was wrong with the first owner,
    or with the caller. entity: whose owner is rung, else the first one whose owner could not be; None when there is none.
    For a deputy: the entity whose owner they stand in for. responsible: the person who is rung, None for `group` and `scheme`.
    """

    outcome: Outcome
    reason: LookupReason
    entity: Candidate | None = None
    responsible: Employee | None = None
    targets: tuple[Target, ...] = ()
    steps: Trace = ()


class _Failed(NamedTuple):
    reason: LookupReason
    entity: Candidate
    owner: Employee | None


def fall_back(reason: LookupReason) -> LookupDecision:
    """Say "carry on with your scheme" without having looked at any entity."""
    return _CARRY_ON[reason]


def decide(
    caller: Number,
    candidates: Sequence[Candidate],
    staff: Staff,
    policy: LookupPolicy,
    presence: Presence = NOBODY_SAID,
) -> LookupDecision:
    """Find who is to be rung. candidates: what the directory holds for the caller, in any order; open deals only."""
    refused = _refused(caller)
    if refused is not None:
        return _CARRY_ON[refused]
    steps: list[Step] = []
    failed: list[_Failed] = []
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
            reason = _why_not(owner, address, presence)
            if reason is None and address is not None:
                because = _OWNER_OF[kind]
                steps.append(Step(kind, "decided", because, _facts(entity, owner, found)))
                targets = (Target(*address, policy.ring_seconds),)
                return LookupDecision("manager", because, entity, owner, targets, tuple(steps))
            failure = _Failed(reason or LookupReason.OWNER_UNMAPPED, entity, owner)
            steps.append(Step(kind, "excluded", failure.reason, _facts(entity, owner, found)))
            failed.append(failure)
    return _instead(failed, steps, staff, policy, presence)


def _refused(caller: Number) -> LookupReason | None:
    if isinstance(caller, PublicNumber):
        return LookupReason.OWN_NUMBER if caller.is_own else None
    return LookupReason.INTERNAL if isinstance(caller, InternalNumber) else LookupReason(caller.reason)


def _rank(found: list[Candidate], kind: LookupKind) -> None:
    """Sort, the best first: contacts and companies with an open deal before those without, then the most recently updated."""
    found.sort(key=attrgetter("updated_at", "kind", "id", "owner", "name"), reverse=True)
    if kind == "contact":
        found.sort(key=attrgetter("has_open_deal"), reverse=True)


def _why_not(
    person: Employee | None, address: DialableAddress | None, presence: Presence
) -> LookupReason | None:
    """Why this person cannot be rung at their first address, None when they can."""
    if person is None:
        return LookupReason.OWNER_UNMAPPED
    if not person.is_active:
        return LookupReason.OWNER_INACTIVE
    if address is None:
        return LookupReason.OWNER_UNMAPPED
    return None if presence.can_be_rung(person.id) else LookupReason.OWNER_UNAVAILABLE


def _facts(
    entity: Candidate, owner: Employee | None, found: list[Candidate]
) -> Mapping[str, str | int | bool | None]:
    facts: dict[str, str | int | bool | None] = {
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


def _instead(
    failed: list[_Failed], steps: list[Step], staff: Staff, policy: LookupPolicy, presence: Presence
) -> LookupDecision:
    """Nobody's owner can be rung: a deputy, the group, or the PBX's own scheme."""
    if not failed:
        return _decided(
            LookupDecision("scheme", LookupReason.UNKNOWN_CALLER),
            steps,
            "caller",
            LookupReason.UNKNOWN_CALLER,
        )
    reason, entity, _ = failed[0]
    if policy.use_deputies:
        for one in failed:
            found = _deputy(one, steps, staff, presence)
            if found is not None:
                deputy, address = found
                targets = (Target(*address, policy.ring_seconds),)
                decision = LookupDecision("deputy", reason, one.entity, deputy, targets)
                return _decided(decision, steps, "deputy", "deputy_rings", {"employee": deputy.id})
    if members := tuple(
        Target("extension", extension, policy.ring_seconds)
        for extension in policy.group
        if is_extension(extension)
    ):
        decision = LookupDecision("group", reason, entity, None, members)
        return _decided(decision, steps, "group", "group_rings", {"members": len(members)})
    return _decided(LookupDecision("scheme", reason, entity), steps, "scheme", reason)


def _deputy(
    failed: _Failed, steps: list[Step], staff: Staff, presence: Presence
) -> tuple[Employee, DialableAddress] | None:
    """Return the deputy of an owner who could not be rung, and where, if there is one who can be."""
    owner = failed.owner
    if owner is None or owner.deputy_id is None:
        steps.append(Step("deputy", "passed", "deputy_missing", {"employee": owner.id if owner else None}))
        return None
    deputy = staff.by_id.get(owner.deputy_id)
    address = None if deputy is None else first_address(deputy)
    why_not = _why_not(deputy, address, presence)
    if deputy is not None and address is not None and why_not is None:
        return deputy, address
    because = "deputy" + (why_not or LookupReason.OWNER_UNMAPPED).removeprefix("owner")
    steps.append(Step("deputy", "excluded", because, {"employee": owner.deputy_id, "of": owner.id}))
    return None


def _decided(
    decision: LookupDecision,
    steps: list[Step],
    rule: str,
    because: str,
    facts: Mapping[str, str | int | bool | None] | None = None,
) -> LookupDecision:
    return decision._replace(steps=(*steps, Step(rule, "decided", because, facts or {})))


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
