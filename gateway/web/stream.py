"""The one stream of a browser: it tells which topics changed, and the page reads the parts that show them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

from aiohttp import web

from gateway.store.admin.roles import Role
from gateway.web.dialogs.hearing import Hearing
from gateway.web.frame import PageCall, PageRoute
from gateway.web.page_headers import dress_page
from runtime.database.changes import Reader

TOPIC_ROLES: Mapping[str, Role] = {
    "calls": "read_only",
    "cases": "read_only",
    "presence": "read_only",
    "findings": "senior_manager",
    "work": "senior_manager",
    "effects": "senior_manager",
    "matrix": "read_only",
    "distribution": "read_only",
    "outbound": "senior_manager",
    "people": "senior_manager",
    "tasks": "senior_manager",
    "dialogues": "manager",
    "answering": "manager",
    "reading": "manager",
}
"""Topic -> the least role that is told of it: of every topic, and only that something changed. Of dialogues who may see them."""

_HEARTBEAT_SECONDS = 15.0
_MOST_STREAMS = 500
_open: set[int] = set()


def topics_of(call: PageCall) -> frozenset[str]:
    return frozenset(topic for topic, role in TOPIC_ROLES.items() if call.may(role))


async def events(call: PageCall) -> web.StreamResponse:
    """Until the browser goes or the session is over."""
    if len(_open) >= _MOST_STREAMS:
        return web.Response(status=503, headers={"Retry-After": "10"})
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
    )
    dress_page(response, is_https=False, frame_host=None)
    token = id(response)
    _open.add(token)
    try:
        await response.prepare(call.request)
        await response.write(b"retry: 3000\n\n")
        with call.services.changes.reader(call.account.id, topics_of(call)) as reader:
            await _told(response, reader, call)
    except ConnectionError:
        pass
    finally:
        _open.discard(token)
    return response


async def _told(response: web.StreamResponse, reader: Reader, call: PageCall) -> None:
    changed, hearing = aiter(reader), Hearing(call)
    waiting = asyncio.ensure_future(anext(changed))
    over = asyncio.ensure_future(call.signed_in.over(call.who))
    try:
        while True:
            await asyncio.wait(
                (waiting, over), timeout=_HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            if over.done():
                await response.write(b"event: over\ndata:\n\n")
                return
            if not waiting.done():
                await response.write(b":\n\n")
                continue
            if topics := await hearing.topics_told(waiting.result()):
                await response.write(f"event: changed\ndata: {topics}\n\n".encode())
            waiting = asyncio.ensure_future(anext(changed))
    finally:
        for task in (waiting, over):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(waiting, over, return_exceptions=True)


PAGES = (PageRoute(method="GET", path="/events", handler=events, role="read_only"),)
