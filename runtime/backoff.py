"""How long to wait after a failure: ever longer while one follows the other. Pure; knows no clock."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

_DOUBLINGS = 32

Spread: TypeAlias = tuple[float, float]
"""A pause is multiplied by something between the two, so that those who failed together do not come back together."""


def grown_pause(failures: int, first: float, longest: float) -> float:
    """Seconds after so many failures in a row: `first`, twice that, four times …, at most `longest`. 0 after none."""
    return min(first * 2.0 ** min(failures - 1, _DOUBLINGS), longest) if failures > 0 else 0.0


def spread_out(seconds: float, spread: Spread, random: Callable[[], float]) -> float:
    """Return the pause a little shorter or longer, so that it differs from that of others."""
    low, high = spread
    return seconds * (low + (high - low) * random())


@dataclass(slots=True)
class Backoff:
    """Failures in a row of one thing. seconds: of the first and the longest pause. random: 0 ≤ x < 1.

    steady_seconds: what ran for so long before it failed counts as a success.
    """

    first: float
    longest: float
    spread: Spread = (1.0, 1.0)
    steady_seconds: float = float("inf")
    random: Callable[[], float] = random.random
    failures: int = 0

    def failed(self, ran_seconds: float = 0.0) -> float:
        """One more failure; seconds to wait now."""
        self.failures = 1 if ran_seconds >= self.steady_seconds else self.failures + 1
        return self.pause()

    def succeeded(self) -> None:
        self.failures = 0

    def pause(self) -> float:
        """Seconds to wait after the failures so far."""
        return spread_out(grown_pause(self.failures, self.first, self.longest), self.spread, self.random)
