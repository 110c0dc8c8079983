"""A web request as the value that PBX kinds read."""

from __future__ import annotations

from datetime import UTC, datetime

from aiohttp import web

from gateway.pbx.port import Inbound
from gateway.pbx.query import read_query

MAX_BODY = 256 * 1024


async def inbound_of(request: web.Request, path: str) -> Inbound:
    """Read the body. Raises web.HTTPRequestEntityTooLarge over 256 KiB."""
    if (request.content_length or 0) > MAX_BODY:
        raise web.HTTPRequestEntityTooLarge(max_size=MAX_BODY, actual_size=request.content_length or 0)
    return inbound_from(request, path, await request.read() if request.can_read_body else b"")


def inbound_from(request: web.Request, path: str, body: bytes) -> Inbound:
    return Inbound(
        method=request.method,
        path=path.strip("/"),
        query=read_query(request.raw_path),
        headers=dict(request.headers),
        body=body,
        received_at=datetime.now(UTC),
    )


def is_compressed(request: web.Request) -> bool:
    return request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity")
