"""Work beside the accounts that a worker serves: one look finds which of them have any, one task an account does it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import asyncpg

from runtime.database.errors import may_pass
from runtime.database.pool import Conn
from runtime.loops import Loop
from runtime.trouble import Trouble

FindBusy = Callable[[Conn, Sequence[str]], Awaitable[Iterable[str]]]
"""Which of some accounts have anything to do."""

ServedTurn = Callable[[], Awaitable[bool]]
"""Do a portion; whether another turn is worth while at once."""


class ServedTurns:
    """`loop` until cancelled; an account gets turns while it is `served`. What goes wrong costs that account's turns only:
    the next look begins them anew.

    name: of the loop and of the trouble in the log. pause_seconds: between two turns of an account.
    """

    def __init__(
        self,
        name: str,
        pool: asyncpg.Pool,
        find_busy: FindBusy,
        every_seconds: float,
        pause_seconds: float = 0.0,
    ) -> None:
        self._name, self._pool, self._find_busy, self._pause = name, pool, find_busy, pause_seconds
        self._served: dict[str, tuple[ServedTurn, Trouble]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.loop = Loop(name, self._look, every_seconds)

    @contextmanager
    def served(self, account_id: str, turn: ServedTurn) -> Iterator[None]:
        self._served[account_id] = turn, Trouble(self._name, account=account_id)
        try:
            yield
        finally:
            self._served.pop(account_id, None)
            if task := self._tasks.pop(account_id, None):
                task.cancel()

    async def _look(self) -> None:
        if not self._served:
            return
        async with self._pool.acquire() as conn:
            found = await self._find_busy(conn, list(self._served))
        for account_id in found:
            task = self._tasks.get(account_id)
            if account_id in self._served and (task is None or task.done()):
                self._tasks[account_id] = asyncio.create_task(self._work(*self._served[account_id]))

    async def _work(self, turn: ServedTurn, trouble: Trouble) -> None:
        """Until nothing is to be done any more, or it goes wrong."""
        try:
            while await turn():  # noqa: ASYNC110 - it does something, it does not wait for something
                await asyncio.sleep(self._pause)
        except Exception as err:
            trouble.failed(err, is_mistake=not may_pass(err))
            return
        trouble.recovered()
