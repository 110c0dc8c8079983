"""A database that stands still is told within seconds, with its cause, by commands and by the gateway."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import aiohttp
import asyncpg

from gateway.app.gateway import Gateway
from gateway.settings import Settings
from gateway.store.admin import accounts
from runtime.database.pool import open_pool
from tests.fakes.database_proxy import Proxy
from tests.integration.api.in_process import typed

_STATE = "s" * 40


@asynccontextmanager
async def proxied(database_url: str) -> AsyncIterator[tuple[Proxy, str]]:
    """The proxy, and the database's address through it."""
    port = database_url.rsplit(":", 1)[1].partition("/")[0]
    proxy = Proxy(int(port))
    await proxy.start()
    try:
        yield proxy, database_url.replace(f":{port}/", f":{proxy.port}/")
    finally:
        proxy.speaks.set()
        await proxy.stop()


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


async def test_a_command_says_that_the_database_does_not_answer(
    pool: asyncpg.Pool, database_url: str
) -> None:
    async with proxied(database_url) as (proxy, url):
        assert (await typed(url, "token", "list")).code == 0
        proxy.speaks.clear()
        with within(15):
            said = await typed(url, "token", "list")
    assert (said.code, "has not answered for 7 seconds" in said.err) == (1, True), said.err


async def test_the_gateway_answers_503_while_the_database_stands_still(
    pool: asyncpg.Pool, database_url: str, account: str
) -> None:
    async with pool.acquire() as conn:
        token = await accounts.add_api_token(conn, name="t", role="admin")
    stop, started = asyncio.Event(), asyncio.get_running_loop().create_future()
    async with proxied(database_url) as (proxy, url), aiohttp.ClientSession() as http:
        settings = Settings(_env_file=None, database_url=url, port=0, host="127.0.0.1")
        gateway = Gateway(settings, await open_pool(url, max_size=5), http)
        running = asyncio.create_task(gateway.run(stop, started))
        base = f"http://127.0.0.1:{await asyncio.wait_for(started, 20)}"

        async def ask(path: str) -> tuple[int, str]:
            async with http.get(base + path, headers={"Authorization": f"Bearer {token}"}) as response:
                return response.status, await response.text()

        listed = f"/api/v1/accounts/{account}/employees"
        assert (await ask(listed))[0] == 200
        proxy.speaks.clear()
        with within(10):
            told, page = await asyncio.gather(ask(listed), ask(f"/crm/oauth?state={_STATE}&code=1"))
        assert (told[0], "database-unavailable" in told[1], page[0]) == (503, True, 503)
        proxy.speaks.set()
        assert (await ask(listed))[0] == 200
        stop.set()
        await asyncio.wait_for(running, 20)
        gateway.pool.terminate()
