"""What a worker process tells of the accounts that it serves: all of them in one statement, every two seconds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg

from crm.errors import CrmError
from gateway.store.crm_accounts.exchanges import report_accounts
from runtime.loops import Loop
from runtime.trouble import Trouble

EVERY_SECONDS = 2.0

Figures = Callable[[], Awaitable[dict[str, Any]]]


class AccountReports:
    """`loop` until cancelled; an account is told of while it is `served`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._served: dict[str, tuple[Figures, Trouble]] = {}
        self.loop = Loop("account_reports", self.tell, EVERY_SECONDS)

    @contextmanager
    def served(self, account_id: str, figures: Figures) -> Iterator[None]:
        self._served[account_id] = (figures, Trouble("account-report", account=account_id))
        try:
            yield
        finally:
            del self._served[account_id]

    async def tell(self) -> None:
        bodies = {}
        # An account may be served no more, or anew, while the figures of another are gathered.
        for account_id, (figures, trouble) in list(self._served.items()):
            try:
                bodies[account_id] = await figures()
                trouble.recovered()
            except CrmError as err:
                trouble.failed(err)
        if bodies:
            async with self._pool.acquire() as conn:
                await report_accounts(conn, "crm", bodies)
