"""Where a process keeps the heartbeats of pages: in Redis where one is configured, else by way of PostgreSQL."""

from __future__ import annotations

import asyncpg

from gateway.presence.heartbeats import BeatsLost, Heartbeats, StoredHeartbeats
from gateway.settings import Settings
from runtime.loops import Loop
from runtime.trouble import Trouble

_EVERY_SECONDS = 5.0


def heartbeats_of(settings: Settings, pool: asyncpg.Pool) -> Heartbeats:
    """Return what this installation is configured for."""
    if settings.redis_url is None:
        return StoredHeartbeats(pool)
    from gateway.presence.redis_heartbeats import (
        RedisHeartbeats,
    )  # one node needs neither Redis nor its client

    return RedisHeartbeats(settings.redis_url.get_secret_value())


class KeepHeartbeats:
    """Lets the worker see what this gateway was told."""

    def __init__(self, heartbeats: Heartbeats) -> None:
        self._heartbeats = heartbeats
        self._trouble = Trouble("heartbeats")
        self.loop = Loop("heartbeats", self.turn, _EVERY_SECONDS)

    async def turn(self) -> None:
        try:
            await self._heartbeats.write()
        except BeatsLost as err:
            self._trouble.failed(err)
        else:
            self._trouble.recovered()
