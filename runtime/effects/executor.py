"""Carrying out the effects of one account and system, each by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from runtime.effects.store import EffectQueue, Result, TakenEffect


class Carrier(Protocol):
    """How a system carries out an effect. Neither method raises for what the other side says or fails to say."""

    async def send(self, effect: TakenEffect) -> Result:
        """Send it. The outcome is `unknown` when the request may have been carried out."""
        ...

    async def verify(self, effect: TakenEffect) -> Result:
        """Look for what a send of unknown outcome has left: `done` when it is there, `waiting` when it is not."""
        ...


class Executor:
    """Of one account and system; one at a time, which a lease has to see to."""

    def __init__(self, queue: EffectQueue, carrier: Carrier, now: Callable[[], datetime]) -> None:
        self._queue, self._carrier, self._now = queue, carrier, now

    async def recover_in_flight(self, look_at: datetime) -> int:
        """First thing after a takeover: what the predecessor was sending is looked into from then on."""
        return await self._queue.recover_in_flight(look_at)

    async def drain(self, limit: int = 100) -> int:
        """Look into what is unknown, then send what is due; how many effects."""
        count = 0
        for effect in await self._queue.unverified(self._now(), limit):
            await self._queue.record(effect, await self._carrier.verify(effect), self._now())
            count += 1
        while taken := await self._queue.take(
            self._now(), 1
        ):  # what is not begun is not in doubt after a crash
            await self._queue.record(taken[0], await self._carrier.send(taken[0]), self._now())
            count += 1
            if count >= limit:
                break
        return count
