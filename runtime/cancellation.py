"""Loops that go on after trouble must not go on after their cancellation.

Trouble can take a cancellation's place: a transaction that is cancelled rolls back, and where the database has just gone
away, the failure of that is what comes out; libraries that end in good order do the same. Who catches it and goes on
would never end.
"""

from __future__ import annotations

import asyncio


def raise_if_cancelled() -> None:
    """Raise CancelledError when the current task has been cancelled already, whatever became of that."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def sleep_unless_cancelled(seconds: float) -> None:
    """asyncio.sleep for loops that have caught trouble: ends the task where it has been cancelled already."""
    raise_if_cancelled()
    await asyncio.sleep(seconds)
