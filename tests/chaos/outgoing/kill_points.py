"""Workers killed at a chosen moment of what goes out: the doubles see the moment, and kill whoever is on the other end."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

CALL_POINTS = ("call-before-request", "call-after-request", "call-before-outcome")
TEXT_POINTS = ("text-before-request", "text-after-request", "text-after-answer")
CLAIMED_POINT = "call-claimed"
"""Between the commit of the attempt and the step that lets the request out: see claimed.py."""
POINTS = (CLAIMED_POINT, *CALL_POINTS, *TEXT_POINTS)


class KillPoints:
    """workers: pids by name, of those that run. kill: kill -9 by name; whether it died of it. may: whether one may be killed now.
    fired: how often, by point."""

    def __init__(
        self,
        workers: Callable[[], Mapping[str, int]],
        kill: Callable[[str], bool],
        may: Callable[[], bool] = lambda: True,
    ) -> None:
        self._workers, self._kill, self._may = workers, kill, may
        self._armed: set[str] = set()
        self.fired: Counter[str] = Counter()

    def is_due(self, point: str) -> bool:
        """Whether whoever comes there now is to be killed; told once."""
        if point not in self._armed or not self._may():
            return False
        self._armed.discard(point)
        return True

    def kill_peer(self, point: str, port: int) -> bool:
        """Kill the worker on the other end of a connection."""
        name = owner_of(port, self._workers())
        if name is None or not self._kill(name):
            self._armed.add(point)  # it was gone already: the next one
            return False
        return True

    def kill_all(self) -> bool:
        killed = [self._kill(name) for name in self._workers()]
        return any(killed)

    def has_fired(self, point: str) -> None:
        self.fired[point] += 1

    def again(self, point: str) -> None:
        """It was not that moment after all."""
        self._armed.add(point)

    async def at(self, point: str, seconds: float) -> bool:
        """Kill whoever comes there next. False: nobody did in time."""
        before, deadline = self.fired[point], time.monotonic() + seconds
        self._armed.add(point)
        try:
            while self.fired[point] == before and time.monotonic() < deadline:
                await asyncio.sleep(0.05)
        finally:
            self._armed.discard(point)
        return self.fired[point] > before


def owner_of(port: int, pids: Mapping[str, int]) -> str | None:
    """Which of these processes has the local end of a loopback connection."""
    inodes = {line[9] for line in _sockets() if int(line[1].rpartition(":")[2], 16) == port}
    wanted = {f"socket:[{inode}]" for inode in inodes}
    return next((name for name, pid in pids.items() if wanted & _open_files(pid)), None)


def _sockets() -> list[list[str]]:
    return [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]


def _open_files(pid: int) -> set[str]:
    found = set()
    try:
        for file in Path(f"/proc/{pid}/fd").iterdir():
            try:
                found.add(os.readlink(file))
            except OSError:  # closed since
                continue
    except OSError:  # the process is gone
        return set()
    return found
