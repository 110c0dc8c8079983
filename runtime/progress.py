"""How far long work is, and how it is stopped."""

from __future__ import annotations

from typing import Protocol


class Stopped(Exception):
    """Raised by `Progress` inside the work: it is to end now, its result is not wanted."""


class Progress(Protocol):
    """Tells how far the work is; to be awaited at every short slice of it. Raises Stopped."""

    async def __call__(self, done: int, total: int | None) -> None: ...
