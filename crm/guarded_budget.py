"""The budget of a process that holds an account's lease."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from crm.budget import TAKEOVER_SECONDS, Budget, Slot
from crm.lane import Lane
from runtime.database.lease import Held, LeaseLost


class GuardedBudget(Budget):
    """A budget that looks at the lease at the last moment before each request, reads included.

    Call `took_over` whenever the lease was acquired.
    """

    def __init__(self, lease: Held, rate: int = 7, **more: Any) -> None:
        super().__init__(rate, **more)
        self._lease = lease

    def took_over(self) -> None:
        """Wait until nothing of the predecessor's counts any more."""
        self.pause(TAKEOVER_SECONDS)

    @asynccontextmanager
    async def slot(self, lane: Lane) -> AsyncIterator[Slot]:
        self._lease.check()
        async with super().slot(lane) as slot:
            try:
                self._lease.check()
            except LeaseLost:
                slot.unused()
                raise
            yield slot
