"""What must come out of the accepted events, worked out without any of the product's rules.

Where the order of things leaves several outcomes legal, a range is expected; where it does not, one value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.chaos.facts import CallFacts
from tests.chaos.talks import open_cases
from tests.chaos.tenants import KNOWN_CONTACTS


@dataclass(frozen=True, slots=True)
class Expected:
    """Of one client's number. open_cases, deals: (least, most). calls: in the order in which they were first told."""

    number: str
    calls: tuple[CallFacts, ...]
    contacts: int
    new_deals: int
    open_cases: tuple[int, int]


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
        open_cases=open_cases(ordered),
    )
