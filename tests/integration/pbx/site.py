"""An installation whose PBXs can be asked, on a real database, and its clients' jobs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import asyncpg

from gateway.calls.queue import Jobs
from gateway.configuration import Configuration
from gateway.intake.inbox import Inbox
from gateway.pbx.call_log import CallLog
from gateway.pbx.connection import Connection
from gateway.pbx.kinds import KINDS
from gateway.pbx.mango.client import MangoClient, MangoPauses
from gateway.pbx.port import Inbound
from gateway.pbx_links.reconciler import Reconciliation
from gateway.pbx_links.sweep import SweepResult
from gateway.store.admin import accounts
from gateway.store.admin.staff import replace_staff
from gateway.store.crm_accounts.exchanges import reports
from routing.settings import AccountSettings, CallPolicy
from routing.staff import Employee
from runtime.database.lease import Leases
from runtime.vendors.http import NoteExchange
from tests.fakes.mango import FakeMango
from tests.fakes.ringostat import FakeRingostat

ACCOUNT = "main"
LINE = "+74951230000"
CLIENT = "+79161234567"
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
QUICK = MangoPauses(start=0.12, result=0.01, patience=5, throttled=0.05)

PEOPLE = (
    Employee(id="boss", name="Ольга Старшая", crm_user_id="1", extensions=("100",), is_senior=True),
    Employee(id="anna", name="Анна Менеджер", crm_user_id="11", extensions=("101",)),
)


@dataclass
class Clock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@dataclass
class Site:
    """One account with a Ringostat and a MANGO that can be asked. page: entries per request of MANGO's statistics."""

    pool: asyncpg.Pool
    dsn: str
    http: aiohttp.ClientSession
    configuration: Configuration
    inbox: Inbox
    jobs: Jobs
    clock: Clock
    ringostat: FakeRingostat
    mango: FakeMango
    page: int = 5000
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def reconciliation(self, **more: Any) -> Reconciliation:
        return Reconciliation(
            self.configuration,
            self.pool,
            Leases(self.dsn),
            self.inbox,
            self.http,
            kinds=KINDS,
            open_call_log=self._open,
            now=self.clock,
            **more,
        )

    def _open(
        self, session: aiohttp.ClientSession, connection: Connection, note: NoteExchange | None
    ) -> CallLog:
        if connection.kind == "mango":
            return MangoClient(session, connection, note, pauses=QUICK, page=self.page)
        opened = KINDS[connection.kind].call_log(connection)
        assert opened is not None
        return opened(session, note)

    async def sweep(self, name: str) -> SweepResult:
        swept = await self.reconciliation().sweep(name)
        assert swept is not None
        return swept

    async def webhook(self, name: str, path: str, body: bytes, content_type: str) -> None:
        """One event as the PBX pushes it, accepted."""
        connection = self.configuration.now.connections[name]
        inbound = Inbound(
            method="POST",
            path=path,
            query={},
            headers={"Content-Type": content_type},
            body=body,
            received_at=self.clock(),
        )
        parsed = KINDS[connection.kind].parse(inbound, connection)
        policy = self.configuration.now.policies[name]
        await self.inbox.accept(connection, parsed, body, self.clock(), policy)

    async def settle(self, seconds: float = 15) -> None:
        """Clients' jobs have done what is to do now, and then what is due so much later."""
        if not self.tasks:
            self.tasks = [asyncio.create_task(self.jobs.run())]
        assert await self.jobs.drain(20)
        self.clock.forward(seconds=seconds)
        await self.jobs.sweep()
        assert await self.jobs.drain(20)

    async def rows(self, sql: str, *args: object) -> list[dict[str, Any]]:
        return [dict(r) for r in await self.pool.fetch(sql, *args)]

    async def call_keys(self) -> set[str]:
        return {r["call_key"] for r in await self.rows("SELECT call_key FROM call")}

    async def messages(self) -> int:
        return int(await self.pool.fetchval("SELECT count(*) FROM inbox"))

    async def report(self, name: str) -> dict[str, Any]:
        async with self.pool.acquire() as conn:
            told = await reports(conn, ACCOUNT)
        return next(r["body"] for r in told if r["report"] == f"reconciliation:{name}")

    async def change(self, name: str, **changes: Any) -> None:
        async with self.pool.acquire() as conn:
            await accounts.change_connection(conn, name, **changes)
        await self.configuration.reload()


async def _prepare(pool: asyncpg.Pool, ringostat: FakeRingostat, mango: FakeMango) -> None:
    async with pool.acquire() as conn, conn.transaction():
        await accounts.add_account(
            conn,
            account_id=ACCOUNT,
            name="Проверка",
            base_url="http://127.0.0.1:1",
            settings=AccountSettings(calls=CallPolicy(settle_seconds=10)),
        )
        for name, keys, url in (
            ("ringostat", {"auth_key": "demo"}, ringostat.url),
            ("mango", {"api_key": "demo", "api_salt": "demo"}, mango.url),
        ):
            await accounts.add_connection(
                conn,
                account_id=ACCOUNT,
                name=name,
                kind=name,
                secret="demo",
                keys=keys,
                lines=(LINE,),
                settings={"base_url": url},
            )
        await conn.execute("UPDATE connection SET created_at = $1", NOON - timedelta(days=30))
        await replace_staff(conn, ACCOUNT, PEOPLE)
