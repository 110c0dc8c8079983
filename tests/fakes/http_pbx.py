"""A PBX that takes orders over HTTP: by our own contract, or Ringostat's callback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class FakeHttpPbx:
    """says: (HTTP status, body) of every answer, or "silent" (taken, and never answered), or "cut". key: what the header
    `key_header` must carry. asked: (method, path, headers, JSON body) of each request, refused ones included; connections: where each came from."""

    key_header: str = "Authorization"
    key: str = "Bearer right"
    says: tuple[int, Any] | str = (202, {})
    asked: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)
    url: str = ""
    connections: list[object] = field(default_factory=list)

    async def _handle(self, request: web.Request) -> web.Response:
        text = await request.text()
        self.connections.append(request.transport and request.transport.get_extra_info("peername"))
        body = json.loads(text) if text else None
        self.asked.append((request.method, request.path, dict(request.headers), body))
        if request.headers.get(self.key_header) != self.key:
            return web.json_response({"message": "who are you?"}, status=401)
        if self.says == "silent":
            await asyncio.sleep(60)
        if self.says == "cut" and request.transport is not None:
            request.transport.close()
        status, told = self.says if isinstance(self.says, tuple) else (202, {})
        return web.json_response(told, status=status)


@asynccontextmanager
async def serving(fake: FakeHttpPbx) -> AsyncIterator[FakeHttpPbx]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", fake._handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield fake
    finally:
        await runner.cleanup()
