"""The budget of a process that asks an account's CRM without holding its lease: to try a key, and for nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Literal

import asyncpg

from crm.budget import Budget, Slot
from crm.errors import CrmBudgetTaken
from crm.lane import Lane
from crm.lending import LONGEST_WAIT_SECONDS
from crm.store import loans
from runtime.database.errors import DATABASE_ERRORS
from runtime.database.lease import is_taken

UNHEARD_SECONDS = 1.5
"""After which nobody is expected to answer: the worker stands still, or is of an older version."""
_UNHEARD_AGAIN_SECONDS = 0.5
_FRESH_SECONDS = 1.0
"""A loan is used so soon or given back: less than a successor of the lender waits before it sends."""
_LOOK_SECONDS = 0.03
_ALONE_PER_SECOND = 1

_Answer = Literal["lent", "unheard", "gone"]


class _LentSlot(Slot):
    """One that tells whether its request was given up without an answer."""

    def __init__(self, own: Slot) -> None:
        super().__init__(own._slots, own._ticket, own._clock)
        self.is_lost = False

    def lost(self) -> None:
        self.is_lost = True
        super().lost()


class BorrowedBudget(Budget):
    """Every request is borrowed from whoever holds the account's lease. Where nobody does, or who does says nothing, one a
    second is sent. `slot` raises CrmBudgetTaken where the holder itself sends nothing now."""

    def __init__(self, pool: asyncpg.Pool, account_id: str) -> None:
        super().__init__()
        self._pool, self._account_id = pool, account_id
        self._slow = Budget(_ALONE_PER_SECOND)
        self._is_alone = self._is_unheard = False

    @asynccontextmanager
    async def slot(self, lane: Lane) -> AsyncIterator[Slot]:
        async with super().slot(lane) as own, AsyncExitStack() as stack:
            if was_alone := self._is_alone:
                await stack.enter_async_context(self._slow.slot(lane))
            try:
                loan_id = await self._borrow()
            except BaseException:
                own.unused()
                raise
            self._is_alone = loan_id is None
            if loan_id is not None:
                yield await stack.enter_async_context(self._lent(loan_id, own))
                return
            if not was_alone:
                await stack.enter_async_context(self._slow.slot(lane))
            yield own

    @asynccontextmanager
    async def _lent(self, loan_id: int, own: Slot) -> AsyncIterator[Slot]:
        lent = _LentSlot(own)
        try:
            yield lent
        finally:
            await asyncio.shield(self._give_back(loan_id, is_lost=lent.is_lost))

    async def _borrow(self) -> int | None:
        """Return which loan may be used now, None where nobody lends. Raises CrmBudgetTaken."""
        gives_up_at = time.monotonic() + LONGEST_WAIT_SECONDS
        while time.monotonic() < gives_up_at:
            async with self._pool.acquire() as conn:
                if not await is_taken(conn, f"crm {self._account_id}"):
                    return None
                loan_id = await loans.ask(conn, self._account_id)
            answer: _Answer = "gone"
            try:
                answer = await self._answer(loan_id, gives_up_at)
            finally:
                if answer != "lent":
                    await asyncio.shield(self._give_back(loan_id))
            if answer != "gone":
                self._is_unheard = answer == "unheard"
                return None if self._is_unheard else loan_id
        raise CrmBudgetTaken("all requests that the CRM allows are taken for the next few seconds")

    async def _answer(self, loan_id: int, gives_up_at: float) -> _Answer:
        """gone: it has to be asked for again."""
        heard_by = time.monotonic() + (_UNHEARD_AGAIN_SECONDS if self._is_unheard else UNHEARD_SECONDS)
        while (began := time.monotonic()) < gives_up_at:
            async with self._pool.acquire() as conn:
                loan = await loans.loan(conn, self._account_id, loan_id)
            if loan is None:
                return "gone"
            if loan.state == "refused":
                raise CrmBudgetTaken(
                    f"nothing is sent for another {loan.closed_seconds:.0f} s, the CRM has asked us to wait or stands still"
                )
            if loan.state == "lent":
                is_fresh = loan.age_seconds + time.monotonic() - began < _FRESH_SECONDS
                return "lent" if is_fresh else "gone"
            if loan.state == "asked" and began > heard_by:
                return "unheard"
            await asyncio.sleep(_LOOK_SECONDS)
        return "gone"

    async def _give_back(self, loan_id: int, *, is_lost: bool = False) -> None:
        """Where the database does not take it, the lender waits for as long as any request may take."""
        with contextlib.suppress(*DATABASE_ERRORS):
            async with self._pool.acquire() as conn:
                await loans.give_back(conn, self._account_id, loan_id, is_lost=is_lost)
