"""Memory that a rush took is given back to the system.

The garbage collector is tuned to stay out of the way while phones ring, so that what a broken request leaves behind could
lie there for hours, and the C library keeps what was freed.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import os
import time
from collections.abc import Callable, Iterator

from runtime.cancellation import sleep_unless_cancelled
from runtime.metrics import Sample

_MIB = 1024 * 1024
_PAGE = os.sysconf("SC_PAGE_SIZE")
_LOOKS_SECONDS = 2.0
_GROWN, _GROWN_MUCH = 16 * _MIB, 64 * _MIB


def resident_bytes() -> int:
    """Of this process; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return 0


def _trim() -> None:
    """Let the C library return what is free; only glibc knows how."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


class MemoryKeeper:
    """is_quiet: nobody would notice a pause of some milliseconds now. Grown by 16 MiB it waits for that; by 64 MiB it does not."""

    def __init__(
        self,
        is_quiet: Callable[[], bool],
        *,
        resident: Callable[[], int] = resident_bytes,
        looks_seconds: float = _LOOKS_SECONDS,
    ) -> None:
        self._is_quiet, self._resident, self._looks_seconds = is_quiet, resident, looks_seconds
        self.given_back = 0
        self.longest_seconds = 0.0

    async def run(self) -> None:
        """Never ends by itself."""
        settled = self._resident()
        while True:
            await sleep_unless_cancelled(self._looks_seconds)
            now = self._resident()
            settled = min(settled, now)
            if now - settled > _GROWN_MUCH or (now - settled > _GROWN and self._is_quiet()):
                settled = await self._give_back()

    async def _give_back(self) -> int:
        began = time.perf_counter()
        gc.collect()
        self.longest_seconds = max(self.longest_seconds, time.perf_counter() - began)
        self.given_back += 1
        await asyncio.to_thread(_trim)
        return self._resident()

    def samples(self) -> Iterator[Sample]:
        """For the metrics."""
        yield "gauge", "memory_resident_bytes", "Memory of this process", {}, self._resident()
        yield "counter", "memory_given_back", "times that garbage was collected", {}, self.given_back
        yield (
            "gauge",
            "memory_collection_seconds_longest",
            "longest pause of these",
            {},
            self.longest_seconds,
        )
