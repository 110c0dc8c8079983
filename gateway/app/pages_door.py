"""The way from the gateway's port to the process that makes the pages: requests and answers pass through, piece by piece."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import aiohttp
import structlog
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from gateway.http.pages import OwnHosts
from gateway.http.peers import ADDRESS_HEADER, Peers
from gateway.web.texts.sentences import TEXTS
from runtime.doors.seldom import SeldomTold

log = structlog.get_logger(__name__)

_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
    }
)
_MOST_AT_ONCE = 600
_PIECE = 64 * 1024


class PagesDoor:
    """socket: of the process that makes the pages."""

    def __init__(self, socket: Path, peers: Peers, own_hosts: OwnHosts) -> None:
        self._socket, self._peers, self._own_hosts = socket, peers, own_hosts
        self._session: aiohttp.ClientSession | None = None
        self._away = SeldomTold("pages-away")

    async def handle(self, request: web.Request) -> web.StreamResponse:
        return await self._own_hosts.only(self._forwarded)(request)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _forwarded(self, request: web.Request) -> web.StreamResponse:
        address = self._peers.address_of(request)
        try:
            async with self._opened().request(
                request.method,
                URL(f"http://pages{request.rel_url.raw_path_qs}", encoded=True),
                headers=_passed_on(request.headers, address),
                data=request.content if request.body_exists else None,
                allow_redirects=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            ) as answer:
                return await _passed_back(answer, request)
        except (TimeoutError, aiohttp.ClientError, OSError) as err:
            if request.writer.output_size > 0:
                raise ConnectionError("the pages ended in the middle of an answer") from None
            self._away.note(address, error=type(err).__name__)
            headers = {"Retry-After": "3"} | ({"Refresh": "5"} if request.method == "GET" else {})
            return web.Response(status=503, text=_away(), content_type="text/html", headers=headers)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(str(self._socket), limit=_MOST_AT_ONCE),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session


def _passed_on(headers: Mapping[str, str], address: str) -> CIMultiDict[str]:
    passed = CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in _HOP_BY_HOP)
    passed[ADDRESS_HEADER] = address
    return passed


async def _passed_back(answer: aiohttp.ClientResponse, request: web.Request) -> web.StreamResponse:
    headers = CIMultiDict(
        (name, value) for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP
    )
    response = web.StreamResponse(status=answer.status, headers=headers)
    await response.prepare(request)
    if request.method != "HEAD":
        async for piece in answer.content.iter_chunked(_PIECE):
            await response.write(piece)
    await response.write_eof()
    return response


def _away() -> str:
    """Say in both languages what is the matter: nobody is there who knows the reader's."""
    said = "".join(
        f"<div lang={texts.language}><h1>{texts.say('shell.away.title')}</h1><p>{texts.say('shell.away.detail')}</p></div>"
        for texts in TEXTS.values()
    )
    return f"<!doctype html><html lang=ru><meta charset=utf-8><title>Callmatrix</title>{said}"
