"""The HTTP door: who may stay at it and for how long, counted. What is asked there is the application's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from gateway.http.connection import DoorConnection, mended_line
from gateway.http.peers import Peers
from runtime.cancellation import sleep_unless_cancelled
from runtime.doors.admissions import Admissions
from runtime.doors.descriptors import Descriptors
from runtime.doors.seldom import SeldomTold
from runtime.doors.tally import Tally
from runtime.metrics import Sample

log = structlog.get_logger(__name__)

# Longer than reverse proxies keep theirs, 60 s as a rule.
_KEEPALIVE_SECONDS = 75.0
_LINGER_SECONDS = 1.0
_READ_BYTES = 16 * 1024
_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class DoorLimits:
    """most: connections in all. most_of_one: of one address."""

    most: int = 4000
    most_of_one: int = 500


class HttpDoor:
    """`run` is to run as long as the door is open.

    answer_at_once: asked first, with what came on a connection that has shown a secret; None: it is no question of its kind.
    """

    def __init__(
        self, limits: DoorLimits | None = None, peers: Peers | None = None, tally: Tally | None = None
    ) -> None:
        limits, self.peers = limits or DoorLimits(), peers or Peers()
        self.answer_at_once: Callable[[bytes], bytes | None] = _nothing
        # By the loop's clock, as the connections are.
        self.admissions = Admissions(
            limits.most,
            limits.most_of_one,
            is_shared=self.peers.is_proxy,
            clock=lambda: asyncio.get_running_loop().time(),
        )
        self._tally = tally or Tally()
        self.malformed = SeldomTold("http-malformed")
        self.descriptors = Descriptors()
        self._mended = SeldomTold("http-address-mended", seconds=3600.0)
        self._late = 0
        self.answered_at_once = 0

    def runner(self, app: web.Application, shutdown_timeout: float) -> web.AppRunner:
        return _DoorRunner(app, self, shutdown_timeout)

    def mended(self, data: bytes, address: str) -> bytes:
        """Return a request whose address is not written as HTTP wants it, made so where that is safe."""
        mended = mended_line(data)
        if mended is None:
            return data
        self._mended.note(address)
        return mended

    def note_malformed(self, address: str, error: str, connection: str) -> None:
        """Count and tell it. connection: of a PBX, as the request names it; "" = none."""
        self.malformed.note(address, error=error)
        self._tally.note("malformed", connection, address)

    async def run(self) -> None:
        """Cut off, every second, who is late. Never ends by itself."""
        while True:
            await sleep_unless_cancelled(_LOOK_SECONDS)
            now = asyncio.get_running_loop().time()
            for connection in self.admissions:
                if connection.is_overdue(now):
                    self._late += 1
                    connection.send_away()
            if not self.descriptors.are_left():
                self.admissions.thin_out(0.25)

    def samples(self) -> Iterator[Sample]:
        """For the metrics."""
        held = self.admissions
        yield "gauge", "http_connections", "Open HTTP connections", {}, len(held)
        yield "counter", "http_connections_late", "cut off because nothing came in time", {}, self._late
        yield "counter", "http_connections_sent_away", "cut off for newcomers", {}, held.sent_away
        yield "counter", "http_connections_refused", "not taken, all others were busy", {}, held.refused
        yield (
            "counter",
            "http_answered_at_once",
            "lookups answered before the library",
            {},
            self.answered_at_once,
        )
        yield "counter", "http_malformed", "Requests that are no HTTP", {}, self.malformed.total
        yield "counter", "http_addresses_mended", "with raw spaces or letters", {}, self._mended.total
        yield (
            "counter",
            "descriptors_exhausted",
            "times that no file could be opened",
            {},
            self.descriptors.exhausted,
        )


def _nothing(_data: bytes) -> None:
    return None


class _DoorServer(web.Server):
    """Makes our connections instead of the library's."""

    def __init__(self, door: HttpDoor, made: web.Server) -> None:
        super().__init__(
            made.request_handler, request_factory=made.request_factory, loop=made._loop, **made._kwargs
        )
        self._door = door

    def __call__(self) -> RequestHandler:
        return DoorConnection(self._door, self, loop=self._loop, **self._kwargs)


class _DoorRunner(web.AppRunner):
    def __init__(self, app: web.Application, door: HttpDoor, shutdown_timeout: float) -> None:
        options: dict[str, Any] = {
            "access_log": None,
            "auto_decompress": False,
            "keepalive_timeout": _KEEPALIVE_SECONDS,
            "lingering_time": _LINGER_SECONDS,
            "read_bufsize": _READ_BYTES,
        }
        super().__init__(app, handle_signals=False, shutdown_timeout=shutdown_timeout, **options)
        self._door = door

    async def _make_server(self) -> web.Server:
        return _DoorServer(self._door, await super()._make_server())
