"""One account's CRM traffic goes through one process at a time; so does whatever else only one process may do.

A lease is a session advisory lock of PostgreSQL. All leases of a process are locks of one session, on a connection of its
own. Every second the process proves that the session lives, with one statement for all leases, and all of them fall silent
when it could not for `SILENT_SECONDS`. The server ends a session that says nothing for longer than that, or whose host is
gone, so a lease is never in two hands: the old one is silent before the new one begins. A lease that is given back alone is
unlocked after it has fallen silent. A session takes a lock of its own a second time without a murmur, so that two leases of
one name in one process are kept apart here. What is left: a process that is frozen between its last check and the send.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import asyncpg
import structlog

from runtime.cancellation import raise_if_cancelled
from runtime.database.errors import DATABASE_ERRORS
from runtime.database.pool import Conn, tls_of

log = structlog.get_logger(__name__)

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
_LOCK = (
    "SELECT name, pg_try_advisory_lock(hashtextextended('callmatrix ' || name, 0)) AS is_ours"
    " FROM unnest($1::text[]) AS name"
)
_UNLOCK = (
    "SELECT pg_advisory_unlock(hashtextextended('callmatrix ' || name, 0)) FROM unnest($1::text[]) AS name"
)

# A lock that is named by one number stands here as its two halves.
_IS_TAKEN = (
    "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND (classid::bigint << 32 | objid::bigint) = hashtextextended('callmatrix ' || $1, 0))"
)

_T = TypeVar("_T")


def steady_seconds() -> float:
    """Return a clock that nobody sets and that goes on while the machine is suspended: the server ends our session meanwhile."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


async def is_taken(conn: Conn, name: str) -> bool:
    """Whether any process holds this lease, or its session has not ended yet. name: as `Lease.name`."""
    return bool(await conn.fetchval(_IS_TAKEN, name))


class LeaseLost(Exception):
    """Another process may send for this account now: say nothing more to its CRM."""

    code = "lease-lost"


class Held(Protocol):
    """What a sender needs of a lease."""

    lost: asyncio.Event

    def check(self) -> None: ...


class Leases:
    """The leases of one process. The connection is there while one of them is held or waited for.

    clock: steady seconds.
    """

    def __init__(self, dsn: str, *, clock: Callable[[], float] = steady_seconds) -> None:
        self._dsn = dsn
        self._clock = clock
        self._conn: asyncpg.Connection | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._valid_until = 0.0
        self._held: dict[str, Lease] = {}
        self._waiting: dict[Lease, asyncio.Future[bool]] = {}
        self._patient: set[Lease] = set()
        self._returned: dict[str, asyncio.Future[None]] = {}

    def of(self, account_id: str, purpose: str = "crm") -> Lease:
        """Return the right to talk to this account's CRM, or to serve another thing that only one process may."""
        return Lease(self, f"{purpose} {account_id}")

    def is_valid(self, lease: Lease) -> bool:
        return self._held.get(lease.name) is lease and self._clock() < self._valid_until

    async def attempt(self, lease: Lease, *, is_patient: bool) -> bool:
        """In the next turn of the keeper, together with all others who ask. is_patient: and in every further turn, until
        it is ours."""
        if is_patient:
            self._patient.add(lease)
        asked: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[lease] = asked
        self._wake()
        try:
            return await asked
        except asyncio.CancelledError:
            await self.give_back(lease)
            raise
        finally:
            self._waiting.pop(lease, None)
            self._patient.discard(lease)

    async def give_back(self, lease: Lease) -> None:
        """Silent at once; unlocked by the keeper's next turn, which is waited for."""
        lease.lost.set()
        if self._held.get(lease.name) is not lease:
            return
        del self._held[lease.name]
        done = self._returned[lease.name] = asyncio.get_running_loop().create_future()
        self._wake()
        await asyncio.shield(done)

    def _wake(self) -> None:
        self._woken.set()
        if self._keeper is None or self._keeper.done():
            self._keeper = asyncio.create_task(self._keep(), name="leases")

    @property
    def _is_needed(self) -> bool:
        return bool(self._held or self._waiting or self._returned)

    async def _keep(self) -> None:
        try:
            while self._is_needed:
                self._woken.clear()
                pause = RETRY_SECONDS if self._waiting else CONFIRM_SECONDS
                try:
                    await self._turn()
                except (*DATABASE_ERRORS, LeaseLost) as err:
                    self._lose_all(err)
                    pause = RETRY_SECONDS
                except Exception as err:
                    log.exception("leases-failed", error=type(err).__name__)
                    self._lose_all(err)
                await self._pause(pause)
            if self._conn is not None:
                with contextlib.suppress(*DATABASE_ERRORS):
                    await self._conn.close(timeout=2)
        finally:
            self._lose_all(None)
            self._keeper = None
        if self._is_needed:  # somebody asked while the connection closed
            self._wake()

    async def _pause(self, seconds: float) -> None:
        raise_if_cancelled()
        if not self._is_needed:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()

    async def _turn(self) -> None:
        async with asyncio.timeout(10):
            conn = await self._connected()
        if self._returned:
            names = list(self._returned)
            await self._confirmed(conn.fetch(_UNLOCK, names, timeout=SILENT_SECONDS - CONFIRM_SECONDS))
            for name in names:
                _settle(self._returned.pop(name), None)
        if not await self._lock_waiting(conn) and self._held:
            await self._confirmed(conn.fetch("SELECT 1", timeout=SILENT_SECONDS - CONFIRM_SECONDS))

    async def _connected(self) -> asyncpg.Connection:
        if self._conn is None or self._conn.is_closed():
            if self._held:
                raise LeaseLost("the session is gone")
            self._conn = await asyncpg.connect(
                self._dsn,
                ssl=tls_of(self._dsn),
                timeout=5,
                command_timeout=SILENT_SECONDS,
                server_settings=_SERVER_SETTINGS,
            )
        return self._conn

    async def _lock_waiting(self, conn: asyncpg.Connection) -> bool:
        """Whether anything was asked of the server."""
        waiting = {lease.name: lease for lease in reversed(self._waiting) if lease.name not in self._held}
        for lease in list(self._waiting):
            if waiting.get(lease.name) is not lease:  # another part of this process has it, or asks too
                self._refuse(lease)
        if not waiting:
            return False
        rows = await self._confirmed(
            conn.fetch(_LOCK, list(waiting), timeout=SILENT_SECONDS - CONFIRM_SECONDS)
        )
        for row in rows:
            self._answer(waiting[row["name"]], row["is_ours"])
        return True

    def _answer(self, lease: Lease, is_ours: bool) -> None:
        if not is_ours:
            self._refuse(lease)
            return
        asked = self._waiting.pop(lease, None)
        if asked is None or asked.done():  # who asked has gone meanwhile
            self._returned[lease.name] = asyncio.get_running_loop().create_future()
            self._woken.set()
            return
        lease.lost = asyncio.Event()
        self._held[lease.name] = lease
        asked.set_result(True)

    def _refuse(self, lease: Lease) -> None:
        if lease not in self._patient and (asked := self._waiting.pop(lease, None)) is not None:
            _settle(asked, False)

    async def _confirmed(self, asking: Awaitable[list[asyncpg.Record]]) -> list[asyncpg.Record]:
        """Return what the session answers, which proves that it lived when it was asked."""
        asked_at = self._clock()
        rows = await asking
        if self._held and self._clock() > self._valid_until:
            raise LeaseLost("confirmed too late")
        self._valid_until = asked_at + SILENT_SECONDS
        return rows

    def _lose_all(self, because: Exception | None) -> None:
        """Give the session up: with it go all locks, whatever the server was told last."""
        held, self._held = self._held, {}
        self._valid_until = 0.0
        for lease in held.values():
            lease.lost.set()
        if held:
            log.warning("leases-lost", count=len(held), error=repr(because))
        if self._conn is not None:
            self._conn.terminate()
            self._conn = None
        for done in self._returned.values():
            _settle(done, None)
        self._returned.clear()
        if because is not None:
            for lease in list(self._waiting):
                self._refuse(lease)


class Lease:
    """One lease of `Leases.of`. `lost` is set once it is gone, for those who wait; `check` before every send."""

    def __init__(self, leases: Leases, name: str) -> None:
        self.name = name
        self.lost = asyncio.Event()
        self._leases = leases

    @property
    def is_held(self) -> bool:
        return self._leases.is_valid(self)

    def check(self) -> None:
        """Check that it is still ours. Raises LeaseLost. Costs no I/O."""
        if not self.is_held:
            self.lost.set()
            raise LeaseLost(f"the lease '{self.name}' is not ours")

    async def acquire(self) -> None:
        """Wait until no other process holds it. What the last one sent may still count in the CRM's window."""
        await self.release()
        await self._leases.attempt(self, is_patient=True)

    async def try_acquire(self) -> bool:
        """Take it if it is free; False when another process holds it, another part of this one, or the database does not answer."""
        await self.release()
        return await self._leases.attempt(self, is_patient=False)

    async def release(self) -> None:
        """Give it back; harmless when it is not held."""
        await self._leases.give_back(self)

    async def __aenter__(self) -> Lease:
        await self.acquire()
        return self

    async def __aexit__(self, *args: object) -> None:
        await self.release()


def _settle(asked: asyncio.Future[_T], answer: _T) -> None:
    if not asked.done():
        asked.set_result(answer)
