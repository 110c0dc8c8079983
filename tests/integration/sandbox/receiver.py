"""A real server that webhooks are delivered to; it answers as told and keeps what it got."""

from __future__ import annotations

import asyncio
from types import TracebackType
from urllib.parse import parse_qsl

from aiohttp import web


class Receiver:
    """status: of every answer. delay: seconds before it."""

    def __init__(self, status: int = 200, delay: float = 0) -> None:
        self.status, self.delay = status, delay
        self.forms: list[dict[str, str]] = []
        self.url = ""
        self._arrived = asyncio.Condition()

    async def __aenter__(self) -> Receiver:
        app = web.Application()
        app.router.add_post("/hook", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/hook"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        form = dict(parse_qsl((await request.read()).decode(), keep_blank_values=True))
        async with self._arrived:
            self.forms.append(form)
            self._arrived.notify_all()
        await asyncio.sleep(self.delay)
        return web.Response(status=self.status)

    async def count(self, wanted: int) -> list[dict[str, str]]:
        """The forms, as soon as there are `wanted` of them."""
        async with self._arrived:
            await asyncio.wait_for(self._arrived.wait_for(lambda: len(self.forms) >= wanted), 5)
        return self.forms

    async def form_with(self, prefix: str) -> dict[str, str]:
        """The first form that has a key with this beginning."""
        async with self._arrived:
            await asyncio.wait_for(self._arrived.wait_for(lambda: self._with(prefix) is not None), 5)
        return self._with(prefix) or {}

    def _with(self, prefix: str) -> dict[str, str] | None:
        return next((form for form in self.forms if any(key.startswith(prefix) for key in form)), None)
