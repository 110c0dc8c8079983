"""What the accepted events say of each call."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from tests.chaos.pbx import Accepted
from tests.chaos.traffic import UNKNOWN_EXTENSION, PlannedCall


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What the accepted events say of one call. None was told of a call that is missing here."""

    call: PlannedCall
    events: tuple[Accepted, ...]

    @property
    def is_client(self) -> bool:
        return self.call.number is not None

    @property
    def is_answered(self) -> bool:
        return any(e.event.name == "answer" or e.event.fields.get("billsec") for e in self.events)

    @property
    def has_ended(self) -> bool:
        return any(e.event.name == "hangup" for e in self.events)

    @property
    def is_by_unknown(self) -> bool:
        return any(e.event.fields.get("extension") == UNKNOWN_EXTENSION for e in self.events)

    @property
    def is_missed(self) -> bool:
        return self.call.direction == "in" and not self.is_answered

    @property
    def is_plain(self) -> bool:
        """Told whole and in time, by a PBX whose clock is ours."""
        times = [(e.event.at, e.at) for e in self.events]
        is_ordered = [at for _, at in sorted(times)] == sorted(at for _, at in times)
        return not self.call.spoilt - {"repeated"} and self.call.skew in (None, 0.0) and is_ordered


def facts_of(accepted: Iterable[Accepted]) -> list[CallFacts]:
    """One per call of which anything was accepted, each event once."""
    by_key: dict[str, list[Accepted]] = defaultdict(list)
    for one in accepted:
        if all(known.event is not one.event for known in by_key[one.call.key]):
            by_key[one.call.key].append(one)
    return [CallFacts(events[0].call, tuple(events)) for events in by_key.values()]
