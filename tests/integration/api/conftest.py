"""Fixtures; what they are made of stands in client.py."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp
import asyncpg
import pytest

from gateway.app.gateway import Gateway
from gateway.settings import Settings
from gateway.store.admin import accounts
from gateway.store.admin.staff import replace_staff
from tests.integration.api.client import ACCOUNT, ANNA, SENIOR, Api


@pytest.fixture
async def account(pool: asyncpg.Pool) -> str:
    async with pool.acquire() as conn, conn.transaction():
        await accounts.add_account(conn, account_id=ACCOUNT, name="Main", base_url="http://crm.example")
        await accounts.add_connection(
            conn, account_id=ACCOUNT, name="office", kind="generic", secret="s", lines=("+74951230000",)
        )
        await replace_staff(conn, ACCOUNT, [SENIOR, ANNA])
    return ACCOUNT


@pytest.fixture
async def api(pool: asyncpg.Pool, database_url: str, account: str) -> AsyncIterator[Api]:
    tokens = {}
    async with pool.acquire() as conn:
        for role in ("admin", "manager", "read_only"):
            tokens[role] = await accounts.add_api_token(conn, name=role, role=role)
        await accounts.add_account(conn, account_id="other", name="Other", base_url="http://other.example")
        tokens["other"] = await accounts.add_api_token(conn, name="other", role="admin", account_id="other")
    settings = Settings(
        _env_file=None,
        database_url=database_url,
        port=0,
        host="127.0.0.1",
        telegram_token="1:t",
        telegram_api="http://127.0.0.1:9",
    )
    stop = asyncio.Event()
    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with aiohttp.ClientSession() as session, aiohttp.ClientSession() as http:
        gateway = Gateway(settings, pool, session)
        running = asyncio.create_task(gateway.run(stop, started))
        port = await asyncio.wait_for(started, 20)
        try:
            yield Api(f"http://127.0.0.1:{port}", pool, http, gateway, tokens)
        finally:
            stop.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait_for(running, 20)
