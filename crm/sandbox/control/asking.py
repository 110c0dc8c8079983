"""What control requests hold, and how they are answered."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web


async def body_of(request: web.Request) -> dict[str, Any]:
    """Return the JSON object that was sent, {} where nothing was. Raises HTTPBadRequest for anything else."""
    raw = await request.read()
    try:
        value = orjson.loads(raw) if raw.strip() else {}
    except ValueError as error:
        raise web.HTTPBadRequest(text=f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise web.HTTPBadRequest(text="expected an object")
    return value


def json_answer(value: Any, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(value), status=status, content_type="application/json")
