"""Waiting in tests: one way, with a limit and a message."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")

_PAUSE_SECONDS = 0.02
_BUSY_MACHINE = 3  # times as long as on a quiet one


@overload
async def until(fact: Callable[[], Awaitable[T]], what: str, *, seconds: float = 15.0) -> T: ...
@overload
async def until(fact: Callable[[], T], what: str, *, seconds: float = 15.0) -> T: ...
async def until(fact: Callable[[], Any], what: str, *, seconds: float = 15.0) -> Any:
    """Ask again and again until the fact holds; return what it said.

    what: named when it does not come in time. seconds: enough on a quiet machine; a busy one is given more.
    """
    loop = asyncio.get_running_loop()
    limit = seconds * _BUSY_MACHINE
    deadline = loop.time() + limit
    while True:
        answer = fact()
        found = await answer if inspect.isawaitable(answer) else answer
        if found:
            return found
        assert loop.time() < deadline, f"after {limit:g} s still not: {what} (last seen: {found!r})"
        await asyncio.sleep(_PAUSE_SECONDS)
