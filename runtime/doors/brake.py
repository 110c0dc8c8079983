"""Who shows wrong secrets is slowed: so many are borne with at once, then so many a minute, each address by itself."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from runtime.doors.admissions import network_of

BORNE = 20
_A_MINUTE = 10
_MOST_SOURCES = 10_000


class Brake:
    """Asked about wrong secrets only: whoever shows a valid one never meets it, whatever came from the same address.

    An IPv6 network of 64 bits is one source. Of more than 10,000 sources those that were wrong longest ago are forgotten.
    """

    def __init__(
        self,
        *,
        borne: int = BORNE,
        a_minute: int = _A_MINUTE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._borne, self._per_second, self._clock = borne, a_minute / 60, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # source -> (left, as of when)

    def __len__(self) -> int:
        return len(self._left)

    def wrong(self, address: str) -> float:
        """Note one wrong secret; return the seconds until the next is borne with, 0 = this one was."""
        source, now = network_of(address), self._clock()
        left, as_of = self._left.pop(source, (float(self._borne), now))
        left = min(self._borne, left + (now - as_of) * self._per_second)
        wait = 0.0 if left >= 1 else (1 - left) / self._per_second
        self._left[source] = (left - 1 if left >= 1 else left, now)
        if len(self._left) > _MOST_SOURCES:
            self._left.popitem(last=False)
        return wait
