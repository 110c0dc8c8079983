from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from gateway.lookup.fast_response import FastResponse

BODY = b'{"outcome":"scheme"}'


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return FastResponse("application/json", BODY)

    app = web.Application()
    app.router.add_route("*", "/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


async def said(port: int, sent: bytes) -> bytes:
    """All that the server says until it closes, or falls silent for a moment."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    got = b""
    while True:
        try:
            part = await asyncio.wait_for(reader.read(65536), 0.5)
        except TimeoutError:
            break
        if not part:
            got += b"<closed>"
            break
        got += part
    writer.close()
    return got


async def test_one_connection_is_answered_again_and_again_with_type_length_and_date(port: int) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        for method in ("GET", "POST", "GET"):
            async with session.request(
                method, f"http://127.0.0.1:{port}/", data=b"x" if method == "POST" else None
            ) as got:
                assert (got.status, await got.read(), got.content_type) == (200, BODY, "application/json")
                assert got.headers["Date"].endswith("GMT")


async def test_requests_sent_together_are_answered_one_by_one(port: int) -> None:
    got = await said(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
    assert got.count(b"HTTP/1.1 200 OK") == got.count(BODY) == 3
    assert not got.endswith(b"<closed>")


@pytest.mark.parametrize(
    "request_",
    [b"GET / HTTP/1.0\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"],
)
async def test_who_does_not_keep_the_connection_is_answered_and_it_is_closed(
    port: int, request_: bytes
) -> None:
    got = await said(port, request_)
    assert BODY in got
    assert got.endswith(b"<closed>")


async def test_head_brings_no_body(port: int) -> None:
    got = await said(port, b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"200 OK" in got
    assert BODY not in got
