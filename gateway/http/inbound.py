"""A web request as the value that PBX kinds read."""

from __future__ import annotations

from datetime import UTC, datetime

from aiohttp import web
from aiohttp.hdrs import CONTENT_ENCODING

from gateway.pbx.port import Inbound
from gateway.pbx.query import read_query


def head_of(request: web.Request, path: str) -> Inbound:
    """Return what stands before the body; that is read later, if it is worth it."""
    return Inbound(
        method=request.method,
        path=path.strip("/"),
        query=read_query(request.raw_path),
        headers=dict(request.headers),
        body=b"",
        received_at=datetime.now(UTC),
    )


def is_compressed(request: web.BaseRequest) -> bool:
    """Nothing is unpacked here: a few bytes can stand for gigabytes."""
    encoding = request.headers.get(CONTENT_ENCODING)
    return encoding is not None and encoding.strip().lower() not in ("", "identity")
