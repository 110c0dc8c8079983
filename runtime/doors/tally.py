"""How often something happened and where it came from, until it is fetched: so many sources and no more."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from runtime.doors.seldom import OTHERS

_MOST_SOURCES = 500
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Stranger:
    """what: a door, or what was wrong. connection: the name that was asked for, "" = none of ours."""

    what: str
    connection: str
    address: str


class Tally:
    """In an hour 500 addresses are told apart; what comes from further ones is summed up."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: dict[Stranger, int] = {}
        self._sources: set[str] = set()
        self._since = clock()

    def note(self, what: str, connection: str, address: str) -> None:
        now = self._clock()
        if now - self._since > _HOUR:
            self._sources, self._since = set(), now
        if address not in self._sources:
            if len(self._sources) >= _MOST_SOURCES:
                address = OTHERS
            else:
                self._sources.add(address)
        stranger = Stranger(what, connection, address)
        self._counts[stranger] = self._counts.get(stranger, 0) + 1

    def fetch(self) -> dict[Stranger, int]:
        """Return what was counted since the last time, and begin anew."""
        counts, self._counts = self._counts, {}
        return counts
