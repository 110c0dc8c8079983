"""A hundred accounts, two gateways and two workers on a PostgreSQL that lets sixty in: everything works."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from gateway.db.embedded import EmbeddedPostgres
from gateway.db.migrate import migrate
from gateway.store.admin import accounts
from tests.e2e.stack import ACCOUNT, Stack
from tests.waiting import until

MANY = 100


@pytest.fixture
def small_server() -> Iterator[str]:
    """DSN of a migrated database on a server of its own with max_connections = 60."""
    folder = Path(tempfile.mkdtemp(prefix="callmatrix-test-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder, durable=False)
    try:
        url = server.start()
        asyncio.run(_limit(url))
        server.stop()
        url = server.start()
        asyncio.run(migrate(url))
        yield url
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _limit(url: str) -> None:
    conn = await asyncpg.connect(url)
    try:
        await conn.execute("ALTER SYSTEM SET max_connections = 60")
    finally:
        await conn.close()


@pytest.fixture
async def stack(small_server: str, tmp_path: Path) -> AsyncIterator[Stack]:
    running = Stack(tmp_path, small_server, gateways=2, workers=2)
    await running.start()
    try:
        yield running
    finally:
        await running.stop()


async def _add_accounts(stack: Stack) -> None:
    """Every further account is another view of the same sandbox, switched on like the first."""
    first = await stack.pool.fetchrow("SELECT * FROM account WHERE account_id = $1", ACCOUNT)
    token = await stack.pool.fetchval("SELECT access_token FROM crm_token WHERE account_id = $1", ACCOUNT)
    assert first is not None
    for n in range(1, MANY):
        async with stack.pool.acquire() as conn, conn.transaction():
            name = f"tenant-{n}"
            await accounts.add_account(conn, account_id=name, name=name, base_url=first["base_url"])
            await accounts.store_long_lived_token(conn, name, token)
            await accounts.add_connection(conn, account_id=name, name=name, kind="generic", secret="demo")


async def _connections(pool: asyncpg.Pool) -> Counter[str]:
    """Sessions by what they are for, without our own."""
    rows = await pool.fetch(
        "SELECT application_name AS name, count(*) AS n FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND application_name LIKE 'callmatrix %' GROUP BY 1"
    )
    return Counter({r["name"]: r["n"] for r in rows})


async def _served(pool: asyncpg.Pool) -> int:
    found: int = await pool.fetchval(
        "SELECT count(*) FROM worker_report WHERE report = 'crm' AND at > now() - interval '10 seconds'"
    )
    return found


async def _lookup(stack: Stack, url: str, connection: str) -> Any:
    async with stack.http.get(
        f"{url}/pbx/{connection}/lookup?phone=79000000001", headers={"Authorization": "Bearer demo"}
    ) as answer:
        return answer.status, (await answer.json(content_type=None)) if answer.status == 200 else None


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_hundred_accounts_take_as_many_connections_as_one(stack: Stack) -> None:
    async def one_is_served() -> bool:
        return await _served(stack.pool) == 1

    await until(one_is_served, "the first account is served", seconds=60)
    with_one = await _connections(stack.pool)
    assert (with_one["callmatrix listen"], with_one["callmatrix lease"]) == (4, 2)

    await _add_accounts(stack)

    async def all_are_served() -> bool:
        return await _served(stack.pool) == MANY

    await until(all_are_served, "every account is served by a worker", seconds=200)
    for url in stack.urls:  # both gateways heard of the last one

        async def is_heard(gateway: str = url) -> bool:
            status, _answer = await _lookup(stack, gateway, f"tenant-{MANY - 1}")
            return bool(status == 200)

        await until(is_heard, f"{url} knows the last account", seconds=30)
    with_many = await _connections(stack.pool)
    assert (with_many["callmatrix listen"], with_many["callmatrix lease"]) == (4, 2)
    assert with_many["callmatrix gateway"] <= 2 * 8
    assert with_many["callmatrix worker"] <= 2 * 10
    assert with_many["callmatrix jobs"] <= 2 * 5
    assert with_many.total() <= 52

    async with stack.http.post(
        f"{stack.urls[0]}/pbx/tenant-{MANY - 1}/events",
        json={"event": "newCall", "callId": "c1", "from": "79995550101", "to": "100", "direction": "in"},
        headers={"Authorization": "Bearer demo"},
    ) as answer:
        assert answer.status == 200, await answer.text()

    async def is_a_call() -> bool:
        return bool(
            await stack.pool.fetchval("SELECT count(*) FROM call WHERE account_id = $1", f"tenant-{MANY - 1}")
        )

    await until(is_a_call, "the event became a call", seconds=60)
    assert all(process.is_running for process in stack.processes)
    assert not any("TooManyConnections" in process.log.read_text() for process in stack.processes)
