"""Long work done by a worker process: one piece at a time, with progress that people see, stopped when they say so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import asyncpg
import structlog

from gateway.store.worker import long_tasks as store
from gateway.store.worker.long_tasks import LongTask
from runtime.database import channels
from runtime.database.errors import may_pass
from runtime.database.listen import Listener
from runtime.loops import Loop
from runtime.progress import Progress, Stopped

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 15.0
_PROGRESS_SECONDS = 0.25


Doing = Callable[[str, Mapping[str, Any], Progress], Awaitable[Mapping[str, Any]]]
"""(account, what was asked, progress) -> the result, plain JSON values. An exception's `code` and text are its error."""


class LongWork:
    """`run` until cancelled. kinds: how each kind is done."""

    def __init__(self, pool: asyncpg.Pool, listener: Listener, kinds: Mapping[str, Doing]) -> None:
        self._pool = pool
        self._kinds = kinds
        self.loop = Loop("long_work", self._do_all, _LOOK_SECONDS)
        self._listener = listener

    async def run(self) -> None:
        with self._listener.subscribe([channels.LONG_TASKS], lambda *_: self.loop.wake(), self.loop.wake):
            await self.loop.run()

    async def _do_all(self) -> None:
        while await self.do_one():
            pass

    async def do_one(self) -> bool:
        """Whether there was any. Work that fails says so in its row; only trouble of the database is raised."""
        async with self._pool.acquire() as conn:
            work = await store.take(conn, list(self._kinds))
        if work is None:
            return False
        state: store.TaskState = "done"
        result, error = None, None
        try:
            result = await self._kinds[work.kind](work.account_id, work.asked, _Told(self._pool, work))
        except Stopped:
            state = "cancelled"
        except Exception as err:
            if may_pass(err):
                raise
            state, error = "failed", f"{getattr(err, 'code', type(err).__name__)}: {err}"
            log.exception("long-work-failed", account=work.account_id, kind=work.kind)
        async with self._pool.acquire() as conn:
            await store.ended(conn, work, state, result=result, error=error)
        return True


class _Told:
    """Progress into the row, a few times a second; every call lets other tasks of the process run."""

    def __init__(self, pool: asyncpg.Pool, work: LongTask) -> None:
        self._pool = pool
        self._work = work
        self._next = 0.0

    async def __call__(self, done: int, total: int | None) -> None:
        now = time.monotonic()
        if now < self._next:
            await asyncio.sleep(0)
            return
        self._next = now + _PROGRESS_SECONDS
        async with self._pool.acquire() as conn:
            if not await store.progressed(conn, self._work, done, total):
                raise Stopped
