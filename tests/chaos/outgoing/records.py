"""What the doubles saw, and what must never be seen in it. Pure; times are seconds of the clock."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

Seen = TypeVar("Seen")


@dataclass(slots=True)
class SeenOrder:
    """An order as the telephone system got it. employee: extension, "" = a group. is_refused: and said so, so that nobody was rung.
    end_told_at: when a gateway had taken the word of the call's end, None = nothing was ever told of it."""

    attempt_id: str
    client: str
    employee: str
    at: float
    is_refused: bool = False
    end_told_at: float | None = None


@dataclass(slots=True)
class PlacedCall:
    """A call that the telephone system truly made. ended_at: None = it goes on. outcome: as it was."""

    attempt_id: str
    client: str
    employee: str
    began_at: float
    outcome: str
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class SeenText:
    """A text that the provider has taken."""

    own_id: str
    number: str
    text: str


def faults_of_orders(orders: Sequence[SeenOrder]) -> Iterator[str]:
    """One attempt is ordered once, and nobody is called again while nobody knows what became of the last time."""
    for attempt, count in Counter(order.attempt_id for order in orders).items():
        if count > 1:
            yield f"attempt {attempt} was ordered {count} times"
    for earlier, later in _in_a_row(orders, lambda order: order.client):
        is_known = earlier.is_refused or (earlier.end_told_at is not None and earlier.end_told_at <= later.at)
        if not is_known:
            yield f"{later.client} was ordered again by {later.attempt_id} while nobody knew what became of {earlier.attempt_id}"


def faults_of_calls(calls: Sequence[PlacedCall]) -> Iterator[str]:
    """Nobody, client or employee, has two calls at once."""
    by_client: Callable[[PlacedCall], str] = lambda call: call.client  # noqa: E731
    by_employee: Callable[[PlacedCall], str] = lambda call: call.employee  # noqa: E731
    for of, who in ((calls, by_client), ([call for call in calls if call.employee], by_employee)):
        for earlier, later in _in_a_row(of, who, at=lambda call: call.began_at):
            if earlier.ended_at is None or earlier.ended_at > later.began_at:
                yield f"{who(later)} had two calls at once: {earlier.attempt_id} and {later.attempt_id}"


def faults_of_texts(texts: Iterable[SeenText]) -> Iterator[str]:
    """No message goes out twice, and no text reaches a number twice, by whatever ids."""
    kept = list(texts)
    for own_id, count in Counter(text.own_id for text in kept).items():
        if count > 1:
            yield f"message {own_id} was sent {count} times"
    for (number, said), count in Counter((text.number, text.text) for text in kept).items():
        if count > 1:
            yield f"{number} got {said!r} {count} times"


def busiest(times: Iterable[float], seconds: float = 60.0) -> int:
    """The most in any such span of time."""
    ordered, first, most = sorted(times), 0, 0
    for last, at in enumerate(ordered):
        while ordered[first] <= at - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


def _in_a_row(
    seen: Sequence[Seen],
    of: Callable[[Seen], str],
    at: Callable[[Seen], float] = lambda order: order.at,  # type: ignore[attr-defined]
) -> Iterator[tuple[Seen, Seen]]:
    by_whom: dict[str, list[Seen]] = defaultdict(list)
    for one in seen:
        by_whom[of(one)].append(one)
    for of_one in by_whom.values():
        yield from pairwise(sorted(of_one, key=at))
