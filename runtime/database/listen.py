"""A connection that listens to NOTIFY and comes back when it is lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

import asyncpg
import structlog

from runtime.cancellation import sleep_unless_cancelled
from runtime.database.errors import DATABASE_ERRORS
from runtime.database.pool import tls_of

log = structlog.get_logger(__name__)


class Listener:
    """Calls `on_notify(channel, payload)` for each notification, and `on_connect()` after every (re)connection, before
    any notification: what was missed in between has to be read again there. Both run one after the other.

    Set `is_connected` and `last_error` are for the status page.
    """

    def __init__(
        self,
        dsn: str,
        channels: Sequence[str],
        on_notify: Callable[[str, str], Awaitable[None]],
        on_connect: Callable[[], Awaitable[None]],
    ) -> None:
        self._dsn = dsn
        self._channels = channels
        self._on_notify = on_notify
        self._on_connect = on_connect
        self.is_connected = False
        self.last_error: str | None = None

    async def run(self) -> None:
        """Until cancelled."""
        delay = 0.1
        while True:
            try:
                await self._listen()
                delay = 0.1
            except DATABASE_ERRORS as err:
                self.last_error = f"{type(err).__name__}: {err}"
                log.warning("listener-lost", channels=list(self._channels), error=self.last_error)
            finally:
                self.is_connected = False
            await sleep_unless_cancelled(delay)
            delay = min(delay * 2, 5.0)

    async def _listen(self) -> None:
        queue: asyncio.Queue[tuple[str, str] | None] = asyncio.Queue()
        conn = await asyncpg.connect(
            self._dsn,
            ssl=tls_of(self._dsn),
            timeout=5,
            server_settings={"application_name": "callmatrix listen"},
        )
        conn.add_termination_listener(lambda _: queue.put_nowait(None))
        try:
            for channel in self._channels:
                await conn.add_listener(
                    channel, lambda _c, _p, name, payload: queue.put_nowait((name, payload))
                )
            await self._on_connect()
            self.is_connected = True
            while True:
                try:
                    async with asyncio.timeout(30):
                        item = await queue.get()
                except TimeoutError:
                    await conn.execute("SELECT 1", timeout=10)  # a connection that died silently shows here
                    continue
                if item is None:
                    raise ConnectionResetError("the database closed the connection")
                await self._on_notify(*item)
        finally:
            with contextlib.suppress(Exception):
                await conn.close(timeout=2)
