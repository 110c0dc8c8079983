"""Errors that asyncpg raises about its own connection say nothing about the message: it is to be told again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from gateway.calls.client_job import ClientJob
from gateway.calls.queue import Jobs
from gateway.intake.inbox import Inbox
from gateway.pbx.port import InboxUnavailable
from routing.matrix.model import Matrix
from routing.matrix.presets import recommended
from tests.fakes.matrices import PublishedMatrix
from tests.integration.intake.office import CLIENT, Office, a_call, an_office


class BrokenPool:
    """A pool whose connections break `times` times in the middle of a statement, then work."""

    def __init__(self, pool: asyncpg.Pool, times: int) -> None:
        self._pool, self.times = pool, times

    async def acquire(self) -> Any:
        if self.times:
            self.times -= 1
            return BrokenConnection()
        return await self._pool.acquire()

    async def release(self, conn: Any, *, timeout: float | None = None) -> None:
        if not isinstance(conn, BrokenConnection):
            await self._pool.release(conn, timeout=timeout)


class BrokenConnection:
    async def fetch(self, *args: Any, **more: Any) -> Any:
        raise asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress")


async def _with(pool: asyncpg.Pool, dsn: str, times: int) -> Office:
    office = await an_office(pool, dsn)
    office.inbox = Inbox(BrokenPool(pool, times))  # type: ignore[arg-type]
    office.inbox.start()
    return office


async def test_a_connection_that_broke_is_replaced_and_the_message_stored(
    pool: asyncpg.Pool, database_url: str
) -> None:
    office = await _with(pool, database_url, 1)
    accepted = await office.tell(a_call()[0])
    assert accepted.event_id is not None
    await office.inbox.stop()


async def test_a_message_is_never_refused_for_good_because_of_a_broken_connection(
    pool: asyncpg.Pool, database_url: str
) -> None:
    office = await _with(pool, database_url, 2)
    with pytest.raises(InboxUnavailable):
        await office.tell(a_call()[0])
    assert (await office.tell(a_call()[0])).duplicate is False
    await office.inbox.stop()


class PoolThatBreaks:
    """As jobs use a pool: `times` connections break, then all work."""

    def __init__(self, pool: asyncpg.Pool, times: int) -> None:
        self._pool, self.times = pool, times

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        if self.times:
            self.times -= 1
            raise asyncpg.InternalClientError(
                "cannot switch to state 15; another operation (2) is in progress"
            )
        async with self._pool.acquire() as conn:
            yield conn


async def test_the_sweep_goes_on_after_a_connection_broke_under_it(
    pool: asyncpg.Pool, database_url: str
) -> None:
    breaking: Any = PoolThatBreaks(pool, 2)
    jobs = Jobs(
        database_url, breaking, ClientJob(breaking, PublishedMatrix(recommended())), sweep_seconds=0.01
    )
    running = asyncio.create_task(jobs.run())
    async with asyncio.timeout(20):
        while jobs.status.last_success is None:
            assert not running.done(), running.exception()
            await asyncio.sleep(0.02)
    assert "InternalClientError" in (jobs.status.last_error or "")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


class MatrixThatBreaksOnce(PublishedMatrix):
    is_broken = True

    async def current(self, conn: Any, account_id: str) -> Matrix:
        if self.is_broken:
            self.is_broken = False
            raise asyncpg.InternalClientError("in the middle of the job")
        return await super().current(conn, account_id)


async def test_a_broken_connection_sends_no_event_to_the_desk(pool: asyncpg.Pool, database_url: str) -> None:
    office = await an_office(pool, database_url)
    office.inbox.start()
    await office.tell_all(a_call())
    job = ClientJob(pool, MatrixThatBreaksOnce(recommended()), now=office.clock)
    with pytest.raises(asyncpg.InternalClientError):
        await job.run("main", CLIENT)
    await job.run("main", CLIENT)
    assert {r["state"] for r in await office.rows("SELECT state FROM inbox")} == {"applied"}
    await office.inbox.stop()
