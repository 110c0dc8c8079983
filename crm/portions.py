"""How much one request carries or asks for: less after the CRM could not digest it, slowly more again after good ones. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

# The largest batches that a request may carry (amoCRM; facts: vendor's limits).
COMPLEX_LIMIT = 50
BATCH_LIMIT = 250

GOOD_ONES_TO_GROW = 8
MOST_GOOD_ONES_TO_GROW = 512


def steps_of(limit: int) -> tuple[int, ...]:
    """Sizes from `limit` down to 1, each at most half of the one before and a divisor of it: smaller pages then begin and
    end where the larger one did."""
    steps = [limit]
    while steps[-1] > 1:
        steps.append(next(n for n in range(steps[-1] // 2, 0, -1) if steps[-1] % n == 0))
    return tuple(steps)


def halves(some: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
    """Return the two parts in which one is looked for that spoils them all."""
    middle = len(some) // 2
    return some[:middle], some[middle:]


class Portion:
    """limit: the most that the API allows. Growing that fails is tried again ever later."""

    __slots__ = ("_at", "_good", "_has_grown", "_needed", "steps")

    def __init__(self, limit: int) -> None:
        self.steps = steps_of(limit)
        self._at = self._good = 0
        self._needed = GOOD_ONES_TO_GROW
        self._has_grown = False

    @property
    def now(self) -> int:
        return self.steps[self._at]

    def too_large(self, size: int) -> None:
        """Note that a request of so many came back as 504 or 413."""
        smaller = next(i for i, step in enumerate(self.steps) if step <= max(1, size // 2))
        if smaller > self._at:
            self._needed = min(MOST_GOOD_ONES_TO_GROW, self._needed * 2) if self._has_grown else self._needed
            self._at, self._has_grown = smaller, False
        self._good = 0

    def forget(self) -> None:
        """Forget, since it was not the size: begin with the most again."""
        self._at, self._good, self._has_grown = 0, 0, False

    def on_success(self, size: int) -> None:
        """Note that a request of so many went well; smaller ones than are allowed now prove nothing."""
        if not self._at or size < self.now:
            return
        self._good += 1
        if self._good >= self._needed:
            self._at, self._good, self._has_grown = self._at - 1, 0, True
            self._needed = self._needed if self._at else GOOD_ONES_TO_GROW * 2
