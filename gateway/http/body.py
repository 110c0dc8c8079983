"""The one place where the body of a request is read: in pieces, so much and no more, in so much time and no longer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.web_protocol import RequestPayloadError

from gateway.http.inbound import is_compressed
from gateway.http.problems import problem

_KIB = 1024


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """bytes: whatever the framing says. seconds: from the end of the head to the end of the body."""

    bytes: int
    seconds: float


PBX_BODY = BodyLimit(256 * _KIB, 10.0)
WEBHOOK_BODY = BodyLimit(1024 * _KIB, 10.0)
API_BODY = BodyLimit(4096 * _KIB, 30.0)
API_FILE_BODY = BodyLimit(15 * 1024 * _KIB, 60.0)
"""10 MiB of a file in the letters of JSON."""

# Of all bodies together whose secret stands in themselves and was not judged yet.
_MOST_UNJUDGED = 16 * 1024 * _KIB


class BodyRefused(Exception):
    """A body that was not read to its end. `answer` says so; the connection is closed after it."""

    def __init__(self, status: int, code: str, title: str, detail: str) -> None:
        super().__init__(title)
        self.status, self.code, self.title, self.detail = status, code, title, detail

    def answer(self) -> web.Response:
        response = problem(self.status, self.code, self.title, detail=self.detail)
        response.force_close()
        if self.status == 503:
            response.headers["Retry-After"] = "1"
        return response


class _Unjudged:
    held = 0


async def read_body(request: web.Request, limit: BodyLimit, *, is_judged: bool = True) -> bytes:
    """Return the whole body, b"" when there is none.

    is_judged: the asker has shown a secret; bodies of others share 16 MiB. Raises BodyRefused.
    """
    if not request.body_exists:
        return b""
    if is_compressed(request):
        raise BodyRefused(415, "compressed", "The body is compressed.", "Send it without Content-Encoding.")
    if (request.content_length or 0) > limit.bytes:
        raise _too_large(limit)
    if not is_judged and _Unjudged.held > _MOST_UNJUDGED:
        raise BodyRefused(503, "busy", "Too many messages arrive at once.", "Send it again.")
    pieces: list[bytes] = []
    try:
        reason = await _read_into(pieces, request, limit, is_judged)
        if reason is None:
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
    finally:
        if not is_judged:
            _Unjudged.held -= sum(map(len, pieces))
    pieces.clear()
    raise reason


async def _read_into(
    pieces: list[bytes], request: web.Request, limit: BodyLimit, is_judged: bool
) -> BodyRefused | None:
    """Return why it was not read to its end.

    Not raised from here: the error of a broken connection would hold the frames that it passed, and they the body,
    until the garbage collector comes by.
    """
    size = 0
    try:
        async with asyncio.timeout(limit.seconds):
            while piece := await request.content.readany():
                size += len(piece)
                if size > limit.bytes:
                    return _too_large(limit)
                pieces.append(piece)
                if not is_judged:
                    _Unjudged.held += len(piece)
    except TimeoutError:
        return BodyRefused(
            408, "body-late", "The body did not arrive in time.", f"It may take {limit.seconds:.0f} s."
        )
    except (RequestPayloadError, HttpProcessingError, ConnectionError) as err:
        err.__traceback__ = None
        return BodyRefused(
            400, "body-broken", "The body ended too early or is framed wrongly.", "Nothing was accepted."
        )
    return None


def _too_large(limit: BodyLimit) -> BodyRefused:
    return BodyRefused(413, "too-large", "The body is too large.", f"At most {limit.bytes} bytes are taken.")
