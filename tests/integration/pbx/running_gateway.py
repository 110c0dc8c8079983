"""A gateway process in this one: the real server on port 0, a real database, a directory with a few clients."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
import asyncpg

from gateway.app.gateway import Gateway
from gateway.pbx.kind import PbxKind
from gateway.pbx.kinds import KINDS
from gateway.settings import Settings
from gateway.store.admin import accounts
from gateway.store.admin.staff import replace_staff
from routing.staff import Employee
from runtime.vendors.mango_signing import signed_form
from tests.waiting import until

ACCOUNT = "main"
LINE = "+74951234567"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

PEOPLE = (
    Employee(id="boss", name="Ольга Старшая", crm_user_id="1", extensions=("100",), is_senior=True),
    Employee(id="anna", name="Анна", crm_user_id="11", extensions=("101",)),
    Employee(id="away", name="Без номера", crm_user_id="12"),
)
CLIENTS = {
    79001234567: '[["c","5001","11",1795283120,"ООО Ромашка",0]]',
    79007654321: '[["c","5002","12",1795283120,"Иван Петров",0]]',
}


@dataclass
class Running:
    """url: of the gateway. connections are called as their kinds, unless said otherwise."""

    url: str
    gateway: Gateway
    pool: asyncpg.Pool
    http: aiohttp.ClientSession

    async def ask(self, name: str, method: str = "GET", **request: Any) -> tuple[int, str, bytes]:
        """(status, content type, body) of the lookup endpoint."""
        return await self._request(method, f"/pbx/{name}/lookup", **request)

    async def tell(self, name: str, path: str = "events", **request: Any) -> tuple[int, str, bytes]:
        return await self._request("POST", f"/pbx/{name}/{path}", **request)

    async def notify(
        self, name: str, path: str, told: Mapping[str, Any], salt: str = "demo"
    ) -> tuple[int, str, bytes]:
        """As MANGO does: a signed form."""
        return await self.tell(name, path, data=signed_form("demo", salt, dict(told)), headers=FORM)

    async def _request(self, method: str, path: str, **request: Any) -> tuple[int, str, bytes]:
        async with self.http.request(method, self.url + path, **request) as response:
            return response.status, response.content_type, await response.read()

    async def stored(self) -> list[list[dict[str, Any]]]:
        """The events of each message in the inbox, oldest first."""
        rows = await self.pool.fetch("SELECT events FROM inbox ORDER BY event_id")
        return [r["events"] if isinstance(r["events"], list) else json.loads(r["events"]) for r in rows]

    async def rows(self, sql: str, *args: object) -> list[dict[str, Any]]:
        return [dict(r) for r in await self.pool.fetch(sql, *args)]

    async def until(self, sql: str, *args: object, seconds: float = 10) -> list[dict[str, Any]]:
        """The first answer that has rows."""
        return await until(lambda: self.rows(sql, *args), f"rows of {sql}", seconds=seconds)


def form(**fields: Any) -> dict[str, Any]:
    return {"data": urlencode(fields, doseq=True), "headers": FORM}


async def add_connection(pool: asyncpg.Pool, name: str, kind: str, **fields: Any) -> None:
    fields.setdefault("lines", (LINE,))
    async with pool.acquire() as conn:
        await accounts.add_connection(conn, account_id=ACCOUNT, name=name, kind=kind, secret="demo", **fields)


async def prepare(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn, conn.transaction():
        await accounts.add_account(conn, account_id=ACCOUNT, name="Проверка", base_url="http://127.0.0.1:1")
        await replace_staff(conn, ACCOUNT, PEOPLE)
        await conn.executemany(
            "INSERT INTO directory_entry (account_id, number, seq, candidates) VALUES ($1, $2, 1, $3)",
            [(ACCOUNT, number, candidates) for number, candidates in CLIENTS.items()],
        )
        await conn.execute(
            "INSERT INTO directory_state (account_id, seq, changed_at, loaded_at) VALUES ($1, 1, now(), now())",
            ACCOUNT,
        )


async def _is_complete(gateway: Gateway) -> bool:
    return not await gateway.missing()


@asynccontextmanager
async def running_gateway(
    pool: asyncpg.Pool, dsn: str, kinds: Mapping[str, PbxKind] = KINDS
) -> AsyncIterator[Running]:
    """Ready when it is given; connections that were added before are known."""
    stop = asyncio.Event()
    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    settings = Settings(database_url=dsn, port=0)
    async with aiohttp.ClientSession() as outgoing, aiohttp.ClientSession() as http:
        gateway = Gateway(settings, pool, outgoing, kinds)
        work = asyncio.create_task(gateway.run(stop, started))
        try:
            async with asyncio.timeout(20):
                port = await started
                await until(lambda: _is_complete(gateway), "the gateway has all that it needs")
            yield Running(f"http://127.0.0.1:{port}", gateway, pool, http)
        finally:
            stop.set()
            await work
