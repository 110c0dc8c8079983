"""A small JSON answer, written in one piece.

Preparing an answer aiohttp's general way costs about as much as deciding it, and lookups are asked while phones ring.
This one does no more than a 200 with a body needs; whatever is not plain HTTP/1.1 keep-alive goes the general way.
"""

from __future__ import annotations

import time
from email.utils import formatdate

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter

from gateway.http.headers import ON_ALL

_HEADERS = {"Content-Type": "application/json", **ON_ALL}
_FIXED = "".join(f"{name}: {value}\r\n" for name, value in _HEADERS.items())


class FastJsonResponse(web.StreamResponse):
    """body: JSON."""

    has_own_head = True

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self._json = body

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        if self._eof_sent:
            return None
        if request.version == HttpVersion11 and request.keep_alive and request.method != "HEAD":
            transport = request.transport
            if transport is None or transport.is_closing():
                raise ConnectionResetError("who asked has gone")
            transport.write(_head(len(self._json)) + self._json)
            self._keep_alive = True
        else:
            plain = web.Response(body=self._json, headers=_HEADERS)
            await plain.prepare(request)
            await plain.write_eof()
            self._keep_alive = plain.keep_alive
        self._eof_sent = True
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Everything was written by `prepare`."""


class _Clock:
    second = 0
    head = b""


def _head(length: int) -> bytes:
    now = int(time.time())
    if now != _Clock.second:
        date = formatdate(now, usegmt=True)
        _Clock.head = (f"HTTP/1.1 200 OK\r\n{_FIXED}Date: {date}\r\nContent-Length: ").encode()
        _Clock.second = now
    return b"%b%d\r\n\r\n" % (_Clock.head, length)
