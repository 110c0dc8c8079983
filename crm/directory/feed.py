"""Keeps the directories of one process up to date with the database.

NOTIFY only wakes it. What has to be read follows from `seq`: everything that changed after the last change that memory
holds. So a lost connection, a missed notification or a change during the first load cannot leave a gap.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from crm.directory.memory import Directory, SegmentBuilder
from crm.store.entries import DirectoryState, all_entries, directory_states, entries_after
from runtime.backoff import Backoff
from runtime.cancellation import raise_if_cancelled, sleep_unless_cancelled
from runtime.database import channels
from runtime.database.errors import DATABASE_ERRORS
from runtime.database.listen import Listener
from runtime.database.pool import Conn
from runtime.metrics import Sample
from runtime.trouble import Trouble

_CHUNK = 2000
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0


@dataclass(slots=True)
class FeedHealth:
    """How the feed fares, for /metrics and the status page. lag_ms: from a change's commit to memory, of the latest one."""

    last_pull_at: datetime | None = None
    last_error: str | None = None
    last_error_at: datetime | None = None
    changes: int = 0
    lag_ms: float = 0.0


class DirectoryFeed:
    """Reads through the pool what the listener says has changed. refresh_seconds: it looks for itself at least so often."""

    def __init__(self, pool: asyncpg.Pool, listener: Listener, *, refresh_seconds: float = 5.0) -> None:
        self.health = FeedHealth()
        self.listener = listener
        self._pool = pool
        self._refresh_seconds = refresh_seconds
        self._directories: dict[str, Directory] = {}
        self._applied: dict[str, int] = {}
        self._dirty: set[str] = set()
        self._missed_some = True
        self._woken = asyncio.Event()
        self._pulled = asyncio.Condition()
        self._known = False
        self._trouble = Trouble("directory-feed")

    @property
    def is_ready(self) -> bool:
        """The directories of all accounts that were there at start are in memory."""
        return self._known and all(d.is_ready for d in self._directories.values())

    def directory(self, account_id: str) -> Directory:
        """Return the account's directory; not ready, and empty, until its rows have been read."""
        if account_id not in self._directories:
            self._directories[account_id] = Directory(account_id)
            self.wake(account_id)
        return self._directories[account_id]

    def get(self, account_id: str) -> Directory | None:
        """Return the account's directory, None for an account that nobody asked for."""
        return self._directories.get(account_id)

    def directories(self) -> dict[str, Directory]:
        return dict(self._directories)

    def wake(self, account_id: str) -> None:
        """Look at this account now."""
        self._dirty.add(account_id)
        self._woken.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Return once `holds()` is true; looked at after every pull."""
        async with self._pulled:
            await self._pulled.wait_for(holds)

    async def run(self) -> None:
        """Until cancelled. A lost database is waited for; lookups go on with what memory holds."""
        backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        with self.listener.subscribe(
            [channels.DIRECTORY], lambda _, account: self.wake(account), self._connected
        ):
            while True:
                try:
                    await self._read_changes()
                    backoff.succeeded()
                except DATABASE_ERRORS as err:
                    self._missed_some = True
                    self.health.last_error, self.health.last_error_at = repr(err), datetime.now(UTC)
                    self._trouble.failed(err)
                    await sleep_unless_cancelled(backoff.failed())

    def _connected(self) -> None:
        """Read everything again: what changed while nobody listened is not known."""
        self._missed_some = True
        self._woken.set()

    async def _read_changes(self) -> None:
        """Read what is due now, and then wait for more."""
        asked = None if self._missed_some or not self._woken.is_set() else self._dirty
        self._missed_some, self._dirty = False, set()
        self._woken.clear()
        async with self._pool.acquire() as conn:
            await self._pull(conn, asked)
        raise_if_cancelled()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._refresh_seconds):
                await self._woken.wait()

    async def _pull(self, conn: Conn, asked: set[str] | None) -> None:
        """Brings these accounts up to date, None = all of them."""
        async with asyncio.timeout(30):
            states = await directory_states(conn, asked)
        for state in states:
            self._directories.setdefault(state.account_id, Directory(state.account_id))
        self._forget(asked, {s.account_id for s in states})
        self._known = self._known or asked is None
        for state in states:
            await self._bring_up(conn, state)
        self.health.last_pull_at = datetime.now(UTC)
        self._trouble.recovered()
        async with self._pulled:
            self._pulled.notify_all()

    def _forget(self, asked: set[str] | None, existing: set[str]) -> None:
        for account_id in (set(self._directories) if asked is None else asked) - existing:
            self._applied.pop(account_id, None)
            if directory := self._directories.pop(account_id, None):
                directory.is_ready = False

    async def _bring_up(self, conn: Conn, state: DirectoryState) -> None:
        directory = self._directories[state.account_id]
        applied = self._applied.get(state.account_id)
        if applied is None or state.seq < applied:  # new to us, or its directory was started afresh
            await self._load(conn, directory)
        elif state.seq > applied:
            await self._catch_up(conn, directory, applied)
            if state.changed_at:
                self.health.lag_ms = (datetime.now(UTC) - state.changed_at).total_seconds() * 1000
        directory.is_complete = state.loaded_at is not None
        directory.in_sync_at = state.in_sync_at

    async def _load(self, conn: Conn, directory: Directory) -> None:
        """All entries of one moment; what changes meanwhile has a higher seq and comes with the next pull."""
        builder = SegmentBuilder()
        async with conn.transaction(isolation="repeatable_read", readonly=True):
            states = await directory_states(conn, [directory.account_id])
            async for rows in all_entries(conn, directory.account_id):
                builder.add(rows)
        directory.replace(builder.finish())
        directory.is_ready = True
        self._applied[directory.account_id] = states[0].seq if states else 0
        self.wake(directory.account_id)

    async def _catch_up(self, conn: Conn, directory: Directory, applied: int) -> None:
        seq, number = applied, 1 << 62
        while rows := await entries_after(conn, directory.account_id, seq, number, _CHUNK):
            directory.change((n, encoded) for _, n, encoded in rows)
            seq, number, _ = rows[-1]
            self.health.changes += len(rows)
            if directory.is_due:
                await directory.settle()
            if len(rows) < _CHUNK:
                break
        self._applied[directory.account_id] = seq

    def samples(self) -> Iterator[Sample]:
        """For the metrics."""
        now = time.time()
        for account_id, directory in self.directories().items():
            labels = {"account": account_id}
            yield "gauge", "directory_numbers", "Numbers in memory", labels, len(directory)
            yield "gauge", "directory_bytes", "Memory of the directory", labels, directory.memory_bytes()
            yield "gauge", "directory_ready", "1 when it may be asked", labels, float(directory.is_ready)
            is_complete = float(directory.is_complete)
            yield "gauge", "directory_complete", "1 once the first load is over", labels, is_complete
            age = directory.age_ms(now)
            if age is not None:
                yield (
                    "gauge",
                    "directory_age_seconds",
                    "Since it last agreed with the CRM",
                    labels,
                    age / 1000,
                )
        is_connected = float(self.listener.is_connected)
        yield "gauge", "directory_feed_connected", "1 while the feed hears the database", {}, is_connected
        lag = self.health.lag_ms / 1000
        yield "gauge", "directory_feed_lag_seconds", "Commit to memory, latest change", {}, lag
