"""Who can be rung just now, as a process knew it when the phone rang: prepared beforehand, so that a lookup asks a dictionary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from routing.client import Candidate
from routing.decision import Step, Trace
from routing.presence import PresenceState

AwayReason = Literal["off_shift", "holiday", "on_leave", "offline", "busy", "dnd"]

_NOBODY: Mapping[str, Any] = {}
_AWAY_BY: Mapping[PresenceState, AwayReason] = {
    PresenceState.BUSY: "busy",
    PresenceState.DND: "dnd",
    PresenceState.OFF_SHIFT: "off_shift",
    PresenceState.OFFLINE: "offline",
}


def away_by(state: PresenceState) -> AwayReason | None:
    """Why somebody of this presence cannot be rung, None when they can: a gap in what we are told silences no phone."""
    return _AWAY_BY.get(state)


class Ladder(NamedTuple):
    """The people of a distribution template who can be rung, in the order of its ledger. It was asked, not moved.

    steps: one for each of its people who cannot, why; and one for each who can.
    """

    template: str
    people: tuple[str, ...]
    steps: Trace = ()


class Reachability(NamedTuple):
    """What is known of the people of an account. Of whom nothing is known can be rung.

    away: employee id -> why not. back_at: when they are back, ISO, where it is known. substitutes: who works instead of
    somebody on leave. only: clients for one person only, as E.164 or `<kind>:<id>` of an entity -> employee id, "" = its owner.
    """

    away: Mapping[str, AwayReason] = _NOBODY
    back_at: Mapping[str, str] = _NOBODY
    substitutes: Mapping[str, str] = _NOBODY
    only: Mapping[str, str] = _NOBODY
    ladder: Ladder | None = None

    def reserved(self, number: str, candidates: Sequence[Candidate]) -> tuple[str, Candidate | None] | None:
        """Return (employee id, the entity by which it is so) of the one person this client is for; None = anybody.

        "" for the employee id: whoever owns that entity, or the client's first one.
        """
        if (person := self.only.get(number)) is not None:
            return person, None
        named = (c for c in candidates if f"{c.kind}:{c.id}" in self.only)
        newest = max(named, key=lambda c: (c.updated_at, c.kind, c.id), default=None)
        return (self.only[f"{newest.kind}:{newest.id}"], newest) if newest is not None else None

    def seen_by(self, number: str | None, candidates: Sequence[Candidate], steps: Trace) -> dict[str, Any]:
        """Return as much of it as these steps looked at, as JSON: from it the decision comes out the same."""
        people = {str(step.facts[key]) for step in steps for key in ("employee", "of") if step.facts.get(key)}
        keys = {number or "", *(f"{c.kind}:{c.id}" for c in candidates)} if self.only else set()
        seen: dict[str, Any] = {
            "away": {p: why for p, why in self.away.items() if p in people},
            "back_at": {p: at for p, at in self.back_at.items() if p in people},
            "substitutes": {p: other for p, other in self.substitutes.items() if p in people},
            "only": {key: self.only[key] for key in sorted(keys) if key in self.only},
        }
        if self.ladder is not None and any(step.rule == "template" for step in steps):
            seen["ladder"] = {
                **self.ladder._asdict(),
                "steps": [step.as_json() for step in self.ladder.steps],
            }
        return {name: value for name, value in seen.items() if value}

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> Reachability:
        """Read what `seen_by` wrote."""
        found = cls(
            **{name: value[name] for name in ("away", "back_at", "substitutes", "only") if name in value}
        )
        ladder = value.get("ladder")
        if ladder is None:
            return found
        steps = tuple(Step(**step) for step in ladder["steps"])
        return found._replace(ladder=Ladder(ladder["template"], tuple(ladder["people"]), steps))


ANYBODY = Reachability()
"""Nobody is known to be away."""
