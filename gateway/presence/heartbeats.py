"""Where the heartbeats of open pages are kept, so that whoever judges sees those of all gateways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import asyncpg

from gateway.store.presence import pages as store
from routing.attendance.pages import PageBeat, later

MOST_PAGES = 20
"""Of one employee that are remembered; whoever sends more has a program send them."""


class BeatsLost(Exception):
    """The heartbeats cannot be kept or read now: of open pages nothing is known."""

    code, retryable = "heartbeats-lost", True


Beats = Mapping[str, Sequence[PageBeat]]
"""Of one account, by employee."""


class Heartbeats(Protocol):
    """Takes a beat, and tells all that are young enough to say something."""

    async def beat(self, account_id: str, employee_id: str, beat: PageBeat) -> None:
        """Take it. Raises BeatsLost."""
        ...

    async def write(self) -> None:
        """Let others see what was taken so far. Raises BeatsLost."""
        ...

    async def beats_of(self, account_id: str) -> Beats:
        """Return what is known. Raises BeatsLost."""
        ...

    async def close(self) -> None: ...


class StoredHeartbeats:
    """In the process's memory, and from there in PostgreSQL every few seconds: a page that is open costs one row."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._unwritten: dict[tuple[str, str, str], PageBeat] = {}

    async def beat(self, account_id: str, employee_id: str, beat: PageBeat) -> None:
        key = (account_id, employee_id, beat.page)
        self._unwritten[key] = later(self._unwritten.get(key), beat)

    async def write(self) -> None:
        taken, self._unwritten = self._unwritten, {}
        if not taken:
            return
        try:
            async with self._pool.acquire() as conn, conn.transaction():
                await store.keep(conn, taken)
        except BaseException:
            for key, beat in taken.items():
                self._unwritten[key] = later(self._unwritten.get(key), beat)
            raise

    async def beats_of(self, account_id: str) -> Beats:
        async with self._pool.acquire() as conn:
            return await store.pages_of(conn, account_id, MOST_PAGES)

    async def close(self) -> None:
        await self.write()
