"""Keeps the CRM's webhooks: while much changes in the CRM they come by the hundred, and those share a commit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from gateway.store.crm_accounts.webhooks import keep_webhooks

_GATHER_SECONDS = 0.01
_TOGETHER = 12  # in one commit


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    account_id: str
    body: bytes
    kept: asyncio.Future[None]


class WebhookIntake:
    """seconds: so long may keeping one take; the CRM wants its answer within two."""

    def __init__(self, pool: asyncpg.Pool, *, seconds: float = 1.5) -> None:
        self._pool = pool
        self._seconds = seconds
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def keep(self, account_id: str, body: bytes) -> None:
        """Returns after the commit. Raises TimeoutError, or what the database raises: then the CRM sends it again."""
        waiting = _Waiting(account_id, body, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all(), name="webhook writer")
        async with asyncio.timeout(self._seconds):
            await waiting.kept

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                if len(self._waiting) < _TOGETHER:
                    await asyncio.sleep(_GATHER_SECONDS)
                batch, self._waiting = self._waiting[:_TOGETHER], self._waiting[_TOGETHER:]
                await self._write([waiting for waiting in batch if not waiting.kept.done()])
        finally:
            self._writer = None

    async def _write(self, batch: Sequence[_Waiting]) -> None:
        try:
            async with asyncio.timeout(self._seconds), self._pool.acquire() as conn:
                await keep_webhooks(conn, [(waiting.account_id, waiting.body) for waiting in batch])
        except (
            asyncpg.IntegrityConstraintViolationError
        ) as err:  # an account that is gone must not hurt its neighbours
            for waiting in batch if len(batch) > 1 else ():
                await self._write([waiting])
            await self._tell(batch, err)
        except Exception as err:
            await self._tell(batch, err)
        else:
            await self._tell(batch, None)

    @staticmethod
    async def _tell(batch: Sequence[_Waiting], err: Exception | None) -> None:
        for waiting in batch:
            if waiting.kept.done():
                continue
            if err is None:
                waiting.kept.set_result(None)
            else:
                waiting.kept.set_exception(err)
            await asyncio.sleep(0)  # lookups are answered in between
