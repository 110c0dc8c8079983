"""What a lookup comes to: whom the PBX is told to ring, and why."""

from __future__ import annotations

from typing import Literal, NamedTuple

from routing.client import Candidate
from routing.decision import Trace
from routing.lookup.reasons import LookupReason
from routing.staff import Employee

Outcome = Literal["manager", "deputy", "group", "scheme"]


class Target(NamedTuple):
    """One address to ring, for ring_seconds seconds. is_away: of somebody who is rung for a moment although they are away."""

    kind: Literal["extension", "sip", "phone"]
    address: str
    ring_seconds: int
    is_away: bool = False

    def as_json(self) -> dict[str, str | int | bool]:
        """Return it as PBXs are told: who is away is marked, nobody else is."""
        told: dict[str, str | int | bool] = {
            "kind": self.kind,
            "address": self.address,
            "ring_seconds": self.ring_seconds,
        }
        if self.is_away:
            told["is_away"] = True
        return told


class LookupDecision(NamedTuple):
    """What the PBX is told and why.

    reason: for `manager` which owner answers; for `deputy`, `group` and `scheme` what was wrong with the first owner,
    or with the caller. entity: whose owner is rung, else the first one whose owner could not be; None when there is none.
    For a deputy: the entity whose owner they stand in for. responsible: the person who is rung, None for `group` and
    `scheme`; not who is away and rung for a moment, unless nobody else is.
    """

    outcome: Outcome
    reason: LookupReason
    entity: Candidate | None = None
    responsible: Employee | None = None
    targets: tuple[Target, ...] = ()
    steps: Trace = ()
