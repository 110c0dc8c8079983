"""Where a double listens. Whoever connects may be killed at that very moment, before anything of the request was read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from tests.chaos.outgoing.kill_points import KillPoints


@asynccontextmanager
async def listening(app: web.Application, points: KillPoints, point: str, first: bytes) -> AsyncIterator[str]:
    """Its address. first: how a request begins whose sender is to be killed at `point`."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    assert runner.server is not None
    serve: Callable[[], asyncio.Protocol] = runner.server

    def connected() -> asyncio.Protocol:
        return _Unheard(points, point, first) if points.is_due(point) else serve()

    server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await runner.cleanup()


class _Unheard(asyncio.Protocol):
    """Kills who has connected; what they may have sent until then is thrown away."""

    def __init__(self, points: KillPoints, point: str, first: bytes) -> None:
        self._points, self._point, self._first = points, point, first
        self._said = b""
        self._is_killed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        port = transport.get_extra_info("peername")[1]
        self._is_killed = self._points.kill_peer(self._point, port)
        if not self._is_killed:
            assert isinstance(transport, asyncio.Transport)
            transport.abort()

    def data_received(self, data: bytes) -> None:
        self._said += data

    def connection_lost(self, exc: Exception | None) -> None:
        """One that only asked something was no order: the next one."""
        if not self._is_killed:
            return
        is_right = self._said.startswith(self._first) or not self._said
        (self._points.has_fired if is_right else self._points.again)(self._point)
