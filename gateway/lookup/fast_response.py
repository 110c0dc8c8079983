"""A small answer, written in one piece.

Preparing an answer aiohttp's general way costs about as much as deciding it, and lookups are asked while phones ring.
This one does no more than a 200 with a body needs; whatever is not plain HTTP/1.1 keep-alive goes the general way.
"""

from __future__ import annotations

import time
from email.utils import formatdate

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter

from gateway.http.headers import ON_ALL

_FIXED = "".join(f"{name}: {value}\r\n" for name, value in ON_ALL.items())


class FastResponse(web.StreamResponse):
    """An answer to a lookup."""

    has_own_head = True

    def __init__(self, content_type: str, body: bytes) -> None:
        super().__init__()
        self._content_type_sent, self._body_sent = content_type, body

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        if self._eof_sent:
            return None
        if request.version == HttpVersion11 and request.keep_alive and request.method != "HEAD":
            transport = request.transport
            if transport is None or transport.is_closing():
                raise ConnectionResetError("who asked has gone")
            transport.write(written(self._content_type_sent, self._body_sent))
            self._keep_alive = True
        else:
            headers = {"Content-Type": self._content_type_sent, **ON_ALL}
            plain = web.Response(body=self._body_sent, headers=headers)
            await plain.prepare(request)
            await plain.write_eof()
            self._keep_alive = plain.keep_alive
        self._eof_sent = True
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Everything was written by `prepare`."""


class _Clock:
    second = 0
    heads: dict[str, bytes] = {}


def written(content_type: str, body: bytes) -> bytes:
    """Return head and body of a 200 as they go over the wire. content_type: one of the few that dialects have."""
    now = int(time.time())
    if now != _Clock.second:
        _Clock.heads.clear()
        _Clock.second = now
    head = _Clock.heads.get(content_type)
    if head is None:
        head = _Clock.heads[content_type] = _head(content_type, now)
    return b"%b%d\r\n\r\n%b" % (head, len(body), body)


def _head(content_type: str, now: int) -> bytes:
    date = formatdate(now, usegmt=True)
    return f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n{_FIXED}Date: {date}\r\nContent-Length: ".encode()
