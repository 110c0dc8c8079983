"""What strangers cause is told seldom: at once the first time, then once a minute with how often it happened."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog

log = structlog.get_logger(__name__)

_MOST_SOURCES = 1000
_MOST_LINES = 30
OTHERS = "others"


class SeldomTold:
    """event: the line's name. Each source (an address) is told by itself, at most 30 of them a minute; the rest in one line.

    total: since the start of this process.
    """

    def __init__(
        self, event: str, *, seconds: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._event, self._seconds, self._clock = event, seconds, clock
        self._untold: dict[str, int] = {}
        self._told_at: dict[str, float] = {}
        self._minute, self._lines = 0.0, 0
        self.total = 0

    def note(self, source: str, **facts: Any) -> None:
        """facts: of this very case; those of the cases between two lines are not told."""
        self.total += 1
        now = self._clock()
        if now - self._minute >= self._seconds:
            self._minute, self._lines = now, 0
        if source not in self._told_at and (
            self._lines >= _MOST_LINES or len(self._told_at) >= _MOST_SOURCES
        ):
            self._forget_old(now)
            source = OTHERS
        count = self._untold[source] = self._untold.get(source, 0) + 1
        if now - self._told_at.get(source, -self._seconds) < self._seconds:
            return
        self._told_at[source], self._untold[source] = now, 0
        self._lines += 1
        log.warning(self._event, address=source, count=count, **facts)

    def _forget_old(self, now: float) -> None:
        if len(self._told_at) < _MOST_SOURCES:
            return
        self._told_at = {s: at for s, at in self._told_at.items() if now - at < self._seconds}
        self._untold = {s: n for s, n in self._untold.items() if s in self._told_at}
