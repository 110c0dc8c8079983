"""Changes by topic: heard after the commit by every process, once for many, and all at once after a lost connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from gateway.store.admin.accounts import add_account
from runtime.database.changes import EVERYTHING, Change, Changes, Reader, publish
from runtime.database.listen import Listener
from tests.waiting import until


@pytest.fixture
async def listener(database_url: str) -> AsyncIterator[Listener]:
    listener = Listener(database_url)
    running = asyncio.create_task(listener.run())
    await until(lambda: listener.is_connected, "the process listens")
    yield listener
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
def hub(listener: Listener) -> Changes:
    return Changes(listener, limit=10)


async def _next(reader: Reader) -> Change:
    async with asyncio.timeout(10):
        async for change in reader:
            return change
    raise AssertionError("a reader does not end")


async def test_who_begins_to_look_on_is_told_to_read_once_it_is_listened(
    pool: asyncpg.Pool, hub: Changes
) -> None:
    with hub.reader("a") as reader:
        assert await _next(reader) == EVERYTHING
        async with pool.acquire() as conn:
            await publish(conn, "a", "calls")
        assert await _next(reader) == Change("a", "calls")


async def test_a_change_is_heard_after_its_commit_and_once(pool: asyncpg.Pool, hub: Changes) -> None:
    with hub.reader("a", frozenset({"calls"})) as reader:
        assert await _next(reader) == EVERYTHING
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


async def test_a_slow_reader_gets_one_message_for_too_many_and_then_hears_on(
    pool: asyncpg.Pool, hub: Changes
) -> None:
    with hub.reader() as slow, hub.reader("b") as other:
        assert [await _next(slow), await _next(other)] == [EVERYTHING, EVERYTHING]
        async with pool.acquire() as conn:
            for n in range(30):
                await publish(conn, "a", "effects", str(n))
            await publish(conn, "b", "work")
            assert await _next(other) == Change("b", "work")
            assert await _next(slow) == EVERYTHING
            await publish(conn, "a", "cases")
        assert await _next(slow) == Change("a", "cases")


async def test_after_a_lost_connection_anything_may_have_changed(pool: asyncpg.Pool, hub: Changes) -> None:
    with hub.reader("a") as reader:
        assert await _next(reader) == EVERYTHING
        await pool.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'callmatrix listen' AND datname = current_database()"
        )
        assert await _next(reader) == EVERYTHING
        async with pool.acquire() as conn:
            await publish(conn, "a", "work")
        assert await _next(reader) == Change("a", "work")


async def test_where_nobody_looks_on_nothing_is_sent_to_the_process(
    pool: asyncpg.Pool, hub: Changes, listener: Listener
) -> None:
    def figures() -> dict[str, float]:
        return {name: value for _kind, name, _help, _labels, value in hub.samples()}

    async def tell() -> None:
        async with pool.acquire() as conn:
            await publish(conn, "a", "calls")

    heard_of_others: list[str] = []
    with listener.subscribe(["another"], lambda _channel, text: heard_of_others.append(text), lambda: None):
        with hub.reader("a") as reader:
            assert await _next(reader) == EVERYTHING
            assert figures()["changes_readers"] == 1
            await tell()
            assert await _next(reader) == Change("a", "calls")
        await tell()
        await pool.execute("SELECT pg_notify('another', 'goes on')")
        await until(lambda: heard_of_others, "the other channel is still heard")
        assert figures() == {"changes_readers": 0, "changes_heard": 1}
        with hub.reader("a") as reader:  # and again, on the same connection
            assert await _next(reader) == EVERYTHING
            await tell()
            assert await _next(reader) == Change("a", "calls")
    assert listener.connections == 1


TOLD_BY_TABLES = [
    (
        "distribution",
        "INSERT INTO distribution_item (account_id, item_id, template, entity_id, source, entered_at)"
        " VALUES ('a', 'd', 't', '1', 'event', now())",
    ),
    ("distribution", "UPDATE distribution_item SET state = 'given'"),
    (
        "outbound",
        "INSERT INTO outbound_item (account_id, item_id, kind, source, \"order\") VALUES ('a', 'i', 'sms', 'api', '{}')",
    ),
    ("outbound", "UPDATE outbound_item SET state = 'sending'"),
    ("people", "INSERT INTO employee (account_id, employee_id, name) VALUES ('a', 'e', 'E')"),
    (
        "tasks",
        "INSERT INTO long_work (account_id, work_id, kind, asked, asked_by) VALUES ('a', 'w', 'replay', '{}', 'me')",
    ),
    ("tasks", "UPDATE long_work SET done = 7"),
    ("findings", "INSERT INTO alert_state (account_id, kind) VALUES ('a', 'crm-broken')"),
    ("findings", "UPDATE alert_state SET told_at = now()"),
]
QUIET = [
    "UPDATE outbound_item SET look_at = now()",
    "UPDATE distribution_item SET due_at = now()",
    "UPDATE long_work SET heard_at = now()",
    "UPDATE alert_state SET bad_since = now()",
]


async def test_tables_tell_what_changed_and_nothing_of_what_nobody_sees(
    pool: asyncpg.Pool, hub: Changes
) -> None:
    async with pool.acquire() as conn:
        await add_account(conn, account_id="a", name="A", base_url="http://127.0.0.1:1")
        with hub.reader("a") as reader:
            assert await _next(reader) == EVERYTHING
            for topic, change in TOLD_BY_TABLES:
                await conn.execute(change)
                assert await _next(reader) == Change("a", topic), change
            for change in QUIET:
                await conn.execute(change)
            await publish(conn, "a", "calls")
            assert await _next(reader) == Change("a", "calls")


async def test_what_concerns_the_installation_is_told_to_everybody(pool: asyncpg.Pool, hub: Changes) -> None:
    with hub.reader("a", frozenset({"findings"})) as reader:
        assert await _next(reader) == EVERYTHING
        await pool.execute("INSERT INTO alert_state (account_id, kind) VALUES ('', 'worker-gone')")
        assert await _next(reader) == Change("", "findings")
