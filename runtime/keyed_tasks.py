"""One task for each key of a set that changes: begun when its key comes, cancelled when it goes, begun again when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable
from typing import TypeVar

import structlog

from runtime.backoff import Backoff
from runtime.cancellation import sleep_unless_cancelled

log = structlog.get_logger(__name__)

K = TypeVar("K", bound=Hashable)

_STEADY_SECONDS = 60.0


async def run_keyed(
    name: str,
    keys: Callable[[], Collection[K]],
    serve: Callable[[K], Awaitable[object]],
    changed: asyncio.Event,
    *,
    label: Callable[[K], str] = str,
    first_pause: float = 1.0,
    longest_pause: float = 30.0,
) -> None:
    """Until cancelled. name, label: of the tasks and their keys, in the logs. changed: set whenever `keys` may answer otherwise.

    A task that ends, or fails, begins again after `first_pause` seconds, doubled each time up to `longest_pause`; one that
    ran for a minute starts with the first pause again. A key's old task has ended before a task of any new key begins, so
    a key that replaces another (the same link at a new address) never meets it.
    """
    tasks: dict[K, asyncio.Task[None]] = {}
    try:
        while True:
            changed.clear()
            wanted = set(keys())
            await _end([tasks.pop(key) for key in tasks.keys() - wanted])
            for key in wanted - tasks.keys():
                log_as = f"{name} {label(key)}"
                backoff = Backoff(first_pause, longest_pause, steady_seconds=_STEADY_SECONDS)
                tasks[key] = asyncio.create_task(_keep_serving(log_as, key, serve, backoff), name=log_as)
            await changed.wait()
    finally:
        await _end(list(tasks.values()))


async def _end(tasks: Collection[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _keep_serving(
    log_as: str, key: K, serve: Callable[[K], Awaitable[object]], backoff: Backoff
) -> None:
    loop = asyncio.get_running_loop()
    while True:
        began = loop.time()
        try:
            await serve(key)
        except Exception as err:
            log.exception("task-failed", task=log_as, error=type(err).__name__)
        await sleep_unless_cancelled(backoff.failed(loop.time() - began))
