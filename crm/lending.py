"""Whoever holds an account's lease lends single requests out of its budget to whoever tries a key of the account.

Connecting an account, or giving it another key, happens in the process that a person speaks to; the CRM counts both as one.
A loan stands as a row (`crm.store.loans`) and takes a slot of the budget as a request of our own does: from before it is
lent until one second and a margin after it was given back.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import asyncpg
import structlog

from crm.budget import TAKEOVER_SECONDS, WINDOW_SECONDS, Budget
from crm.lane import Lane
from crm.store import loans
from crm.store.loans import Loan
from runtime.cancellation import sleep_unless_cancelled
from runtime.database.errors import DATABASE_ERRORS

log = structlog.get_logger(__name__)

LONGEST_WAIT_SECONDS = 4.0
"""No person is kept waiting longer for a turn."""
_OVERDUE_SECONDS = 45.0  # longer than any request may take
_LOOK_SECONDS = 1.0  # while something is lent, should a notification be missed
_MOST_PROBES = 5  # of a CRM that stands still; each takes up to twenty seconds


class Lending:
    """`run` for as long as the lease is held, and `wake` for every notification.

    is_answering: whether the CRM answers what no limit of its counts. look_seconds: how often to look where nobody wakes it, None = never.
    overdue_seconds: after which whoever borrowed is taken for dead.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        account_id: str,
        budget: Budget,
        is_answering: Callable[[], Awaitable[bool]],
        look_seconds: float | None = None,
        overdue_seconds: float = _OVERDUE_SECONDS,
    ) -> None:
        self._pool, self._account_id = pool, account_id
        self._budget, self._is_answering = budget, is_answering
        self._look_seconds, self._overdue_seconds = look_seconds, overdue_seconds
        self._woken = asyncio.Event()
        self._lending: dict[int, asyncio.Task[None]] = {}
        self._given_back: dict[int, asyncio.Event] = {}

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                self._woken.clear()
                try:
                    await self._look()
                except DATABASE_ERRORS as err:
                    log.warning("loans-unreadable", account=self._account_id, error=type(err).__name__)
                    await sleep_unless_cancelled(_LOOK_SECONDS)
                    continue
                await self._pause()
        finally:
            for task in self._lending.values():
                task.cancel()

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS if self._lending else self._look_seconds):
                await self._woken.wait()

    async def _look(self) -> None:
        async with self._pool.acquire() as conn:
            found = await loans.see_all(conn, self._account_id)
            if strange := [loan.id for loan in found if self._is_nobodys(loan)]:
                await loans.forget(conn, self._account_id, strange)
        out = {loan.id for loan in found if loan.state in ("asked", "seen", "lent")}
        for loan_id, given_back in self._given_back.items():
            if loan_id not in out:
                given_back.set()
        for loan_id in out.difference(strange, self._lending):
            self._begin(loan_id)

    def _is_nobodys(self, loan: Loan) -> bool:
        """Lent by a predecessor, or asked for by somebody who is gone."""
        if loan.id in self._lending:
            return False
        return loan.state in ("lent", "lost") or loan.age_seconds > 2 * LONGEST_WAIT_SECONDS

    def _begin(self, loan_id: int) -> None:
        self._given_back[loan_id] = asyncio.Event()
        task = self._lending[loan_id] = asyncio.create_task(self._lend(loan_id), name="loan of a request")
        task.add_done_callback(lambda done: self._over(loan_id, done))

    def _over(self, loan_id: int, done: asyncio.Task[None]) -> None:
        del self._lending[loan_id], self._given_back[loan_id]
        if not done.cancelled() and (error := done.exception()):
            log.warning("loan-failed", account=self._account_id, error=repr(error))

    async def _lend(self, loan_id: int) -> None:
        closed_seconds = self._budget.use().paused_seconds
        if closed_seconds > LONGEST_WAIT_SECONDS:
            async with self._pool.acquire() as conn:
                await loans.refuse(conn, self._account_id, loan_id, closed_seconds)
            return
        async with self._budget.slot(Lane.REALTIME) as slot:
            if not await self._is_lent(loan_id):
                slot.unused()
                return
            await self._until_over(loan_id)

    async def _is_lent(self, loan_id: int) -> bool:
        """Where the database does not say whether it noted that, it may have."""
        try:
            async with self._pool.acquire() as conn:
                return await loans.lend(conn, self._account_id, loan_id)
        except DATABASE_ERRORS:
            return True

    async def _until_over(self, loan_id: int) -> None:
        """Until it was given back, or the CRM is known not to have it in its hands any more."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._overdue_seconds):
                await self._given_back[loan_id].wait()
                if await self._is_gone(loan_id):
                    return
        for _ in range(_MOST_PROBES):
            if await self._is_answering():
                break
            await asyncio.sleep(_LOOK_SECONDS)
        await asyncio.sleep(TAKEOVER_SECONDS - WINDOW_SECONDS)
        async with self._pool.acquire() as conn:
            await loans.forget(conn, self._account_id, [loan_id])

    async def _is_gone(self, loan_id: int) -> bool:
        async with self._pool.acquire() as conn:
            return await loans.loan(conn, self._account_id, loan_id) is None
