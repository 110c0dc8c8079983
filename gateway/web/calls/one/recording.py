"""A recording played through our own address: the browser learns neither where the PBX keeps it nor the token in its link."""

from __future__ import annotations

import asyncio
import socket
from urllib.parse import urljoin, urlsplit

import aiohttp
import structlog
from aiohttp import web

from gateway.pbx.reading.links import is_link
from gateway.store.admin.staff import staff_of
from gateway.store.calls.calls import NoSuchCall
from gateway.store.calls.calls import call as stored_call
from gateway.web.calls.seen import may_see_call, no_call_to_see
from gateway.web.frame import PageCall, page_not_found
from gateway.web.page_headers import dress_page
from runtime.addresses import is_beside_us

log = structlog.get_logger(__name__)

_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=20)
_REDIRECTS = 3
_CHUNK = 64 * 1024
_PASSED_ON = ("Content-Type", "Content-Length", "Content-Range", "Accept-Ranges", "ETag", "Last-Modified")
_SOUNDS = ("audio/", "application/octet-stream", "application/ogg", "video/mp4", "binary/")


async def recording(call: PageCall) -> web.StreamResponse:
    """Part by part, as the browser asks for it."""
    url, hosts = await _link(call)
    wanted = {"Range": call.request.headers["Range"]} if "Range" in call.request.headers else {}
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT, auto_decompress=False) as http,
            await _opened(http, url, hosts, {**wanted, "Accept-Encoding": "identity"}) as answer,
        ):
            return await _passed_on(call, answer)
    except (aiohttp.ClientError, TimeoutError, OSError) as err:
        log.warning("recording-not-fetched", account=call.account.id, error=type(err).__name__)
        raise page_not_found("recording") from err


async def _link(call: PageCall) -> tuple[str, frozenset[str]]:
    """Return where the PBX keeps it, and to which hosts its links may lead anywhere."""
    account_id, number = call.account.id, call.path["number"]
    async with call.connection() as conn:
        try:
            row = await stored_call(conn, account_id, call.path["call"])
        except NoSuchCall as err:
            raise no_call_to_see(call) from err
        if not await may_see_call(call, conn, row, await staff_of(conn, account_id)):
            raise no_call_to_see(call)
    links = row.call.recordings
    if not (number.isascii() and number.isdigit() and len(number) < 4 and 1 <= int(number) <= len(links)):
        raise page_not_found("recording")
    connections = call.services.configuration.now.connections.values()
    named = (
        c.words("recording_hosts")
        for c in connections
        if (c.account_id, c.id) == (account_id, row.connection_id)
    )
    return links[int(number) - 1], frozenset(host.lower() for words in named for host in words)


async def _opened(
    http: aiohttp.ClientSession, url: str, hosts: frozenset[str], headers: dict[str, str]
) -> aiohttp.ClientResponse:
    """Follow a few redirects; none of them may lead to what only this machine can reach."""
    for _ in range(_REDIRECTS + 1):
        if not is_link(url) or not await _may_be_asked(url, hosts):
            raise page_not_found("recording")
        answer = await http.get(url, headers=headers, allow_redirects=False)
        where = answer.headers.get("Location")
        if answer.status not in (301, 302, 303, 307, 308) or not where:
            return answer
        answer.close()
        url = urljoin(url, where)
    raise page_not_found("recording")


async def _may_be_asked(url: str, hosts: frozenset[str]) -> bool:
    host = (urlsplit(url).hostname or "").lower()
    if host in hosts:
        return True
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return not any(is_beside_us(str(info[4][0])) for info in found)


async def _passed_on(call: PageCall, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    kind = answer.headers.get("Content-Type", "application/octet-stream").lower()
    if answer.status not in (200, 206, 416) or not kind.startswith(_SOUNDS):
        log.warning("recording-not-fetched", account=call.account.id, status=answer.status, kind=kind[:60])
        raise page_not_found("recording")
    headers = {name: answer.headers[name] for name in _PASSED_ON if name in answer.headers}
    response = web.StreamResponse(
        status=answer.status,
        headers={**headers, "Content-Disposition": "inline"},
    )
    dress_page(response, is_https=call.services.settings.base_url.startswith("https:"), frame_host=None)
    await response.prepare(call.request)
    async for chunk in answer.content.iter_chunked(_CHUNK):
        await response.write(chunk)
    await response.write_eof()
    return response
