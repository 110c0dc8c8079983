"""Fixtures for the directory and its sync: an account, a CRM in memory, and a gateway's memory beside it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import asyncpg
import pytest

from crm.directory.feed import DirectoryFeed
from crm.sync.sync import Sync
from routing.settings import NumberPolicy
from runtime.database.listen import Listener
from tests.fakes.crm import FakeCrm
from tests.integration.crm.sync_bench import Clock
from tests.waiting import until


@pytest.fixture
async def account(pool: asyncpg.Pool) -> str:
    await pool.execute(
        "INSERT INTO account (account_id, name, base_url, webhook_secret) VALUES ('a', 'A', 'http://crm', 's')"
    )
    return "a"


@pytest.fixture
async def feed(account: str, pool: asyncpg.Pool, database_url: str) -> AsyncIterator[DirectoryFeed]:
    """A gateway's directories, up to date with the database by NOTIFY alone."""
    listener = Listener(database_url)
    opened = DirectoryFeed(pool, listener, refresh_seconds=600)
    task = asyncio.create_task(opened.run())
    hearing = asyncio.create_task(listener.run())
    await asyncio.wait_for(opened.until(lambda: opened.is_ready), 20)
    await until(lambda: listener.is_connected, "the listener hears the database")
    yield opened
    for running in (task, hearing):
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def crm(clock: Clock) -> FakeCrm:
    return FakeCrm(clock=clock)


@pytest.fixture
async def sync(crm: FakeCrm, clock: Clock, pool: asyncpg.Pool, account: str) -> Sync:
    return Sync(crm, pool, account, NumberPolicy(), now=clock)
