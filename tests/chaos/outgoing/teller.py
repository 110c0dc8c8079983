"""Tells the gateways what a double has to tell, until one of them has taken it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

_SECONDS = 3.0
_AT_ONCE = 16


class Teller:
    """urls: of the gateways. refused: answers that no repetition mends; there must be none. under_way: what is still to be taken."""

    def __init__(self, urls: Sequence[str], session: aiohttp.ClientSession, seed: int) -> None:
        self._urls, self._session = urls, session
        self._random = random.Random(f"teller {seed}")
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self.refused: list[str] = []
        self.under_way = 0

    async def tell(self, path: str, **said: Any) -> None:
        """POST it there, again and again. said: as aiohttp takes it."""
        self.under_way += 1
        try:
            async with self._turn:
                await self._until_taken(path, said)
        finally:
            self.under_way -= 1

    async def once(self, path: str, **said: Any) -> int:
        """The status of the answer; 0 = there was none."""
        url = f"{self._random.choice(self._urls)}{path}"
        try:
            async with self._session.post(
                url, timeout=aiohttp.ClientTimeout(total=_SECONDS), **said
            ) as answer:
                if 400 <= answer.status < 500:
                    self._last = f"{answer.status} {(await answer.text())[:200]} for {said}"
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    async def _until_taken(self, path: str, said: Mapping[str, Any]) -> None:
        pause = 0.1
        while not 200 <= (status := await self.once(path, **said)) < 300:
            if 400 <= status < 500 and status not in (401, 408, 429):
                self.refused.append(self._last)
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, 2.0)
