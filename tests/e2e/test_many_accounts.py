"""A hundred accounts, two gateways and two workers on a PostgreSQL that lets sixty in: everything works."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from gateway.db.embedded import EmbeddedPostgres
from gateway.db.migrate import migrate
from tests.e2e.many_accounts import add_accounts, most_sessions, served, sessions
from tests.e2e.stack import Stack
from tests.waiting import until

MANY = 100
GATEWAYS = WORKERS = 2
MOST = most_sessions(gateways=GATEWAYS, workers=WORKERS)
HELD = {"callmatrix listen", "callmatrix lease"}
MAX_CONNECTIONS = 60


@pytest.fixture
def small_server() -> Iterator[str]:
    """DSN of a migrated database on a server of its own with max_connections = 60."""
    folder = Path(tempfile.mkdtemp(prefix="callmatrix-test-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder, durable=False, max_connections=MAX_CONNECTIONS)
    try:
        url = server.start()
        asyncio.run(_has_the_limit(url))
        asyncio.run(migrate(url))
        yield url
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _has_the_limit(url: str) -> None:
    conn = await asyncpg.connect(url)
    try:
        assert await conn.fetchval("SHOW max_connections") == str(MAX_CONNECTIONS)
    finally:
        await conn.close()


@pytest.fixture
async def stack(small_server: str, tmp_path: Path) -> AsyncIterator[Stack]:
    running = Stack(tmp_path, small_server, gateways=GATEWAYS, workers=WORKERS)
    await running.start()
    try:
        yield running
    finally:
        await running.stop()


async def _lookup(stack: Stack, url: str, connection: str) -> Any:
    async with stack.http.get(
        f"{url}/pbx/{connection}/lookup?phone=79000000001", headers={"Authorization": "Bearer demo"}
    ) as answer:
        return answer.status, (await answer.json(content_type=None)) if answer.status == 200 else None


async def _assert_no_more_than_processes_take(stack: Stack) -> None:
    """What processes take, whatever the number of accounts: what is held open exactly, pools at most as large as they may
    be (they grow as they are used), and nothing besides."""
    now = await sessions(stack.pool)
    assert set(now) <= set(MOST), now
    assert all(now[name] <= most for name, most in MOST.items()), now
    assert all(now[name] == MOST[name] for name in HELD), now


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_hundred_accounts_take_as_many_connections_as_one(stack: Stack) -> None:
    async def one_is_served() -> bool:
        return await served(stack.pool) == 1

    assert MOST.total() <= MAX_CONNECTIONS - 8, "some are left for people and the command line"
    await until(one_is_served, "the first account is served", seconds=60)
    await _assert_no_more_than_processes_take(stack)

    await add_accounts(stack, MANY)

    async def all_are_served() -> bool:
        return await served(stack.pool) == MANY

    await until(all_are_served, "every account is served by a worker", seconds=200)
    for url in stack.urls:  # both gateways heard of the last one

        async def is_heard(gateway: str = url) -> bool:
            status, _answer = await _lookup(stack, gateway, f"tenant-{MANY - 1}")
            return bool(status == 200)

        await until(is_heard, f"{url} knows the last account", seconds=30)
    await _assert_no_more_than_processes_take(stack)

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
