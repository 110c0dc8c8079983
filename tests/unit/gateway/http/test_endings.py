"""A server that ends while it answers."""

from __future__ import annotations

import asyncio
import logging

import aiohttp
import pytest
from aiohttp import web

from gateway.http.endings import EndingRunner


async def test_an_answer_that_is_done_when_the_server_gives_up_is_no_trouble(
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun, given_up = asyncio.Event(), asyncio.Event()

    async def late(request: web.Request) -> web.Response:
        begun.set()
        while not ((waited := request.protocol._handler_waiter) and waited.cancelled()):
            await asyncio.sleep(0)
        given_up.set()
        return web.Response(text="late")

    app = web.Application()
    app.router.add_get("/", late)
    runner = EndingRunner(app, handle_signals=False, access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    async with aiohttp.ClientSession() as http:
        asked = asyncio.create_task(http.get(f"http://127.0.0.1:{runner.addresses[0][1]}/"))
        await begun.wait()
        with caplog.at_level(logging.ERROR):
            await runner.cleanup()
        await asyncio.wait({asked}, timeout=5)
    assert given_up.is_set()
    assert [record.getMessage() for record in caplog.records] == []
