"""How many items a request carries: less after the CRM could not digest a batch, slowly more again after good ones. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
GOOD_ONES_TO_GROW = 8


class BatchSize:
    """limit: the most that the API allows."""

    def __init__(self, limit: int) -> None:
        self.limit = self.now = limit
        self._good = 0

    def too_large(self, sent: int) -> None:
        """A request of so many items came back as 504 or 413."""
        self.now = max(1, min(self.now, sent // 2))
        self._good = 0

    def on_success(self) -> None:
        self._good += 1
        if self._good >= GOOD_ONES_TO_GROW and self.now < self.limit:
            self.now = min(self.limit, self.now * 2)
            self._good = 0

    def split(self, items: Sequence[T]) -> Iterator[Sequence[T]]:
        """The items in order, as many at a time as is sensible when each is sent."""
        start = 0
        while start < len(items):
            end = start + self.now
            yield items[start:end]
            start = end
