"""Whose turn it is: locks whose holder can be told, so that who waits is never at a loss what for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turn:
    """One at a time. name: of what there is one of."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = asyncio.Lock()
        self._holder = ""
        self._since = 0.0
        self._waiting: list[str] = []

    @property
    def is_taken(self) -> bool:
        return self._lock.locked()

    @asynccontextmanager
    async def of(self, who: str) -> AsyncIterator[None]:
        self._waiting.append(who)
        try:
            await self._lock.acquire()
        finally:
            self._waiting.remove(who)
        self._holder, self._since = who, time.monotonic()
        try:
            yield
        finally:
            self._lock.release()

    def told(self) -> str:
        """Who has it, since when, and who waits; "" = it is free."""
        if not self.is_taken:
            return ""
        seconds = time.monotonic() - self._since
        waiting = f", {', '.join(self._waiting)} wait" if self._waiting else ""
        return f"{self.name}: {self._holder} for {seconds:.0f} s{waiting}"
