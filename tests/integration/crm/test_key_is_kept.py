"""The answer to a refresh is the only copy of an account's key: it is stored, whatever ends while it is on its way."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from aiohttp import web

from crm.amocrm.store import PgTokenStore
from crm.amocrm.tokens import Tokens
from crm.amocrm.transport import Transport
from crm.budget import Budget
from tests.integration.crm.running_worker import ACCOUNT, CrmSite, crm_site

_SLOW_KEY = {"match": {"path": "/oauth2/access_token"}, "always": True, "fault": "latency", "ms": 1000}
_IS_OUT = "SELECT refresh_sent_at IS NOT NULL FROM crm_token"
_IS_NEW = "SELECT generation = 2 AND refresh_sent_at IS NULL FROM crm_token"
_IS_USED = "SELECT count(*) > 0 FROM sync_cursor WHERE last_success IS NOT NULL"

_SWITCHED_OFF = "UPDATE account SET state = 'off'"
_LEASE_LOST = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'callmatrix lease'"
    " AND datname = current_database()"
)


@pytest.fixture
async def site(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[CrmSite]:
    async with crm_site(pool, database_url) as made:
        yield made


def _expired() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


async def test_a_worker_that_is_told_to_end_waits_for_the_new_key(site: CrmSite) -> None:
    await site.connect_with_oauth(expires_at=_expired())
    await site.spoil(_SLOW_KEY)
    async with site.worker() as stop:
        await site.until(_IS_OUT)
        stop.set()
    assert await site.value(_IS_NEW)
    await site.spoil()
    async with site.worker():
        await site.until(_IS_USED)


@pytest.mark.parametrize("happens", [_SWITCHED_OFF, _LEASE_LOST])
async def test_an_account_whose_work_ends_meanwhile_keeps_its_new_key(site: CrmSite, happens: str) -> None:
    await site.connect_with_oauth(expires_at=_expired())
    await site.spoil(_SLOW_KEY)
    async with site.worker():
        await site.until(_IS_OUT)
        await site.pool.execute(happens)
        await site.until(_IS_NEW)


async def test_an_account_that_moved_gets_its_new_key_and_address_together(site: CrmSite) -> None:
    async with _old_home(urlsplit(site.sandbox.url).netloc) as old_home:
        stale = _jwt({"api_domain": urlsplit(old_home).netloc})
        await site.connect_with_oauth(old_home, access_token=stale, expires_at=_expired())
        await site.spoil(_SLOW_KEY)
        async with site.worker():
            await site.until(_IS_OUT)
            assert await site.value("SELECT base_url FROM account") == old_home
            await site.until("SELECT base_url = $1 FROM account", site.sandbox.url)
            assert await site.value(_IS_NEW)
            await site.until(_IS_USED)


async def test_two_processes_that_need_a_new_key_at_once_ask_for_one(site: CrmSite) -> None:
    await site.connect_with_oauth(expires_at=_expired())
    await site.spoil({**_SLOW_KEY, "ms": 300})
    processes = [
        Tokens(ACCOUNT, site.sandbox.url, PgTokenStore(site.pool, ACCOUNT), Transport(site.http), Budget())
        for _ in range(2)
    ]
    first, second = await asyncio.gather(*(tokens.access_token() for tokens in processes))
    assert first == second
    assert await site.value(_IS_NEW)


@asynccontextmanager
async def _old_home(new_home: str) -> AsyncIterator[str]:
    """Knows of the account only where it is now."""

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/oauth2/account/current/subdomain":
            return web.json_response({"id": 1, "domain": new_home})
        return web.json_response({"title": "Not Found", "status": 404}, status=404)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _jwt(claims: dict[str, Any]) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{payload}.c2lnbmF0dXJl"
