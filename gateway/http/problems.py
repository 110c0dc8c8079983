"""Errors as `application/problem+json` (RFC 9457): what, why, and what to do."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

CONTENT_TYPE = "application/problem+json"


def problem(
    status: int, code: str, title: str, *, detail: str = "", field: str | None = None, **more: Any
) -> web.Response:
    """code: kebab-case and stable, see docs/reference/errors.md. field: the name of the offending input."""
    body: dict[str, Any] = {"type": f"urn:callmatrix:{code}", "title": title, "status": status, "code": code}
    if detail:
        body["detail"] = detail
    if field is not None:
        body["field"] = field
    return web.Response(status=status, body=orjson.dumps(body | more), content_type=CONTENT_TYPE)


def raw_problem(status: int, code: str, title: str) -> bytes:
    """Return the whole answer as it goes over the wire, for when no request was read. The connection ends with it."""
    body: bytes = problem(status, code, title).body  # type: ignore[assignment]
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: {CONTENT_TYPE}\r\nServer: callmatrix\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


def unauthorised() -> web.Response:
    response = problem(
        401,
        "unauthorised",
        "The secret is missing or wrong.",
        detail="Send it as 'Authorization: Bearer …' or as '?token=…'.",
    )
    response.headers["WWW-Authenticate"] = "Bearer"
    return response
