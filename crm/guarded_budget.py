"""The budget of a process that holds an account's lease."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import structlog

from crm.budget import TAKEOVER_SECONDS, Budget, Slot
from crm.lane import Lane
from runtime.database.lease import Held, LeaseLost

log = structlog.get_logger(__name__)

_LONGEST_SILENCE_SECONDS = 30.0
"""After which the budget opens though the CRM has not answered."""


class GuardedBudget(Budget):
    """A budget that looks at the lease at the last moment before each request, reads included.

    Call `took_over` whenever the lease was acquired, before anybody asks, and let `open_after` run.
    """

    def __init__(self, lease: Held, rate: int = 7, **more: Any) -> None:
        super().__init__(rate, **more)
        self._lease = lease

    def took_over(self) -> None:
        """Send nothing until `open_after` has let it, or for as long as that takes at most."""
        self.pause(_LONGEST_SILENCE_SECONDS)

    async def open_after(self, answered: Callable[[], Awaitable[object]]) -> None:
        """Open once nothing of the predecessor's counts any more.

        answered: returns once the CRM has answered what no limit of its counts, or could not be asked. A CRM that stood still has
        the predecessor's last requests in its hands by then; without that word they and ours would be counted in one second.
        """
        try:
            async with asyncio.timeout(_LONGEST_SILENCE_SECONDS - TAKEOVER_SECONDS):
                await answered()
        except TimeoutError:
            log.warning("crm-stands-still", seconds=_LONGEST_SILENCE_SECONDS - TAKEOVER_SECONDS)
        finally:
            self.open_in(TAKEOVER_SECONDS)

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
