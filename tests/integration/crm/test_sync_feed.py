"""The rows of the database reach the memory of every gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import asyncpg

from crm.directory.feed import DirectoryFeed
from crm.store.entries import delete_directory, mark_in_sync, mark_loaded
from runtime.database.listen import Listener
from tests.integration.crm.test_sync_store import NUMBER, T0, a_contact, a_deal, apply, remove
from tests.waiting import until


async def soon(feed: DirectoryFeed, holds: Callable[[], bool]) -> None:
    await asyncio.wait_for(feed.until(holds), 10)


def owners(feed: DirectoryFeed, number: int = NUMBER, account: str = "a") -> list[str]:
    return [c.owner for c in feed.directory(account).find(number)]


async def test_rows_that_were_there_before_are_in_memory_when_it_is_ready(
    pool: asyncpg.Pool, account: str, database_url: str
) -> None:
    await apply(pool, *(a_contact(str(i), f"+7900{i:07}") for i in range(1, 3001)))
    feed = DirectoryFeed(pool, Listener(database_url))
    assert not feed.is_ready
    task = asyncio.create_task(feed.run())
    await soon(feed, lambda: feed.is_ready)
    directory = feed.directory("a")
    assert len(directory) == 3000
    assert [c.id for c in directory.find(79000002345)] == ["2345"]
    task.cancel()


async def test_a_change_reaches_memory_by_notification(
    pool: asyncpg.Pool, account: str, feed: DirectoryFeed
) -> None:
    await apply(pool, a_contact(), a_deal())
    await soon(feed, lambda: owners(feed) == ["11", "12"])
    await remove(pool, ("contact", "1"))
    await soon(feed, lambda: owners(feed) == [])
    assert feed.health.changes == 2


async def test_many_changes_at_once_all_arrive(pool: asyncpg.Pool, account: str, feed: DirectoryFeed) -> None:
    await apply(pool, *(a_contact(str(i), f"+7900{i:07}") for i in range(1, 9001)))
    await soon(feed, lambda: owners(feed, 79000009000) == ["11"])
    directory = feed.directory("a")
    assert all(directory.find(79000000000 + i)[0].id == str(i) for i in range(1, 9001))


async def test_what_happened_while_the_connection_was_lost_is_caught_up(
    pool: asyncpg.Pool, account: str, feed: DirectoryFeed
) -> None:
    await apply(pool, a_contact())
    await soon(feed, lambda: owners(feed) == ["11"])
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute(
            "LOCK TABLE directory_state IN ACCESS EXCLUSIVE MODE"
        )  # it cannot catch up before we say
        await conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'callmatrix listen' AND datname = current_database()"
        )
        await conn.execute("UPDATE directory_entity SET owner_id = '44'")
        await conn.execute(
            "UPDATE directory_entry SET seq = seq + 1, candidates = replace(candidates, '\"11\"', '\"44\"')"
        )
        await conn.execute("UPDATE directory_state SET seq = seq + 1")  # and nobody is notified
    await soon(feed, lambda: owners(feed) == ["44"])
    assert feed.listener.connections >= 2
    assert feed.listener.last_error


async def test_answers_go_on_from_memory_while_the_database_is_away(
    pool: asyncpg.Pool, account: str, database_url: str
) -> None:
    reachable = True

    async def connect() -> asyncpg.Connection:
        if not reachable:
            raise OSError("no database")
        return await asyncpg.connect(database_url, server_settings={"application_name": "callmatrix listen"})

    await apply(pool, a_contact())
    listener = Listener(database_url, connect=connect)
    feed = DirectoryFeed(pool, listener, refresh_seconds=600)
    tasks = [asyncio.create_task(feed.run()), asyncio.create_task(listener.run())]
    await soon(feed, lambda: feed.is_ready)
    await until(lambda: listener.is_connected, "the listener hears the database")
    reachable = False
    await pool.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'callmatrix listen' AND datname = current_database()"
    )
    await until(lambda: "no database" in (listener.last_error or ""), "the listener misses the database")
    assert not listener.is_connected
    assert owners(feed) == ["11"]
    await apply(pool, a_contact(owner_id="12", updated_at=T0 + timedelta(seconds=1)))
    reachable = True
    await soon(feed, lambda: owners(feed) == ["12"])
    for task in tasks:
        task.cancel()


async def test_a_directory_started_afresh_is_loaded_again(
    pool: asyncpg.Pool, account: str, feed: DirectoryFeed
) -> None:
    await apply(pool, a_contact())
    await apply(pool, a_contact("2", "+79007654321"))
    await soon(feed, lambda: len(owners(feed, 79007654321)) == 1)
    async with pool.acquire() as conn, conn.transaction():
        await delete_directory(conn, "a")
    await soon(feed, lambda: owners(feed) == [])
    await apply(pool, a_contact(owner_id="13"))
    await soon(feed, lambda: owners(feed) == ["13"])
    assert owners(feed, 79007654321) == []


async def test_agreement_and_completeness_are_told_to_every_gateway(
    pool: asyncpg.Pool, account: str, feed: DirectoryFeed
) -> None:
    assert feed.directory("a").in_sync_at is None
    assert not feed.directory("a").is_complete
    async with pool.acquire() as conn, conn.transaction():
        await mark_loaded(conn, "a")
        await mark_in_sync(conn, "a", T0)
    await soon(feed, lambda: feed.directory("a").in_sync_at == T0)
    assert feed.directory("a").is_complete
    async with pool.acquire() as conn, conn.transaction():
        await mark_in_sync(conn, "a", T0 - timedelta(minutes=1))  # a predecessor's late word
        await mark_in_sync(conn, "a", T0 + timedelta(minutes=1))
    await soon(feed, lambda: feed.directory("a").in_sync_at == T0 + timedelta(minutes=1))


async def test_a_new_account_becomes_ready_without_a_restart(
    pool: asyncpg.Pool, account: str, feed: DirectoryFeed
) -> None:
    await pool.execute(
        "INSERT INTO account (account_id, name, base_url, webhook_secret) VALUES ('b', 'B', 'http://crm', 's')"
    )
    assert not feed.directory("b").is_ready
    await soon(feed, lambda: feed.directory("b").is_ready)
    await apply(pool, a_contact(owner_id="21"), account="b")
    await soon(feed, lambda: owners(feed, account="b") == ["21"])
    assert owners(feed) == []
