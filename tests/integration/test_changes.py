"""Changes by topic: heard after the commit by every process, once for many, and all at once after a lost connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from runtime.database.changes import EVERYTHING, Change, Changes, Reader, publish
from runtime.database.listen import Listener
from tests.waiting import until


@pytest.fixture
async def hub(database_url: str) -> AsyncIterator[Changes]:
    listener = Listener(database_url)
    opened = Changes(listener, limit=10)
    running = asyncio.create_task(listener.run())
    await until(lambda: listener.is_connected, "the hub hears")
    yield opened
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def _next(reader: Reader) -> Change:
    async with asyncio.timeout(10):
        async for change in reader:
            return change
    raise AssertionError("a reader does not end")


async def test_a_change_is_heard_after_its_commit_and_once(pool: asyncpg.Pool, hub: Changes) -> None:
    with hub.reader("a", frozenset({"calls"})) as reader:
        async with pool.acquire() as conn:
            undone = conn.transaction()
            await undone.start()
            await publish(conn, "a", "calls", "never")
            await undone.rollback()
            async with conn.transaction():
                await publish(conn, "b", "calls", "of another account")
                await publish(conn, "a", "cases", "of another topic")
                for _ in range(3):
                    await publish(conn, "a", "calls", "c 1")
            async with conn.transaction():
                await publish(conn, "a", "calls")
        assert await _next(reader) == Change("a", "calls", "c 1")


async def test_a_slow_reader_gets_one_message_for_too_many(pool: asyncpg.Pool, hub: Changes) -> None:
    with hub.reader() as slow, hub.reader("b") as other:
        async with pool.acquire() as conn:
            for n in range(30):
                await publish(conn, "a", "effects", str(n))
            await publish(conn, "b", "work")
        assert await _next(other) == Change("b", "work")
        assert await _next(slow) == EVERYTHING


async def test_after_a_lost_connection_anything_may_have_changed(pool: asyncpg.Pool, hub: Changes) -> None:
    with hub.reader("a") as reader:
        await pool.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'callmatrix listen' AND datname = current_database()"
        )
        assert await _next(reader) == EVERYTHING
