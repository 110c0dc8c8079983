"""Work that a process does over and over in the background."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from runtime.cancellation import raise_if_cancelled
from runtime.database.errors import DATABASE_ERRORS
from runtime.masking import mask_error
from runtime.trouble import Trouble


class Loop:
    """A turn every so many seconds, sooner when woken, until cancelled. Trouble of the database ends a turn, not the loop;
    any other exception is a mistake in the program and ends both.

    last_success, last_error: of the latest turns, for the status. calm_seconds: what wakes it within them shares a turn.
    """

    def __init__(
        self,
        name: str,
        turn: Callable[[], Awaitable[object]],
        every_seconds: float,
        calm_seconds: float = 0.0,
    ) -> None:
        self.name = name
        self._turn = turn
        self._every = every_seconds
        self._calm = calm_seconds
        self._woken = asyncio.Event()
        self._trouble = Trouble("turn", loop=name)
        self.last_success: datetime | None = None
        self.last_error: str | None = None

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        while True:
            self._woken.clear()
            try:
                await self._turn()
            except DATABASE_ERRORS as err:
                self.last_error = mask_error(err)
                self._trouble.failed(err)
            else:
                self.last_success, self.last_error = datetime.now(UTC), None
                self._trouble.recovered()
            await self._pause()

    async def _pause(self) -> None:
        raise_if_cancelled()
        try:
            async with asyncio.timeout(self._every):
                await self._woken.wait()
        except TimeoutError:
            return
        await asyncio.sleep(self._calm)
