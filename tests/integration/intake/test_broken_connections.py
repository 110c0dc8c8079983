"""Errors that asyncpg raises about its own connection say nothing about the message: it is to be told again."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from gateway.inbox import Inbox, InboxUnavailable
from tests.integration.intake.conftest import Office, a_call, an_office


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
