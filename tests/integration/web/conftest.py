"""Fixtures; what they are made of stands in browser.py."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from gateway.settings import Settings
from gateway.store.admin import accounts
from gateway.store.admin.staff import replace_staff
from gateway.web.person import SignedIn
from gateway.web.process import PagesProcess
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR
from tests.integration.web.browser import KnownPeople, Site
from tests.integration.web.signing import PUBLIC, House, let_people_in


@pytest.fixture
async def account(pool: asyncpg.Pool) -> str:
    async with pool.acquire() as conn, conn.transaction():
        await accounts.add_account(conn, account_id=ACCOUNT, name="Main", base_url="http://crm.example")
        await accounts.add_connection(
            conn, account_id=ACCOUNT, name="office", kind="generic", secret="s", lines=("+74951230000",)
        )
        await replace_staff(conn, ACCOUNT, [SENIOR, ANNA])
    return ACCOUNT


@contextlib.asynccontextmanager
async def _running(
    settings: Settings, pool: asyncpg.Pool, folder: Path, signed_in: SignedIn | None
) -> AsyncIterator[tuple[PagesProcess, aiohttp.ClientSession]]:
    stop = asyncio.Event()
    started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    socket = folder / "pages.sock"
    async with aiohttp.ClientSession() as crm:
        process = PagesProcess(settings, pool, crm, signed_in=signed_in)
        running = asyncio.create_task(process.run(stop, socket, started))
        await asyncio.wait_for(started, 20)
        connector = aiohttp.UnixConnector(str(socket))
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http:
            try:
                yield process, http
            finally:
                stop.set()
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait_for(running, 20)


@pytest.fixture
async def site(pool: asyncpg.Pool, database_url: str, account: str, tmp_path: Path) -> AsyncIterator[Site]:
    """The process that makes the pages, on a database with one account; who looks is named by the test."""
    settings = Settings(_env_file=None, database_url=database_url, port=0, host="127.0.0.1")
    async with _running(settings, pool, tmp_path, KnownPeople()) as (process, http):
        yield Site(process, pool, http)


@pytest.fixture
def second_factor() -> str:
    """Who needs one; a test may say it otherwise."""
    return "offered"


@pytest.fixture
async def house(
    pool: asyncpg.Pool, database_url: str, account: str, tmp_path: Path, second_factor: str
) -> AsyncIterator[House]:
    """The same, where people sign in: at https://calls.example.com, or on the machine itself."""
    settings = Settings(
        _env_file=None,
        database_url=database_url,
        port=0,
        host="127.0.0.1",
        public_url=PUBLIC,
        second_factor=second_factor,
    )
    await let_people_in(pool)
    async with _running(settings, pool, tmp_path, None) as (process, http):
        yield House(process, pool, http)
