"""What lies at addresses that somebody else has named: fetched from the web only, and never by way of us from where we alone can reach.

The guard stands where a name becomes an address, and what it has let through is what is connected to: a name that leads elsewhere
the next time (DNS rebinding) gains nothing, nor does a redirect.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from runtime.addresses import is_inside, is_web_address

_REDIRECTS = 3
_MOVED = frozenset({301, 302, 303, 307, 308})
_CHUNK = 64 * 1024
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=20)
IsForbidden = Callable[[str], bool]


class AddressForbidden(OSError):
    """An address that leads to this machine, into a network that only we can reach, or is none of the web."""

    code, retryable = "address-forbidden", False


class NotFetchedWhy(StrEnum):
    """Why nothing was brought. silent, trouble: it may be there the next time."""

    FORBIDDEN = "forbidden"
    GONE = "gone"
    REFUSED = "refused"
    TOO_LARGE = "too-large"
    SILENT = "silent"
    TROUBLE = "trouble"


class NotFetched(Exception):
    """Nothing was brought from an address that somebody has named."""

    code = "not-fetched"

    def __init__(self, why: NotFetchedWhy, words: str) -> None:
        super().__init__(words)
        self.why = why
        self.retryable = why in (NotFetchedWhy.SILENT, NotFetchedWhy.TROUBLE)


@dataclass(frozen=True, slots=True)
class NamedContent:
    """media_type: as it was told, which proves nothing."""

    content: bytes = field(repr=False)
    media_type: str


class GuardedResolver(AbstractResolver):
    """named: hosts that the operator lets through wherever they are, in small letters."""

    def __init__(
        self, named: Collection[str], is_forbidden: IsForbidden, inner: AbstractResolver | None = None
    ) -> None:
        self._named, self._is_forbidden = frozenset(named), is_forbidden
        self._inner = inner or aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if host.lower() not in self._named and any(self._is_forbidden(one["host"]) for one in found):
            raise AddressForbidden(f"{host} leads to where only this machine can reach")
        return found

    async def close(self) -> None:
        await self._inner.close()


class NamedAddresses:
    """A session for such addresses; open it with `async with`. is_forbidden: of an address; a name is judged by where it leads.
    resolver: in place of the system's."""

    def __init__(
        self,
        named: Collection[str] = (),
        is_forbidden: IsForbidden = is_inside,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._named, self._is_forbidden = frozenset(host.lower() for host in named), is_forbidden
        guard = GuardedResolver(self._named, is_forbidden, resolver)
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=guard, use_dns_cache=False, force_close=True),
            timeout=_TIMEOUT,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def __aenter__(self) -> NamedAddresses:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def opened(self, url: str, headers: dict[str, str] | None = None) -> aiohttp.ClientResponse:
        """Follow a few redirects, each judged like the first address. Raise AddressForbidden, aiohttp.ClientError, OSError."""
        for _ in range(_REDIRECTS + 1):
            self._judge(url)
            answer = await self._http.get(
                URL(url), headers={"Accept-Encoding": "identity", **(headers or {})}, allow_redirects=False
            )
            where = answer.headers.get("Location")
            if answer.status not in _MOVED or not where:
                return answer
            answer.close()
            url = urljoin(url, where)
        raise AddressForbidden("it leads on and on")

    async def fetch(self, url: str, *, most_bytes: int, seconds: float) -> NamedContent:
        """Bring it whole, and stop where it is longer than it may be. Raise NotFetched."""
        try:
            async with asyncio.timeout(seconds), await self.opened(url) as answer:
                _judge_status(answer.status)
                if (answer.content_length or 0) > most_bytes:
                    raise NotFetched(NotFetchedWhy.TOO_LARGE, f"{answer.content_length} bytes")
                return NamedContent(await _read(answer, most_bytes), answer.content_type)
        except (AddressForbidden, aiohttp.ClientError, TimeoutError, OSError) as err:
            is_forbidden = isinstance(err, AddressForbidden) or isinstance(
                getattr(err, "os_error", None), AddressForbidden
            )
            why = NotFetchedWhy.FORBIDDEN if is_forbidden else NotFetchedWhy.SILENT
            raise NotFetched(why, type(err).__name__) from err

    def _judge(self, url: str) -> None:
        """Raise AddressForbidden. A number that stands for an address is never asked of the resolver."""
        if not is_web_address(url):
            raise AddressForbidden("it is no address of the web")
        host = (URL(url).raw_host or "").lower()
        if host not in self._named and self._is_forbidden(host):
            raise AddressForbidden(f"{host} is an address that only this machine can reach")


def _judge_status(status: int) -> None:
    if status == 200:
        return
    if status in (404, 410):
        raise NotFetched(NotFetchedWhy.GONE, f"HTTP {status}")
    if 400 <= status < 500 and status not in (408, 425, 429):
        raise NotFetched(NotFetchedWhy.REFUSED, f"HTTP {status}")
    raise NotFetched(NotFetchedWhy.TROUBLE, f"HTTP {status}")


async def _read(answer: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    read = bytearray()
    async for part in answer.content.iter_chunked(_CHUNK):
        read += part
        if len(read) > most_bytes:
            raise NotFetched(NotFetchedWhy.TOO_LARGE, f"more than {most_bytes} bytes")
    return bytes(read)
