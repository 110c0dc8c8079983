"""A database that stands still: it lets connections be made, or keeps them, and answers nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

import asyncpg

from runtime.database.errors import DATABASE_ERRORS
from runtime.database.pool import tls_of

T = TypeVar("T")

_SECONDS = 3.5


class DatabaseSilent(TimeoutError):
    """It has answered nobody for some seconds: it stands still, or is overloaded."""

    code = "database-silent"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"it has not answered for {seconds:g} seconds")


class SilenceGuard:
    """Ends work that waits for a database which answers nobody. dsn: None = nothing is guarded.

    Work may take any time while the database answers: whatever is not done after some seconds has it asked for the least of
    answers, over a connection of its own, once for all that waits.
    """

    def __init__(self, dsn: str | None, *, seconds: float = _SECONDS) -> None:
        self._dsn, self._seconds = dsn, seconds
        self._asking: asyncio.Task[bool] | None = None
        self._given_up: set[asyncio.Future[Any]] = set()

    async def unless_silent(self, work: Awaitable[T]) -> T:
        """Return what the work returns. Raise DatabaseSilent within two times `seconds`; the work is cancelled then."""
        task = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({task}, timeout=self._seconds))[0]:
                if not await self._is_answering() and not task.done():
                    raise DatabaseSilent(2 * self._seconds)
            return task.result()
        finally:
            self._give_up(task)

    def _give_up(self, task: asyncio.Future[Any]) -> None:
        """Cancel it without waiting: the driver waits for the database's word about that, too."""
        if task.cancel():
            self._given_up.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Future[Any]) -> None:
        self._given_up.discard(task)
        if not task.cancelled():
            task.exception()  # or it would be told as one that nobody looked at

    async def _is_answering(self) -> bool:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)

    async def _ask(self) -> bool:
        """Whether there is an answer: a refusal is one."""
        if self._dsn is None:
            return True
        try:
            async with asyncio.timeout(self._seconds):
                conn = await asyncpg.connect(self._dsn, ssl=tls_of(self._dsn))
                try:
                    await conn.fetchval("SELECT 1")
                finally:
                    conn.terminate()  # without a farewell, for which it would wait
        except OSError:
            return False
        except DATABASE_ERRORS:
            pass
        return True
