"""aiohttp, and nothing else: a `Request` goes out once, a `Reply` comes back whole, or a CrmError says why not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse
from yarl import URL

from crm.amocrm.wire import Reply, Request, lost

LONGEST_BODY = 16 * 1024 * 1024
READ_SECONDS = 20.0
WRITE_SECONDS = 30.0
CONNECT_SECONDS = 5.0


class ConnectionLost(aiohttp.ClientError):
    """The connection broke after it was made."""


async def _once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """aiohttp sends a GET again by itself when a kept connection broke, which the budget would not see."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as err:
        raise ConnectionLost(str(err) or type(err).__name__) from err


class Transport:
    """read_seconds, write_seconds: for a whole exchange, connecting included."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        read_seconds: float = READ_SECONDS,
        write_seconds: float = WRITE_SECONDS,
    ) -> None:
        self._session = session
        self._read, self._write = read_seconds, write_seconds
        self._offsets: dict[str, float] = {}

    def clock_offset(self, base_url: str) -> float | None:
        """Return the CRM's clock minus ours in seconds, by the `Date` of its latest answer; exact to a second or two."""
        return self._offsets.get(base_url)

    async def is_answering(self, base_url: str) -> bool:
        """Whether the account's host answers a browser, which no limit of the API counts. Raises nothing for what it answers."""
        timeout = aiohttp.ClientTimeout(total=self._read, connect=CONNECT_SECONDS)
        try:
            async with self._session.get(
                base_url.rstrip("/") + "/", allow_redirects=False, timeout=timeout, middlewares=(_once,)
            ):
                return True
        except (aiohttp.ClientError, ConnectionError, TimeoutError):
            return False

    async def exchange(self, base_url: str, request: Request, headers: Mapping[str, str]) -> Reply:
        """Send one request. Raises CrmUnavailable (nothing was sent, or a read brought nothing) or CrmOutcomeUnknown (a write may have)."""
        total = self._write if request.is_write else self._read
        content = request.content()
        sent_headers = {"Accept": "application/json", **(request.headers or {}), **headers}
        if content is not None:
            sent_headers["Content-Type"] = "application/json"
        try:
            async with self._session.request(
                request.method,
                _url(base_url, request),
                data=content,
                headers=sent_headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=total, connect=CONNECT_SECONDS),
                middlewares=(_once,),
            ) as response:
                self._note_date(base_url, response.headers.get("Date"))
                return await _whole(request, response)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as err:
            raise lost(request, str(err), was_sent=False) from err
        except TimeoutError as err:
            raise lost(request, f"no answer in {total:g} s", was_sent=True) from err
        except (aiohttp.ClientError, ConnectionError) as err:
            raise lost(request, f"{type(err).__name__}: {err}", was_sent=True) from err

    def _note_date(self, base_url: str, date: str | None) -> None:
        try:
            told = parsedate_to_datetime(date or "")
        except ValueError:
            return
        if told.tzinfo is not None:
            self._offsets[base_url] = round((told - datetime.now(UTC)).total_seconds(), 1)


def _url(base_url: str, request: Request) -> URL:
    return URL(base_url.rstrip("/") + request.target, encoded=True)


async def _whole(request: Request, response: aiohttp.ClientResponse) -> Reply:
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_chunked(65536):
        size += len(chunk)
        if size > LONGEST_BODY:
            raise lost(request, f"an answer of more than {LONGEST_BODY} bytes", was_sent=True)
        chunks.append(chunk)
    return Reply(
        status=response.status,
        content_type=response.content_type.lower(),
        body=b"".join(chunks),
        request_id=response.headers.get("X-Request-Id", ""),
        location=response.headers.get("Location", ""),
    )
