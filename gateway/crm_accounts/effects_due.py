"""Which of the accounts that a worker serves have something to send: asked once a second for all of them together.

Writers are told of what is ordered, and know when something planned is due. This is for what nobody tells: what waited for
an effect of another system, or was told while nobody listened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import asyncpg

from crm.effects.store.work import accounts_with_work
from runtime.loops import Loop

EVERY_SECONDS = 1.0


class EffectsDue:
    """`loop` until cancelled; an account's writer is woken while it is `served`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._wakes: dict[str, Callable[[], None]] = {}
        self.loop = Loop("effects_due", self.look, EVERY_SECONDS)

    @contextmanager
    def served(self, account_id: str, wake: Callable[[], None]) -> Iterator[None]:
        self._wakes[account_id] = wake
        try:
            yield
        finally:
            del self._wakes[account_id]

    async def look(self) -> None:
        if not self._wakes:
            return
        async with self._pool.acquire() as conn:
            found = await accounts_with_work(conn, list(self._wakes))
        for account_id in found:
            if wake := self._wakes.get(account_id):
                wake()
