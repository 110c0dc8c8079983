"""Waiting in tests: one way, with a limit and a message."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")

_PAUSE_SECONDS = 0.02


@overload
async def until(fact: Callable[[], Awaitable[T]], what: str, *, seconds: float = 15.0) -> T: ...
@overload
async def until(fact: Callable[[], T], what: str, *, seconds: float = 15.0) -> T: ...
async def until(fact: Callable[[], Any], what: str, *, seconds: float = 15.0) -> Any:
    """Ask again and again until the fact holds; return what it said. what: named when it does not come in time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        answer = fact()
        found = await answer if inspect.isawaitable(answer) else answer
        if found:
            return found
        assert loop.time() < deadline, f"after {seconds} s still not: {what} (last seen: {found!r})"
        await asyncio.sleep(_PAUSE_SECONDS)
