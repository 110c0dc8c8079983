"""Nobody who owns anything of the caller's can be rung: their substitutes and deputies, a template's people, the group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from routing.client import Candidate
from routing.decision import Fact, Step
from routing.dialable import DialableAddress, first_address, is_extension
from routing.lookup.available import Reachability
from routing.lookup.outcome import LookupDecision, Target
from routing.lookup.reasons import LookupReason
from routing.settings import LookupPolicy
from routing.staff import Employee, Staff


class Failed(NamedTuple):
    """An owner who cannot be rung, or an entity without one."""

    reason: LookupReason
    entity: Candidate
    owner: Employee | None


class _Reached(NamedTuple):
    person: Employee
    address: DialableAddress


def why_not(
    person: Employee | None, address: DialableAddress | None, available: Reachability
) -> LookupReason | None:
    """Why this person cannot be rung at their first address, None when they can."""
    if person is None:
        return LookupReason.OWNER_UNMAPPED
    if not person.is_active:
        return LookupReason.OWNER_INACTIVE
    if address is None:
        return LookupReason.OWNER_UNMAPPED
    return LookupReason.OWNER_UNAVAILABLE if person.id in available.away else None


def away_facts(person: Employee | None, available: Reachability) -> dict[str, Fact]:
    """Return why somebody is away, and until when, as far as it is known."""
    if person is None or person.id not in available.away:
        return {}
    facts: dict[str, Fact] = {"away": available.away[person.id]}
    if back_at := available.back_at.get(person.id):
        facts["back_at"] = back_at
    return facts


def rung_first(failed: Sequence[Failed], policy: LookupPolicy) -> tuple[Target, ...]:
    """Return those who are away and are to be rung for a moment all the same, each once."""
    if policy.availability != "ring_first":
        return ()
    owners = {f.owner.id: f.owner for f in failed if f.owner and f.reason is LookupReason.OWNER_UNAVAILABLE}
    found = (first_address(owner) for owner in owners.values())
    return tuple(Target(*address, policy.ring_away_seconds, is_away=True) for address in found if address)


def instead(
    failed: list[Failed], steps: list[Step], staff: Staff, policy: LookupPolicy, available: Reachability
) -> LookupDecision:
    """Find who is rung instead: a substitute or deputy, the people of the template, the group, or the PBX's own scheme."""
    if not failed:
        unknown = LookupReason.UNKNOWN_CALLER
        return _decided(LookupDecision("scheme", unknown), steps, Step("caller", "decided", unknown))
    reason, entity, _ = failed[0]
    first = rung_first(failed, policy)
    for one in failed:
        found = stand_in(one.owner, steps, staff, policy, available)
        if found is not None:
            targets = (*first, Target(*found.address, policy.ring_seconds))
            decision = LookupDecision("deputy", reason, one.entity, found.person, targets)
            return _decided(decision, steps, _stands_in(one.owner, found.person, available))
    if people := _of_template(steps, staff, policy, available):
        decision = LookupDecision("group", reason, entity, None, (*first, *people))
        facts: dict[str, Fact] = {"template": policy.template, "members": len(people)}
        return _decided(decision, steps, Step("template", "decided", "template_rings", facts))
    if members := tuple(
        Target("extension", extension, policy.ring_seconds)
        for extension in policy.group
        if is_extension(extension)
    ):
        decision = LookupDecision("group", reason, entity, None, (*first, *members))
        return _decided(decision, steps, Step("group", "decided", "group_rings", {"members": len(members)}))
    if first:
        return _only_rung_first(failed, first, steps)
    return _decided(LookupDecision("scheme", reason, entity), steps, Step("scheme", "decided", reason))


def _only_rung_first(failed: list[Failed], first: tuple[Target, ...], steps: list[Step]) -> LookupDecision:
    """Ring those who are away, since nobody else is there; then the PBX carries on."""
    of_away = next(f for f in failed if f.owner and f.reason is LookupReason.OWNER_UNAVAILABLE)
    decision = LookupDecision("manager", failed[0].reason, of_away.entity, of_away.owner, first)
    return _decided(decision, steps, Step("away", "decided", "away_rings_first", {"members": len(first)}))


def stand_in(
    owner: Employee | None, steps: list[Step], staff: Staff, policy: LookupPolicy, available: Reachability
) -> _Reached | None:
    """Return who rings in place of an owner who could not be rung: who works instead while they are on leave, else their
    deputy; None when there is nobody who can be."""
    facts: dict[str, Fact] = {"employee": owner.id if owner else None}
    substitute = available.substitutes.get(owner.id) if owner else None
    if owner is not None and substitute is not None:
        found = _reached(substitute, owner, "substitute", steps, staff, available)
        if found is not None:
            return found
    if not policy.use_deputies:
        return None
    if owner is None or owner.deputy_id is None:
        steps.append(Step("deputy", "passed", "deputy_missing", facts))
        return None
    return _reached(owner.deputy_id, owner, "deputy", steps, staff, available)


def _reached(
    employee_id: str, owner: Employee, what: str, steps: list[Step], staff: Staff, available: Reachability
) -> _Reached | None:
    person = staff.by_id.get(employee_id)
    address = None if person is None else first_address(person)
    reason = why_not(person, address, available)
    if person is not None and address is not None and reason is None:
        return _Reached(person, address)
    because = what + (reason or LookupReason.OWNER_UNMAPPED).removeprefix("owner")
    facts: dict[str, Fact] = {"employee": employee_id, "of": owner.id}
    if reason is LookupReason.OWNER_UNAVAILABLE:
        facts |= away_facts(person, available)
    steps.append(Step("deputy", "excluded", because, facts))
    return None


def _stands_in(owner: Employee | None, person: Employee, available: Reachability) -> Step:
    is_substitute = owner is not None and available.substitutes.get(owner.id) == person.id
    because = "substitute_rings" if is_substitute else "deputy_rings"
    return Step("deputy", "decided", because, {"employee": person.id})


def _of_template(
    steps: list[Step], staff: Staff, policy: LookupPolicy, available: Reachability
) -> tuple[Target, ...]:
    """Return the first of the template's people who have something to ring, in the order of its ledger."""
    if policy.template is None:
        return ()
    if available.ladder is None or available.ladder.template != policy.template:
        steps.append(Step("template", "passed", "template_unknown", {"template": policy.template}))
        return ()
    steps += available.ladder.steps
    reached = list(_addresses(available.ladder.people, staff, steps))
    if not reached:
        steps.append(Step("template", "passed", "template_nobody", {"template": policy.template}))
    return tuple(Target(*address, policy.ring_seconds) for address in reached[: policy.template_people])


def _addresses(people: Sequence[str], staff: Staff, steps: list[Step]) -> Iterator[DialableAddress]:
    """Whether they are there is the template's to say, by the schedule that it names."""
    for employee_id in people:
        person = staff.by_id.get(employee_id)
        address = None if person is None else first_address(person)
        if address is not None:
            yield address
        else:
            steps.append(Step("template", "excluded", "template_no_address", {"employee": employee_id}))


def _decided(decision: LookupDecision, steps: list[Step], last: Step) -> LookupDecision:
    return decision._replace(steps=(*steps, last))
