"""Clients who are for one person only: nobody else is rung for them."""

from __future__ import annotations

from collections.abc import Sequence

from routing.client import Candidate
from routing.decision import Fact, Step
from routing.dialable import DialableAddress, first_address
from routing.lookup.available import Reachability
from routing.lookup.instead import away_facts, stand_in
from routing.lookup.outcome import LookupDecision, Outcome, Target
from routing.lookup.reasons import LookupReason
from routing.settings import LookupPolicy
from routing.staff import Employee, Staff

_ONLY = LookupReason.ONLY_THIS_PERSON


def for_one_person(
    number: str,
    candidates: Sequence[Candidate],
    staff: Staff,
    policy: LookupPolicy,
    available: Reachability,
    steps: list[Step],
) -> LookupDecision | None:
    """Ring the one person whom this client is for; None when the client is anybody's, or that person can answer no call.

    They are rung whatever is said of them: who is away may pick up for this client, and nobody else is to. Only on leave who
    works instead is rung.
    """
    reserved = available.reserved(number, candidates)
    if reserved is None:
        return None
    entity = reserved[1] or _first(candidates, staff, reserved[0])
    person = staff.by_id.get(reserved[0]) if reserved[0] else None
    if not reserved[0] and entity is not None:
        person = staff.by_crm_user.get(entity.owner)
    address = None if person is None or not person.is_active else first_address(person)
    facts: dict[str, Fact] = {"employee": person.id if person else reserved[0] or None}
    if person is None or address is None:
        steps.append(Step("only", "excluded", "only_person_cannot", facts))
        return None
    facts |= away_facts(person, available)
    if facts.get("away") == "on_leave":
        found = stand_in(person, steps, staff, policy, available)
        if found is not None:
            facts["instead"] = found.person.id
            return _rung("deputy", found.person, found.address, entity, policy, steps, facts)
    return _rung("manager", person, address, entity, policy, steps, facts)


def _first(candidates: Sequence[Candidate], staff: Staff, employee_id: str) -> Candidate | None:
    """Return what that person owns of the client's, else the first that there is."""
    person = staff.by_id.get(employee_id)
    owner = person.crm_user_id if person else None
    return max(
        candidates, key=lambda c: (owner and c.owner == owner, c.updated_at, c.kind, c.id), default=None
    )


def _rung(
    outcome: Outcome,
    person: Employee,
    address: DialableAddress,
    entity: Candidate | None,
    policy: LookupPolicy,
    steps: list[Step],
    facts: dict[str, Fact],
) -> LookupDecision:
    last = Step("only", "decided", _ONLY, facts)
    targets = (Target(*address, policy.ring_seconds),)
    return LookupDecision(outcome, _ONLY, entity, person, targets, (*steps, last))
