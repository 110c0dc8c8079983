"""Connections of a server that ends while it still answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.web_protocol import RequestHandler


class EndingConnection(RequestHandler):
    """Ends quietly. The library tells a server that is ending of each answer that is done, also when the server has just
    given up waiting for it: that is an error of its own, after the answer has gone out, and nobody's trouble."""

    __slots__ = ()

    async def _handle_request(
        self,
        request: web.BaseRequest,
        start_time: float | None,
        request_handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
    ) -> tuple[web.StreamResponse, bool]:
        try:
            return await super()._handle_request(request, start_time, request_handler)
        except asyncio.InvalidStateError as err:
            raise ConnectionResetError("the server ends") from err


class _EndingServer(web.Server):
    def __init__(self, made: web.Server) -> None:
        super().__init__(
            made.request_handler, request_factory=made.request_factory, loop=made._loop, **made._kwargs
        )

    def __call__(self) -> RequestHandler:
        return EndingConnection(self, loop=self._loop, **self._kwargs)


class EndingRunner(web.AppRunner):
    """Of an application without a door of its own."""

    async def _make_server(self) -> web.Server:
        return _EndingServer(await super()._make_server())
