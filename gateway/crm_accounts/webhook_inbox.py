"""Keeps the CRM's webhooks: while much changes in the CRM they come by the hundred, and those share a commit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import asyncpg

from gateway.store.crm_accounts.webhooks import keep_webhooks
from runtime.database.group_commit import GroupCommit

_GATHER_SECONDS = 0.01
_TOGETHER = 12  # in one commit
_Webhook = tuple[str, bytes]
"""(account, body)"""


class WebhookIntake:
    """seconds: so long may keeping one take; the CRM wants its answer within two."""

    def __init__(self, pool: asyncpg.Pool, *, seconds: float = 1.5) -> None:
        self._pool = pool
        self._seconds = seconds
        # Gently: lookups are answered in between.
        self._group: GroupCommit[_Webhook, None] = GroupCommit(
            "webhooks", self._write, most=_TOGETHER, gather_seconds=_GATHER_SECONDS, gently=True
        )

    async def keep(self, account_id: str, body: bytes) -> None:
        """Return after the commit. Raises TimeoutError, GroupClosed, or what the database raises: then the CRM sends it
        again."""
        async with asyncio.timeout(self._seconds):
            await self._group.add((account_id, body))

    async def close(self) -> None:
        """Write what waits, then end."""
        await self._group.close(self._seconds)

    async def _write(self, webhooks: Sequence[_Webhook]) -> list[None]:
        async with asyncio.timeout(self._seconds), self._pool.acquire() as conn:
            await keep_webhooks(conn, webhooks)
        return [None] * len(webhooks)
