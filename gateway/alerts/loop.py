"""The background loop of alarms: runs in every process, so that the last one left still tells."""

from __future__ import annotations

from datetime import timedelta

import aiohttp
import asyncpg

from gateway.alerts.outbox import deliver
from gateway.alerts.senders import AlertSenders
from gateway.alerts.watch import EVERY_SECONDS, look
from gateway.settings import Settings
from runtime.database.errors import DATABASE_ERRORS
from runtime.loops import Loop
from runtime.trouble import Trouble


class Alerts:
    """Of processes that run at once one looks, and each message is sent by one."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool, session: aiohttp.ClientSession) -> None:
        self._settings, self._pool = settings, pool
        self._senders = AlertSenders(settings, session)
        self._trouble = Trouble("alarms")
        self.loop = Loop("alerts", self.turn, EVERY_SECONDS)

    async def turn(self, every_seconds: float = EVERY_SECONDS - 1.0) -> None:
        """Look, then send. every_seconds: whoever looked so lately need not look again. A mistake in how alarms are told
        ends no process that answers calls: it is logged, and the next turn tries again."""
        try:
            await look(self._pool, self._settings, timedelta(seconds=every_seconds))
            await deliver(self._pool, self._senders)
        except DATABASE_ERRORS:
            raise
        except Exception as err:
            self._trouble.failed(err, is_mistake=True)
        else:
            self._trouble.recovered()
