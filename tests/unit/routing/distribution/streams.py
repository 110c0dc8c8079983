"""Who is there at each deal, with which weights: ordinary days and hostile ones, always the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from routing.distribution.ledger import UNIT, TurnLedger, shares

Weights = Mapping[str, int]
Chooser = Callable[[Weights], str]
"""A rule at work: whom it gives the next deal to, of those who are there."""


def names(number: int) -> list[str]:
    return [f"p{i:02d}" for i in range(number)]


def ordinary(steps: int, seed: int = 1) -> dict[str, list[Weights]]:
    """The eight streams of eight people on which rules are compared."""
    draw = random.Random(seed)
    people = names(8)
    percent = dict(zip(people, (6, 4, 3, 2, 2, 1, 1, 1), strict=True))
    one = dict.fromkeys(people, 1)

    def some(weights: Weights) -> Weights:
        there = [p for p in people if draw.random() < 0.5] or [draw.choice(people)]
        return {p: weights[p] for p in there}

    def of(weights: Weights, there: Sequence[str]) -> Weights:
        return {p: weights[p] for p in there}

    return {
        "all present, equal": [one] * steps,
        "all present, percent": [percent] * steps,
        "there or not at random, equal": [some(one) for _ in range(steps)],
        "there or not at random, percent": [some(percent) for _ in range(steps)],
        "one of three away at every second": [
            of(one, people[:3] if t % 2 else [people[0], people[2]]) for t in range(steps)
        ],
        "two shifts, one person in both": [
            of(percent, people[:4] if t // 40 % 2 else people[3:]) for t in range(steps)
        ],
        "one joins after a quarter": [
            of(one, people[:-1] if t < steps // 4 else people) for t in range(steps)
        ],
        "back from a leave": [
            of(percent, people[1:] if steps * 0.15 < t < steps * 0.3 else people) for t in range(steps)
        ],
    }


class Hostile:
    """An enemy who sees the ledger and says who is there. Seed 0 sends away whoever was served; the others show neighbours."""

    def __init__(self, number: int, seed: int) -> None:
        self.people = names(number)
        self.seed = seed
        self.ledger = TurnLedger()
        self._draw = random.Random(seed)
        self._left: list[str] = []

    def shows(self) -> Weights:
        return self._all_but_the_served() if self.seed == 0 else self._neighbours()

    def _all_but_the_served(self) -> Weights:
        served = max(self.ledger.last, key=lambda p: self.ledger.last[p], default="")
        self._left = [p for p in self._left if p != served]
        if len(self._left) < 1:
            self._left = list(self.people)
        return dict.fromkeys(self._left, 1)

    def _neighbours(self) -> Weights:
        by_credit = sorted(self.people, key=lambda p: self.ledger.credits.get(p, 0))
        at = self._draw.randint(0, len(self.people) - 2)
        there = by_credit[at : at + 2]
        if self._draw.random() > 0.97:
            there = self._draw.sample(self.people, self._draw.randint(2, len(self.people)))
        return {p: 1 if self.seed % 2 else self._draw.choice((1, 10, 1000)) for p in sorted(there)}


def unfairness(choose: Chooser, stream: Sequence[Weights]) -> tuple[float, int]:
    """Return by how many deals anybody ever was off what they were entitled to while there, and the longest run of one person
    while three or more were there."""
    off: dict[str, int] = {}
    worst, run, longest, before = 0, 0, 0, ""
    for weights in stream:
        who = choose(weights)
        assert who in weights
        for person, share in shares(weights).items():
            off[person] = off.get(person, 0) + share
        off[who] -= UNIT
        worst = max(worst, max(off.values()), -min(off.values()))
        run = run + 1 if who == before and len(weights) >= 3 else 1
        longest, before = max(longest, run), who
    return worst / UNIT, longest
