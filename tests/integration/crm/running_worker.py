"""A worker process in this one, against the sandbox: lease, writer, sync, webhooks and key of an account together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import asyncpg

from crm.amocrm.store import PgTokenStore, store_token
from crm.amocrm.tokens import StoredToken, exchange_code, long_lived
from crm.amocrm.transport import Transport
from crm.sandbox.seed import CHECK_ID
from crm.sandbox.server import Sandbox
from gateway.settings import Settings
from gateway.store.admin import accounts
from gateway.worker.worker import Worker
from runtime.database.pool import open_pool
from tests.waiting import until

ACCOUNT = "a"
_RETURN = "https://example.com/crm/oauth"
_CLIENT = {"client_id": CHECK_ID, "client_secret": "check-secret", "redirect_uri": _RETURN}


@dataclass
class CrmSite:
    """An account at the sandbox, and the worker that may serve it."""

    pool: asyncpg.Pool
    dsn: str
    sandbox: Sandbox
    http: aiohttp.ClientSession

    async def connect(self, base_url: str | None = None) -> None:
        """With a long-lived key."""
        await self.add(base_url)
        await self.authorise()

    async def authorise(self) -> None:
        """As people do: the account is switched on with it, and that is how a worker hears of the key."""
        async with self.pool.acquire() as conn, conn.transaction():
            await store_token(conn, ACCOUNT, long_lived(self.sandbox.token()), None)
            await accounts.set_account_state(conn, ACCOUNT, "on")

    async def connect_with_oauth(self, base_url: str | None = None, **fields: Any) -> StoredToken:
        """fields: of the stored pair that are other than the CRM gave them."""
        await self.add(base_url)
        asked = {"client_id": CHECK_ID, "redirect_uri": _RETURN, "approve": "1"}
        address = f"{self.sandbox.url}/oauth"
        async with self.http.get(address, params=asked, allow_redirects=False) as response:
            code = parse_qs(urlsplit(response.headers["Location"]).query)["code"][0]
        pair = await exchange_code(
            Transport(self.http),
            self.sandbox.url,
            code=code,
            **_CLIENT,  # type: ignore[arg-type]
        )
        fields = {name: getattr(pair, name) for name in pair.__slots__} | fields
        return await PgTokenStore(self.pool, ACCOUNT).save(StoredToken(**fields))

    async def add(self, base_url: str | None = None) -> None:
        async with self.pool.acquire() as conn:
            await accounts.add_account(
                conn, account_id=ACCOUNT, name="A", base_url=base_url or self.sandbox.url
            )

    async def spoil(self, *rules: dict[str, Any]) -> None:
        """Rules of the sandbox for its faults; none = it is well."""
        body = {"rules": list(rules)}
        async with self.http.post(f"{self.sandbox.url}/_sandbox/faults", json=body) as response:
            assert response.status < 300, await response.text()

    async def value(self, sql: str, *args: object) -> Any:
        return await self.pool.fetchval(sql, *args)

    async def until(self, sql: str, *args: object, seconds: float = 20.0) -> Any:
        return await until(lambda: self.value(sql, *args), sql, seconds=seconds)

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[asyncio.Event]:
        """Runs inside; told to end at the end, or by the event that is given."""
        stop = asyncio.Event()
        settings = Settings(database_url=self.dsn, worker_concurrency=2, poll_seconds=1)
        pool = await open_pool(self.dsn, max_size=8)
        work = asyncio.create_task(Worker(settings, pool, self.http).run(stop))
        try:
            yield stop
            assert not work.done() or stop.is_set(), work.exception()
        finally:
            stop.set()
            await work
            await asyncio.wait_for(pool.close(), 10)


@asynccontextmanager
async def crm_site(pool: asyncpg.Pool, dsn: str, contacts: int = 2) -> AsyncIterator[CrmSite]:
    async with Sandbox(contacts=contacts) as sandbox, aiohttp.ClientSession() as http:
        yield CrmSite(pool, dsn, sandbox, http)
