"""What must come out of the accepted events, worked out without any of the product's rules.

Where the order of things leaves several outcomes legal, a range is expected; where it does not, one value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from tests.chaos.pbx import Accepted
from tests.chaos.traffic import KNOWN_CONTACTS, UNKNOWN_EXTENSION, PlannedCall

_APART = timedelta(seconds=6)
"""Calls that are further apart than this cannot overtake each other: longer than the settle time."""


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
        return not self.call.spoilt - {"repeated"} and self.call.connection != "branch" and is_ordered


@dataclass(frozen=True, slots=True)
class Expected:
    """Of one client's number. open_tasks, deals: (least, most). calls: in the order in which they were first told."""

    number: str
    calls: tuple[CallFacts, ...]
    contacts: int
    new_deals: int
    open_tasks: tuple[int, int]


def facts_of(accepted: Iterable[Accepted]) -> list[CallFacts]:
    """One per call of which anything was accepted, each event once."""
    by_key: dict[str, list[Accepted]] = defaultdict(list)
    for one in accepted:
        if all(known.event is not one.event for known in by_key[one.call.key]):
            by_key[one.call.key].append(one)
    return [CallFacts(events[0].call, tuple(events)) for events in by_key.values()]


def expected(facts: Iterable[CallFacts]) -> Mapping[str, Expected]:
    """By number, under the recommended matrix: new callers become one contact and one deal, known ones nothing new."""
    by_number: dict[str, list[CallFacts]] = defaultdict(list)
    for one in facts:
        if one.call.number is not None:
            by_number[one.call.number].append(one)
    return {number: _expected(number, calls) for number, calls in by_number.items()}


def is_known(number: str) -> bool:
    """A sample contact of the sandbox."""
    return number.startswith("+7900") and 1 <= int(number[5:]) <= KNOWN_CONTACTS


def note_counts(facts: CallFacts, number: str) -> tuple[int, int]:
    """(least, most) call notes of one call."""
    if facts.call.direction == "out":
        return (1, 1) if facts.is_answered and is_known(number) else (0, 1)
    if facts.is_answered:
        return 1, 1
    return (0, 0) if is_known(number) else (0, 1)


def _expected(number: str, calls: Sequence[CallFacts]) -> Expected:
    ordered = tuple(sorted(calls, key=lambda c: min(e.at for e in c.events)))
    is_inbound = any(c.call.direction == "in" for c in ordered)
    known = is_known(number)
    return Expected(
        number=number,
        calls=ordered,
        contacts=1 if known or is_inbound else 0,
        new_deals=0 if known or not is_inbound else 1,
        open_tasks=_open_tasks(ordered),
    )


def _open_tasks(ordered: Sequence[CallFacts]) -> tuple[int, int]:
    """One while the last who called in vain was not talked to since."""
    if not any(c.is_missed for c in ordered):
        return 0, 0
    if not all(c.is_plain for c in ordered) or not _are_apart(ordered):
        return 0, 1
    last = next(c for c in reversed(ordered) if c.is_missed or c.is_answered)
    return (1, 1) if last.is_missed else (0, 0)


def _are_apart(ordered: Sequence[CallFacts]) -> bool:
    spans = [(min(e.at for e in c.events), max(e.at for e in c.events)) for c in ordered]
    return all(begins - ended > _APART for (_, ended), (begins, _) in pairwise(spans))
