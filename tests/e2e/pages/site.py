"""The gateway with the process of the pages behind it, on a database with one account; tests say who is signed in."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import asyncpg

from gateway.app.gateway import Gateway
from gateway.settings import Settings
from gateway.store.admin import accounts
from gateway.store.admin.staff import replace_staff
from gateway.web.process import PagesProcess
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR
from tests.integration.web.browser import KnownPeople

_START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Site:
    """pages: their process, whose people the tests name. pool: to arrange what is seen. stop_pages: the gateway is alone then."""

    address: str
    pages: PagesProcess
    people: KnownPeople
    pool: asyncpg.Pool
    stop_pages: Callable[[], None]
    account: str = ACCOUNT


@contextlib.asynccontextmanager
async def running_site(
    pool: asyncpg.Pool, database_url: str, *, signs_in: bool = False, second_factor: str = "offered"
) -> AsyncIterator[Site]:
    """signs_in: people sign in with their passwords, else the tests say who is who. second_factor: who has to have one."""
    async with pool.acquire() as conn, conn.transaction():
        await accounts.add_account(conn, account_id=ACCOUNT, name="Main", base_url="http://crm.example")
        await accounts.add_connection(
            conn, account_id=ACCOUNT, name="office", kind="generic", secret="s", lines=("+74951230000",)
        )
        await replace_staff(conn, ACCOUNT, [SENIOR, ANNA])
    settings = Settings(
        _env_file=None,
        database_url=database_url,
        port=0,
        host="127.0.0.1",
        pages_kit=True,
        second_factor=second_factor,
    )
    people, stop, stop_pages = KnownPeople(), asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    pages_started: asyncio.Future[None] = loop.create_future()
    gateway_started: asyncio.Future[int] = loop.create_future()
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "pages.sock"
        async with aiohttp.ClientSession() as crm:
            pages = PagesProcess(settings, pool, crm, signed_in=None if signs_in else people)
            gateway = Gateway(settings, pool, crm, pages_socket=socket)
            running = [
                asyncio.create_task(pages.run(stop_pages, socket, pages_started)),
                asyncio.create_task(gateway.run(stop, gateway_started)),
            ]
            async with asyncio.timeout(_START_SECONDS):
                await pages_started
                port = await gateway_started
            try:
                yield Site(f"http://127.0.0.1:{port}", pages, people, pool, stop_pages.set)
            finally:
                stop.set()
                stop_pages.set()
                await asyncio.gather(*running, return_exceptions=True)
