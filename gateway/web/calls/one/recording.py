"""A recording played through our own address: the browser learns neither where the PBX keeps it nor the token in its link."""

from __future__ import annotations

import aiohttp
import structlog
from aiohttp import web

from gateway.store.admin.staff import staff_of
from gateway.store.calls.calls import NoSuchCall
from gateway.store.calls.calls import call as stored_call
from gateway.web.calls.seen import may_see_call, no_call_to_see
from gateway.web.frame import PageCall, page_not_found
from gateway.web.page_headers import dress_page
from runtime.addresses import is_beside_us
from runtime.vendors.named_addresses import NamedAddresses

log = structlog.get_logger(__name__)

_CHUNK = 64 * 1024
_PASSED_ON = ("Content-Type", "Content-Length", "Content-Range", "Accept-Ranges", "ETag", "Last-Modified")
_SOUNDS = ("audio/", "application/octet-stream", "application/ogg", "video/mp4", "binary/")


async def recording(call: PageCall) -> web.StreamResponse:
    """Part by part, as the browser asks for it."""
    url, hosts = await _link(call)
    wanted = {"Range": call.request.headers["Range"]} if "Range" in call.request.headers else {}
    try:
        async with (
            NamedAddresses(hosts, is_beside_us) as web_of_pbxs,
            await web_of_pbxs.opened(url, wanted) as answer,
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
