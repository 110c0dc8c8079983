"""Work that goes on to its end though whoever waits for it gives up, or the process is told to end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog

log = structlog.get_logger(__name__)

_T = TypeVar("_T")


class KeptTasks:
    """The work of this kind of one process. Until a piece says that it `is_decided`, it may still be dropped."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._running: set[asyncio.Task[Any]] = set()
        self._decided: set[asyncio.Task[Any]] = set()

    def begin(self, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        """Begin it; wait for it with asyncio.shield."""
        task = asyncio.create_task(work, name=self._name)
        self._running.add(task)
        task.add_done_callback(self._over)
        return task

    def is_decided(self) -> None:
        """Said by the work itself: from here on it must come to its end."""
        task = asyncio.current_task()
        if task in self._running:
            self._decided.add(task)

    def _over(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        self._decided.discard(task)
        if not task.cancelled():
            task.exception()  # nobody may be there any more to look at it

    async def ended(self, seconds: float) -> None:
        """Drop what is not decided yet, wait for the rest; `seconds` at the most."""
        for task in self._running - self._decided:
            task.cancel()
        if not self._running:
            return
        _, late = await asyncio.wait(set(self._running), timeout=seconds)
        if late:
            log.error("work-ends-late", work=self._name, tasks=len(late))
