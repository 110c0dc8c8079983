"""Number -> candidates of one account, in the memory of one process: what answers while a phone rings.

Sorted segments of some hundred numbers each (numbers, offsets and one run of bytes: no Python object per number), and a
dict of recent changes in front of them that is worked into the segments in short slices.
"""

from __future__ import annotations

import asyncio
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from time import perf_counter
from typing import NamedTuple

from crm.store.encoding import EncodedRow, decode
from routing.client import Candidate
from routing.numbers.plans import earlier_key

SEGMENT = 512
RECENT_LIMIT = 8192
SLICE_SECONDS = 0.002


_NOBODY: Sequence[Candidate] = ()


class Segment(NamedTuple):
    """numbers: ascending. ends: len(numbers) + 1 offsets into blob, the first is 0."""

    numbers: array[int]
    ends: array[int]
    blob: bytes


class SegmentBuilder:
    """Takes rows in ascending order of number and packs them."""

    def __init__(self, segment: int = SEGMENT) -> None:
        self._size = segment
        self.segments: list[Segment] = []
        self.count = 0
        self._waiting: list[EncodedRow] = []

    def add(self, rows: Iterable[EncodedRow]) -> None:
        self._waiting.extend(rows)
        whole = len(self._waiting) - len(self._waiting) % self._size
        for start in range(0, whole, self._size):
            self._pack(self._waiting[start : start + self._size])
        del self._waiting[:whole]

    def finish(self) -> list[Segment]:
        if self._waiting:
            self._pack(self._waiting)
            self._waiting = []
        return self.segments

    def _pack(self, rows: Sequence[EncodedRow]) -> None:
        self.segments.append(_packed(rows))
        self.count += len(rows)


class Directory:
    """What every number of one account leads to.

    is_ready: memory holds all rows of the database. is_complete: those rows hold all of the CRM (its first load is over).
    in_sync_at: when the rows were last known to agree with the CRM, None = never. version: grows with every change applied.
    """

    def __init__(self, account_id: str, segment: int = SEGMENT) -> None:
        self.account_id = account_id
        self._size = segment
        self.is_ready = False
        self.is_complete = False
        self._in_sync_at: datetime | None = None
        self._in_sync_seconds = 0.0
        self.version = 0
        self._firsts = array("Q")
        self._segments: list[Segment] = []
        self._recent: dict[int, bytes] = {}
        self._count = 0
        self._settling = asyncio.Lock()

    def __len__(self) -> int:
        """Numbers held; exact once `settle` has run, otherwise off by the recent changes."""
        return max(self._count, sum(1 for encoded in self._recent.values() if encoded))

    def find(self, number: int) -> Sequence[Candidate]:
        """Everything that `number` leads to: contacts and companies with an open deal first, then the latest updated."""
        encoded = self._recent.get(number)
        if encoded is None:
            at = bisect_right(self._firsts, number) - 1
            if at < 0:
                return _NOBODY
            numbers, ends, blob = self._segments[at]
            index = bisect_left(numbers, number)
            if index == len(numbers) or numbers[index] != number:
                return _NOBODY
            encoded = blob[ends[index] : ends[index + 1]]
        return decode(encoded) if encoded else _NOBODY

    def find_caller(self, e164: str) -> Sequence[Candidate]:
        """Return the same of a number as it is read; rows that were stored under a former spelling of it are found as well."""
        found = self.find(int(e164[1:]))
        if not found and (earlier := earlier_key(e164)) is not None:
            return self.find(earlier)
        return found

    @property
    def in_sync_at(self) -> datetime | None:
        return self._in_sync_at

    @in_sync_at.setter
    def in_sync_at(self, at: datetime | None) -> None:
        self._in_sync_at, self._in_sync_seconds = at, at.timestamp() if at else 0.0

    def age_ms(self, now: float) -> int | None:
        """Milliseconds since the directory was last known to agree with the CRM, None = never. now: Unix seconds."""
        return max(0, int((now - self._in_sync_seconds) * 1000)) if self._in_sync_at else None

    def memory_bytes(self) -> int:
        held = sum(
            sys.getsizeof(s) + sys.getsizeof(s.numbers) + sys.getsizeof(s.ends) + sys.getsizeof(s.blob)
            for s in self._segments
        )
        recent = sys.getsizeof(self._recent) + sum(32 + sys.getsizeof(v) for v in self._recent.values())
        return held + recent + sys.getsizeof(self._segments) + sys.getsizeof(self._firsts)

    def replace(self, segments: list[Segment]) -> None:
        """Hold exactly these from now on."""
        self._segments = segments
        self._firsts = array("Q", (s.numbers[0] for s in segments))
        self._recent = {}
        self._count = sum(len(s.numbers) for s in segments)
        self.version += 1

    def change(self, rows: Iterable[EncodedRow]) -> None:
        """Apply changes at once; call `settle` now and then."""
        self._recent.update(rows)
        self.version += 1

    @property
    def is_due(self) -> bool:
        """Enough recent changes have gathered to be worth working in."""
        return len(self._recent) > RECENT_LIMIT

    async def settle(self) -> None:
        """Works recent changes into the segments, some milliseconds at a time; lookups go on in between."""
        async with self._settling:
            numbers = sorted(self._recent)
            started, index = perf_counter(), 0
            while index < len(numbers):
                index = self._settle_one(numbers, index)
                if perf_counter() - started > SLICE_SECONDS:
                    await asyncio.sleep(0)
                    started = perf_counter()

    def _settle_one(self, numbers: Sequence[int], index: int) -> int:
        """Rebuilds the one segment that numbers[index] belongs to. The index of the first number that is beyond it."""
        at = max(0, bisect_right(self._firsts, numbers[index]) - 1)
        beyond = len(numbers)
        if at + 1 < len(self._firsts):
            beyond = bisect_left(numbers, self._firsts[at + 1], index)
        beyond = min(beyond, index + self._size)  # a bulk of new numbers into one segment stays short as well
        # A reload in between may have emptied the dict: what is gone from it is no change any more.
        taken = {n: self._recent.pop(n) for n in numbers[index:beyond] if n in self._recent}
        old = self._segments[at : at + 1]
        rows = _merged(old[0], taken) if old else sorted((n, v) for n, v in taken.items() if v)
        new = _split(rows, self._size)
        self._count += len(rows) - sum(len(s.numbers) for s in old)
        self._segments[at : at + 1] = new
        self._firsts[at : at + 1] = array("Q", (s.numbers[0] for s in new))
        return beyond


def _split(rows: Sequence[EncodedRow], segment: int) -> list[Segment]:
    """Split rows into segments: one may grow to twice its size before it is split; nothing makes no segment."""
    size = segment if len(rows) > 2 * segment else max(1, len(rows))
    return [_packed(rows[start : start + size]) for start in range(0, len(rows), size)]


def _packed(rows: Sequence[EncodedRow]) -> Segment:
    ends, end = array("I", (0,)), 0
    for _, encoded in rows:
        end += len(encoded)
        ends.append(end)
    return Segment(array("Q", [n for n, _ in rows]), ends, b"".join([e for _, e in rows]))


def _merged(segment: Segment, changes: dict[int, bytes]) -> list[EncodedRow]:
    numbers, ends, blob = segment
    rows = {n: blob[ends[i] : ends[i + 1]] for i, n in enumerate(numbers)}
    rows.update(changes)
    return sorted((n, encoded) for n, encoded in rows.items() if encoded)
