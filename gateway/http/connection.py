"""One HTTP connection: how long it may take to say something, how much of it is held, and what it is told when it is not HTTP.

Stands on aiohttp's RequestHandler and some of its inner names, which the lock file pins and tests/unit/gateway/http hold.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any, Protocol, cast

import structlog
from aiohttp import EMPTY_PAYLOAD, web
from aiohttp.http import HttpProcessingError
from aiohttp.web_protocol import RequestPayloadError, _ErrInfo

from gateway.http.endings import EndingConnection
from gateway.http.headers import compressed, dress, in_our_form
from gateway.http.inbound import is_compressed
from gateway.http.problems import problem, raw_problem
from runtime.doors.admissions import Admissions

log = structlog.get_logger(__name__)

HEAD_SECONDS = 5.0
STUCK_SECONDS = 10.0
MAX_HEAD = 16 * 1024

_FULL = raw_problem(503, "too-many-connections", "Too many connections are open.")
_HEAD_TOO_LARGE = raw_problem(431, "head-too-large", "The head of the request is too large.")

# Of a PBX that writes a name as it stands: spaces and letters in the query. Nothing else of the line is touched, and
# nothing but a whole first line, so that it stays one request.
_LINE = re.compile(rb"(GET|POST) (/pbx/[^\r\n\t\0]*) (HTTP/1\.[01])\r\n")
_NAMED = re.compile(rb"[A-Z]+ /pbx/([a-z0-9_-]{1,63})/")
_RAW = re.compile(rb"[ \x80-\xff]")


class Doorkeeper(Protocol):
    """What a connection needs of the door: see gateway/http/door.py."""

    admissions: Admissions
    answer_at_once: Callable[[bytes], bytes | None]
    answered_at_once: int

    def note_malformed(self, address: str, error: str, connection: str) -> None: ...

    def mended(self, data: bytes, address: str) -> bytes: ...


class DoorConnection(EndingConnection):
    """is_known: a secret was shown on it. came_at: by the loop's clock. _named: the PBX connection that a malformed request
    was for."""

    # _is_between: the library's parser stands between two requests, with nothing of the next in it.
    __slots__ = (
        "_door",
        "_head_bytes",
        "_head_since",
        "_is_between",
        "_named",
        "_stuck_since",
        "address",
        "came_at",
        "is_known",
    )

    def __init__(self, door: Doorkeeper, server: web.Server, **arguments: Any) -> None:
        super().__init__(server, **arguments)
        self._door = door
        self.address = ""
        self.is_known = False
        self.came_at = self._loop.time()
        self._head_since = 0.0
        self._head_bytes = 0
        self._stuck_since = 0.0
        self._is_between = False
        self._named = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername")
        self.address = peer[0] if isinstance(peer, tuple) else ""
        self.came_at = self._loop.time()
        if not self._door.admissions.admit(self):
            writable = cast(asyncio.Transport, transport)
            writable.write(_FULL)
            writable.close()
            self._force_close = True
            return
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._door.admissions.release(self)
        super().connection_lost(exc)

    @property
    def is_waiting(self) -> bool:
        """For a request, or for the body of one that has shown no secret."""
        request = self._current_request
        if request is None:
            return self._waiter is not None and not self._messages
        return not self.is_known and not request._payload.is_eof()

    @property
    def asked_at(self) -> float:
        """When it was last answered, else when it came: what its end for want of questions is reckoned from."""
        return max(self.came_at, self._next_keepalive_close_time - self._keepalive_timeout)

    def send_away(self) -> None:
        """At once: whatever is still to be written is nothing that it waits for."""
        transport = self.transport
        self.force_close()
        if transport is not None:
            transport.abort()

    def is_overdue(self, now: float) -> bool:
        """Say whether the first head, or one that began, is late, or it does not read what it was answered."""
        if self._stuck_since and now - self._stuck_since > STUCK_SECONDS:
            return True
        if self._current_request is not None or self._messages:
            return False
        began = self._head_since or (0.0 if self._request_count else self.came_at)
        return bool(began) and now - began > HEAD_SECONDS

    def data_received(self, data: bytes) -> None:
        # The first bytes often come with the connection, before the library's task has begun to wait.
        is_head = not self._messages and (self._waiter is not None or not self._request_count)
        if is_head and self._is_between and self.is_known and self._was_answered(data):
            return
        if (
            is_head
            and not self._head_since
            and (data.count(b" ", 0, data.find(b"\n")) != 2 or not data.isascii())
        ):
            data = self._door.mended(data, self.address)
        had_none = not self._messages
        super().data_received(data)
        self._is_between = (
            had_none
            and len(self._messages) == 1
            and self._messages[0][1] is EMPTY_PAYLOAD
            and not self._upgraded
            and data.endswith(b"\r\n\r\n")
        )
        if self._messages and isinstance(self._messages[-1][0], _ErrInfo):
            self._note_name(data)
        if not is_head:
            self._end_broken_body()
            return
        if self._messages:
            self._head_since = 0.0
        elif data:
            self._note_part_of_head(len(data))

    def _note_name(self, data: bytes) -> None:
        named = _NAMED.match(data)
        self._named = named[1].decode() if named else ""

    def _was_answered(self, data: bytes) -> bool:
        """Answer a whole request without the library, where whoever asks is known and nothing stands before or behind it."""
        transport = self.transport
        if transport is None or self._force_close or self._close or self._stuck_since:
            return False
        answer = self._door.answer_at_once(data)
        if answer is None:
            return False
        transport.write(answer)
        self._door.answered_at_once += 1
        self._request_count += 1
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        return True

    def _end_broken_body(self) -> None:
        """Tell whoever reads the body that the rest of it is no HTTP: the parser keeps that for the next request."""
        request = self._current_request
        if request is None or not self._messages or not isinstance(self._messages[-1][0], _ErrInfo):
            return
        if not request._payload.is_eof():
            request._payload.set_exception(RequestPayloadError("the body is framed wrongly"))

    def _note_part_of_head(self, size: int) -> None:
        if not self._head_since:
            self._head_since, self._head_bytes = self._loop.time(), 0
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD and self.transport is not None:
            self._door.note_malformed(self.address, "HeadTooLarge", "")
            self.transport.write(_HEAD_TOO_LARGE)
            self.force_close()

    def pause_writing(self) -> None:
        """Whoever does not read is not read either: answers to what was sent in advance would pile up."""
        super().pause_writing()
        self._stuck_since = self._loop.time()
        self._pause_reading_for_buffer()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stuck_since = 0.0
        if self._buffer_paused:
            self._resume_reading_if_drained()

    def _resume_reading_if_drained(self) -> None:
        if not self._paused:
            super()._resume_reading_if_drained()

    def log_exception(self, *args: Any, **how: Any) -> None:
        """Count a body that broke off or is framed wrongly and that nobody read any more: no failure of ours."""
        err = how.get("exc_info")
        if isinstance(err, (RequestPayloadError, HttpProcessingError)):
            err.__traceback__ = None
            self._door.note_malformed(self.address, type(err).__name__, self._named)
        else:
            super().log_exception(*args, **how)

    def finish_response(self, request: Any, resp: Any, start_time: float | None) -> Any:
        if not getattr(resp, "has_own_head", False):
            resp = self._dressed(request, resp)
        return super().finish_response(request, resp, start_time)

    def _dressed(self, request: web.BaseRequest, response: web.StreamResponse) -> web.StreamResponse:
        if isinstance(response, web.HTTPException):
            # Its trace holds the request, and whoever handles it holds it: nobody would let go of the body.
            response.__traceback__ = None
            response = compressed() if is_compressed(request) else in_our_form(response)
        if not isinstance(response, web.StreamResponse) or response.prepared:
            return response
        dress(response)
        if not request._payload.is_eof():
            response.force_close()
        return response

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP, and our own failures. Nothing of what was sent is said again, here or in the log."""
        if isinstance(exc, ConnectionError):
            exc.__traceback__ = (
                None  # the request's body holds this error, and its trace would hold the request
            )
            raise ConnectionError("who asked has gone") from None
        if request.writer.output_size > 0:
            raise ConnectionError("the answer was begun already")
        if status == 400:
            self._door.note_malformed(self.address, type(exc).__name__, self._named)
            response = problem(
                400,
                "http-malformed",
                "This is not HTTP as it should be.",
                detail="Encode spaces and letters in addresses; headers are 'Name: value'; 8 KiB a line at most.",
            )
        elif status == 504:
            response = problem(503, "busy", "The gateway could not answer in time.", detail="Send it again.")
        else:
            log.error("request-failed", exc_info=exc)
            response = problem(500, "internal", "The gateway failed.", detail="Its log tells why.")
        response.force_close()
        return response


def mended_line(data: bytes) -> bytes | None:
    """Return the data with spaces and letters of the first line's address escaped; None: it is no such line, or has none."""
    line = _LINE.match(data)
    if line is None or not _RAW.search(line[2]):
        return None
    address = _RAW.sub(lambda raw: b"%%%02X" % raw[0][0], line[2])
    return b"%b %b %b\r\n" % (line[1], address, line[3]) + data[line.end() :]


def vouch(request: web.BaseRequest) -> None:
    """Note that a secret was shown: the connection is not sent away for a stranger."""
    connection = request._protocol
    if type(connection) is DoorConnection:
        connection.is_known = True
