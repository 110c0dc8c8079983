"""Work that a process does over and over in the background."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import structlog

from crm.store.errors import DATABASE_ERRORS

log = structlog.get_logger(__name__)


class Loop:
    """Turn after turn until cancelled; trouble of the database ends a turn, not the loop.

    last_success, last_error: of the latest turns, for the status. Any other exception is a mistake in the program and ends
    the process.
    """

    def __init__(self, name: str, turn: Callable[[], Awaitable[Any]], every_seconds: float) -> None:
        self.name = name
        self._turn = turn
        self._every = every_seconds
        self.last_success: datetime | None = None
        self.last_error: str | None = None

    async def run(self) -> None:
        while True:
            await self.once()
            await asyncio.sleep(self._every)

    async def once(self) -> Any:
        """What the turn returned, None when it failed."""
        try:
            result = await self._turn()
        except DATABASE_ERRORS as err:
            self.last_error = f"{type(err).__name__}: {err}"
            log.warning("turn-failed", loop=self.name, error=self.last_error)
            return None
        self.last_success, self.last_error = datetime.now(UTC), None
        return result
