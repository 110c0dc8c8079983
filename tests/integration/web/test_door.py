"""The gateway's one port passes on what is no program's, and calls go on when the pages are away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import asyncpg
import pytest
from aiohttp import web

from gateway.app.gateway import Gateway
from gateway.http.peers import ADDRESS_HEADER
from gateway.settings import Settings


@pytest.fixture
def socket(tmp_path: Path) -> Path:
    return tmp_path / "pages.sock"


@pytest.fixture
async def gateway(
    pool: asyncpg.Pool, database_url: str, account: str, socket: Path
) -> AsyncIterator[tuple[str, aiohttp.ClientSession]]:
    """(its address, a session to ask it)."""
    settings = Settings(_env_file=None, database_url=database_url, port=0, host="127.0.0.1")
    stop = asyncio.Event()
    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with aiohttp.ClientSession() as crm, aiohttp.ClientSession(auto_decompress=False) as http:
        running = asyncio.create_task(Gateway(settings, pool, crm, pages_socket=socket).run(stop, started))
        port = await asyncio.wait_for(started, 20)
        try:
            yield f"http://127.0.0.1:{port}", http
        finally:
            stop.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait_for(running, 20)


@contextlib.asynccontextmanager
async def pages_at(socket: Path) -> AsyncIterator[None]:
    """A process of pages that says what it was asked."""

    async def said(request: web.Request) -> web.StreamResponse:
        if request.path == "/slow":
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b"first")
            await asyncio.Event().wait()
        body = (await request.read()).decode()
        answer = {
            "method": request.method,
            "path": request.raw_path,
            "host": request.headers["Host"],
            "address": request.headers.getall(ADDRESS_HEADER),
            "cookie": request.headers.get("Cookie"),
            "body": body,
        }
        response = web.json_response(answer, status=201, headers={"X-Own": "1"})
        response.headers.add("Set-Cookie", "a=1; Path=/")
        response.headers.add("Set-Cookie", "b=2; Path=/")
        return response

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", said)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.UnixSite(runner, str(socket)).start()
    try:
        yield
    finally:
        await runner.cleanup()


async def test_requests_and_answers_pass_as_they_are(
    gateway: tuple[str, aiohttp.ClientSession], socket: Path
) -> None:
    url, http = gateway
    async with pages_at(socket):
        asked = http.post(
            f"{url}/matrix/%2E%2e/x?q=%D0%B0&q=b",
            data=b"x" * 100_000,
            headers={"Cookie": "c=3", ADDRESS_HEADER: "6.6.6.6"},
        )
        async with asked as answer:
            said = await answer.json()
            assert answer.status == 201
            assert answer.headers.getall("Set-Cookie") == ["a=1; Path=/", "b=2; Path=/"]
            assert answer.headers["X-Own"] == "1"
    assert said["method"] == "POST"
    assert said["path"].endswith("x?q=%D0%B0&q=b")
    assert said["address"] == ["127.0.0.1"], "who asks is said by the gateway alone"
    assert said["host"] == url.removeprefix("http://")
    assert said["cookie"] == "c=3"
    assert said["body"] == "x" * 100_000


async def test_an_answer_passes_piece_by_piece(
    gateway: tuple[str, aiohttp.ClientSession], socket: Path
) -> None:
    url, http = gateway
    async with pages_at(socket), http.get(f"{url}/slow") as answer:
        assert await asyncio.wait_for(answer.content.readany(), 5) == b"first"


async def test_what_programs_ask_never_reaches_the_pages(
    gateway: tuple[str, aiohttp.ClientSession], socket: Path
) -> None:
    url, http = gateway
    async with pages_at(socket):
        for path in ("/pbx/x/y/z", "/crm/none", "/api/v9", "/api", "/healthz", "/sms/a"):
            async with http.get(url + path) as answer:
                assert "json" in answer.headers["Content-Type"], path
                assert "X-Own" not in answer.headers, path


async def test_without_pages_it_is_said_that_calls_go_on(gateway: tuple[str, aiohttp.ClientSession]) -> None:
    url, http = gateway
    async with http.get(f"{url}/calls") as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "3")
        assert answer.headers["Refresh"] == "5"
        assert "Звонки это не задело" in await answer.text()
    async with http.get(f"{url}/healthz") as answer:
        assert answer.status == 200


async def test_pages_answer_under_our_own_names_only(
    gateway: tuple[str, aiohttp.ClientSession], socket: Path
) -> None:
    url, http = gateway
    async with pages_at(socket), http.get(url, headers={"Host": "evil.example"}) as answer:
        assert answer.status == 421
