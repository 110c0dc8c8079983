"""One HTTP request to a vendor: what it answered or that it did not, and a redacted record of what was said."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp
from yarl import URL

from runtime.exchange import Exchange, shown, shown_target

NoteExchange = Callable[[Exchange], None]

MOST_BYTES = 64 * 1024 * 1024
_CONNECT_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """url: encoded. shown: what of the body may be kept in the exchange log, never a key or signature; shown_url: in place of the
    url there, where a secret stands in that. most_bytes: a longer answer is read no further. tls: whom to trust, None = whom the system
    trusts."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None
    shown: bytes = b""
    shown_url: str = ""
    lane: str = "reconciliation"
    seconds: float = 30.0
    statuses: frozenset[int] = frozenset({200})
    most_bytes: int = MOST_BYTES
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """headers: names in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def retry_after(self) -> float | None:
        """Seconds, None when not told."""
        after = self.headers.get("Retry-After", "")
        return float(after) if after.isascii() and after.isdigit() else None


class VendorSilent(Exception):
    """No whole answer came. was_sent: the request may have been read all the same, so nobody knows what became of it."""

    code, retryable = "vendor-silent", True

    def __init__(self, message: str, *, was_sent: bool) -> None:
        super().__init__(message)
        self.was_sent = was_sent


class AnswerTooLong(VendorSilent):
    """More came than is wanted; the rest was not read."""


async def ask(
    session: aiohttp.ClientSession,
    question: Question,
    judge: Callable[[HttpAnswer], None],
    on_exchange: NoteExchange | None = None,
) -> HttpAnswer:
    """Return what came, of whatever status.

    judge: raises where the answer is none that the caller can use; the record says so. Raises VendorSilent, and what judge raises.
    """
    at, began = datetime.now(UTC), time.monotonic()
    answer, error = None, ""
    try:
        answer = await _exchanged(session, question)
        judge(answer)
        return answer
    except VendorSilent as err:
        error = str(err)
        raise
    except Exception as err:
        error = f"{getattr(err, 'code', type(err).__name__)}: {err}"
        raise
    finally:
        if on_exchange is not None:
            milliseconds = int((time.monotonic() - began) * 1000)
            on_exchange(_record(question, answer, at=at, milliseconds=milliseconds, error=error))


async def _exchanged(session: aiohttp.ClientSession, question: Question) -> HttpAnswer:
    connect = min(question.seconds, _CONNECT_SECONDS)
    try:
        async with session.request(
            question.method,
            URL(question.url, encoded=True),
            headers=question.headers,
            data=question.body,
            timeout=aiohttp.ClientTimeout(total=question.seconds, connect=connect),
            allow_redirects=False,
            ssl=question.tls or True,
        ) as response:
            return HttpAnswer(response.status, response.headers, await _body(response, question.most_bytes))
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as err:
        raise VendorSilent(_told(err), was_sent=False) from err
    except (aiohttp.ClientError, OSError, TimeoutError) as err:
        raise VendorSilent(_told(err), was_sent=True) from err


def _told(err: BaseException) -> str:
    """Without the address, which may hold a secret and which some of these errors quote."""
    if isinstance(err, aiohttp.ClientResponseError):
        return f"{type(err).__name__}: {err.status}, {err.message}"
    return type(err).__name__ if isinstance(err, aiohttp.InvalidURL) else f"{type(err).__name__}: {err}"


async def _body(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    read = bytearray()
    async for part in response.content.iter_chunked(65536):
        read += part
        if len(read) > most_bytes:
            raise AnswerTooLong(f"the answer is longer than {most_bytes} bytes", was_sent=True)
    return bytes(read)


def _record(
    question: Question, answer: HttpAnswer | None, *, at: datetime, milliseconds: int, error: str
) -> Exchange:
    return Exchange(
        at=at,
        method=question.method,
        target=shown_target(URL(question.shown_url or question.url, encoded=True).raw_path_qs),
        status=answer.status if answer else None,
        milliseconds=milliseconds,
        lane=question.lane,
        sent=shown(question.shown),
        received=shown(answer.body if answer else b""),
        error=error,
    )
