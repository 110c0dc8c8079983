"""Keeps what was said between us and a vendor, off the path of what is being said."""

from __future__ import annotations

from collections import deque

import asyncpg

from gateway.store.crm_accounts.exchanges import ExchangeRow, add_exchanges
from runtime.cancellation import sleep_unless_cancelled
from runtime.database.errors import DATABASE_ERRORS
from runtime.exchange import Exchange
from runtime.trouble import Trouble

_ROOM = 2000


class ExchangeLog:
    """`note` never waits; what finds no room is counted as lost."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._waiting: deque[ExchangeRow] = deque()
        self.lost = 0
        self._trouble = Trouble("exchange-log")

    def append(self, account_id: str, vendor: str, exchange: Exchange) -> None:
        if len(self._waiting) >= _ROOM:
            self.lost += 1
            return
        self._waiting.append(
            (
                account_id,
                vendor,
                exchange.at,
                exchange.method,
                exchange.target,
                exchange.status,
                exchange.milliseconds,
                exchange.lane,
                exchange.sent.replace("\x00", ""),
                exchange.received.replace("\x00", ""),
                exchange.error.replace("\x00", ""),
            )
        )

    async def run(self) -> None:
        while True:
            await sleep_unless_cancelled(1)
            await self.write()

    async def write(self) -> None:
        rows = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not rows:
            return
        try:
            async with self._pool.acquire() as conn:
                await add_exchanges(conn, rows)
        except DATABASE_ERRORS as err:
            self.lost += len(rows)
            self._trouble.failed(err, lost=len(rows))
        else:
            self._trouble.recovered(lost=self.lost)
