"""One connection of a process that listens to NOTIFY for all its parts, and comes back when it is lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

import asyncpg

from runtime.backoff import Backoff
from runtime.cancellation import sleep_unless_cancelled
from runtime.database.errors import DATABASE_ERRORS
from runtime.database.pool import tls_of
from runtime.trouble import Trouble

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_PROBE_SECONDS = 30.0

OnNotify = Callable[[str, str], None]
"""(channel, payload) of one notification. Called in the middle of reading the socket: it only notes and wakes."""


class Subscription:
    """What one part of the process wants to hear. `close` ends it; so does leaving it as a context."""

    def __init__(
        self,
        listener: Listener,
        channels: Sequence[str],
        on_notify: OnNotify,
        on_connect: Callable[[], None],
        only: str | None,
    ) -> None:
        self.channels = tuple(channels)
        self.on_notify, self.on_connect = on_notify, on_connect
        self.only = only
        self.is_connected = False
        self._listener = listener

    def close(self) -> None:
        self._listener.drop(self)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()


class Listener:
    """Calls a subscriber's `on_connect()` after every (re)connection, and then `on_notify` for each notification: what was
    missed in between has to be read again. is_connected, last_error: for the status.

    connect: opens the connection, where it is not the usual one of the DSN.
    """

    def __init__(
        self, dsn: str, *, connect: Callable[[], Awaitable[asyncpg.Connection]] | None = None
    ) -> None:
        self._dsn = dsn
        self._connect = connect or self._open
        self._subscribers: dict[tuple[str, str | None], list[Subscription]] = {}
        self._unsettled: list[Subscription] = []
        self._woken = asyncio.Event()
        self._trouble = Trouble("listener")
        self.is_connected = False
        self.connections = 0
        self.last_error: str | None = None

    def subscribe(
        self,
        channels: Sequence[str],
        on_notify: OnNotify,
        on_connect: Callable[[], None],
        *,
        only: str | None = None,
    ) -> Subscription:
        """only: the one payload that is heard, None = every one. May be called while it runs."""
        subscription = Subscription(self, channels, on_notify, on_connect, only)
        for channel in subscription.channels:
            self._subscribers.setdefault((channel, only), []).append(subscription)
        self._unsettled.append(subscription)
        self._woken.set()
        return subscription

    @contextlib.contextmanager
    def wakes(self, channel: str, by_payload: Mapping[str, Callable[[], None]]) -> Iterator[None]:
        """Inside, call what stands beside the payload of each notification, and all of it after every (re)connection."""
        with contextlib.ExitStack() as heard:
            for payload, wake in by_payload.items():
                heard.enter_context(self.subscribe([channel], _heedless(wake), wake, only=payload))
            yield

    def drop(self, subscription: Subscription) -> None:
        """Undo subscribe; harmless a second time."""
        subscription.is_connected = False
        for channel in subscription.channels:
            key = (channel, subscription.only)
            left = [s for s in self._subscribers.get(key, ()) if s is not subscription]
            if left:
                self._subscribers[key] = left
            else:
                self._subscribers.pop(key, None)
        if subscription in self._unsettled:
            self._unsettled.remove(subscription)
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled."""
        backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        while True:
            before = self.connections
            try:
                await self._listen()
            except DATABASE_ERRORS as err:
                self.last_error = f"{type(err).__name__}: {err}"
                self._trouble.failed(err)
            if self.connections != before:
                backoff.succeeded()
            await sleep_unless_cancelled(backoff.failed())

    async def _open(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            self._dsn,
            ssl=tls_of(self._dsn),
            timeout=5,
            server_settings={"application_name": "callmatrix listen"},
        )

    async def _listen(self) -> None:
        conn = await self._connect()
        listened: set[str] = set()
        conn.add_termination_listener(lambda _: self._woken.set())
        self._unsettled = self._everyone()
        try:
            while not conn.is_closed():
                self._woken.clear()
                await self._settle(conn, listened)
                if not self.is_connected:
                    self.is_connected, self.connections = True, self.connections + 1
                    self._trouble.recovered()
                try:
                    async with asyncio.timeout(_PROBE_SECONDS):
                        await self._woken.wait()
                except TimeoutError:
                    await conn.execute("SELECT 1", timeout=10)  # a connection that died silently shows here
            raise ConnectionResetError("the database closed the connection")
        finally:
            self.is_connected = False
            for subscription in self._everyone():
                subscription.is_connected = False
            with contextlib.suppress(Exception):
                await conn.close(timeout=2)

    async def _settle(self, conn: asyncpg.Connection, listened: set[str]) -> None:
        """Those who came since hear from now on, and are told to read what was before. What nobody wants any more is not
        sent to us any more."""
        while self._unsettled:
            subscription = self._unsettled[0]
            for channel in subscription.channels:
                if channel not in listened:
                    await conn.add_listener(channel, self._heard)
                    listened.add(channel)
            if subscription in self._unsettled:  # it may have been closed meanwhile
                self._unsettled.remove(subscription)
                subscription.is_connected = True
                subscription.on_connect()
        for channel in listened - {channel for channel, _only in self._subscribers}:
            listened.discard(channel)
            await conn.remove_listener(channel, self._heard)

    def _everyone(self) -> list[Subscription]:
        return list(dict.fromkeys(s for group in self._subscribers.values() for s in group))

    def _heard(self, _conn: object, _pid: int, channel: str, payload: object) -> None:
        text = str(payload)
        for key in ((channel, None), (channel, text)):
            for subscription in tuple(self._subscribers.get(key, ())):
                if subscription.is_connected:
                    subscription.on_notify(channel, text)


def _heedless(wake: Callable[[], None]) -> OnNotify:
    return lambda _channel, _payload: wake()
