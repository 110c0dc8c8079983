"""One account's CRM traffic goes through one process at a time.

The lease is a session advisory lock of PostgreSQL on a connection of its own. Its holder proves every second that the
session lives, and falls silent when it could not for `SILENT_SECONDS`. The server ends a session that says nothing for
longer than that, or whose host is gone, so a lease is never in two hands: the old one is silent before the new one begins.
What is left: a process that is frozen between its last check and the send itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Protocol

import asyncpg

from runtime.cancellation import sleep_unless_cancelled
from runtime.database.errors import DATABASE_ERRORS

CONFIRM_SECONDS = 1.0
SILENT_SECONDS = 3.0
RETRY_SECONDS = 0.5

_SERVER_SETTINGS = {
    "application_name": "callmatrix lease",
    # The session ends when its holder is frozen or gone; both are longer than SILENT_SECONDS.
    "idle_session_timeout": "4500",
    "tcp_keepalives_idle": "2",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "2",
    "tcp_user_timeout": "4500",
}


class LeaseLost(Exception):
    """Another process may send for this account now: say nothing more to its CRM."""

    code = "lease-lost"


class Held(Protocol):
    """What a sender needs of a lease."""

    lost: asyncio.Event

    def check(self) -> None: ...


class Lease:
    """The right to talk to one account's CRM, or to serve another thing that only one process may (`purpose`).

    clock: steady seconds. `lost` is set once the lease is gone, for those who wait; `check` before every send.
    """

    def __init__(
        self, dsn: str, account_id: str, *, purpose: str = "crm", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._dsn = dsn
        self._purpose = purpose
        self._account = account_id
        self._clock = clock
        self._conn: asyncpg.Connection | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._valid_until = 0.0
        self.lost = asyncio.Event()

    @property
    def is_held(self) -> bool:
        return self._conn is not None and not self._conn.is_closed() and self._clock() < self._valid_until

    def check(self) -> None:
        """Raises LeaseLost. Costs no I/O."""
        if not self.is_held:
            self.lost.set()
            raise LeaseLost(f"the lease of account {self._account} is not ours")

    async def acquire(self) -> None:
        """Waits until no other process holds it. What the last one sent may still count in the CRM's window."""
        while not await self.try_acquire():
            await sleep_unless_cancelled(RETRY_SECONDS)

    async def try_acquire(self) -> bool:
        """False when another process holds it or the database does not answer."""
        if self._keeper is not None:
            await self.release()
        try:
            async with asyncio.timeout(10):
                return await self._connect_and_lock()
        except DATABASE_ERRORS:
            await self._drop()
            return False

    async def release(self) -> None:
        """Gives it back; harmless when it is not held."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
        self._valid_until = 0.0
        self.lost.set()
        if self._conn is not None:
            with contextlib.suppress(*DATABASE_ERRORS):
                await self._conn.close(timeout=2)
            await self._drop()

    async def __aenter__(self) -> Lease:
        await self.acquire()
        return self

    async def __aexit__(self, *args: object) -> None:
        await self.release()

    async def _connect_and_lock(self) -> bool:
        if self._conn is None or self._conn.is_closed():
            self._conn = await asyncpg.connect(
                self._dsn, timeout=5, command_timeout=SILENT_SECONDS, server_settings=_SERVER_SETTINGS
            )
        asked_at = self._clock()
        is_ours = await self._conn.fetchval(
            "SELECT pg_try_advisory_lock(hashtextextended('callmatrix ' || $2 || ' ' || $1, 0))",
            self._account,
            self._purpose,
        )
        if not is_ours:
            return False
        self._valid_until = asked_at + SILENT_SECONDS
        self.lost = asyncio.Event()
        self._keeper = asyncio.create_task(self._keep(self._conn))
        return True

    async def _keep(self, conn: asyncpg.Connection) -> None:
        try:
            while True:
                await asyncio.sleep(CONFIRM_SECONDS)
                asked_at = self._clock()
                await conn.fetchval("SELECT 1", timeout=SILENT_SECONDS - CONFIRM_SECONDS)
                if self._clock() > self._valid_until:
                    raise LeaseLost("confirmed too late")
                self._valid_until = asked_at + SILENT_SECONDS
        except (*DATABASE_ERRORS, LeaseLost):
            self._valid_until = 0.0
            self.lost.set()
            await self._drop()

    async def _drop(self) -> None:
        if self._conn is not None:
            self._conn.terminate()
            self._conn = None
