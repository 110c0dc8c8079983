"""Workers killed at a chosen moment of what goes out: the doubles see a request come and kill whoever sent it; what no double can
see, the database holds up (held.py)."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from aiohttp import web

SEEN_POINTS = ("call-before-request", "call-after-request", "text-before-request", "text-after-request")
"""before: it was committed that a request goes out, and nobody has read it. after: the request was carried out, and not answered."""


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

    def kill_sender(self, point: str, request: web.Request) -> bool:
        """Whether whoever sent this was to be killed at that point, and was. One that was gone already leaves it to the next."""
        if point not in self._armed or not self._may() or request.transport is None:
            return False
        name = owner_of(request.transport.get_extra_info("peername")[1], self._workers())
        if name is None or not self._kill(name):
            return False
        self._armed.discard(point)
        self.has_fired(point)
        return True

    def kill_all(self) -> bool:
        killed = [self._kill(name) for name in self._workers()]
        return any(killed)

    def has_fired(self, point: str) -> None:
        self.fired[point] += 1

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
