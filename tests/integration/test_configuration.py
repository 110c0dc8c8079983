"""The configuration in memory follows the tables: what changed is read again, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from gateway.configuration import Configuration, Snapshot
from gateway.store.admin import accounts
from gateway.store.admin.staff import replace_staff
from routing.staff import Employee
from runtime.database.listen import Listener
from runtime.tokens import hash_of
from tests.waiting import until

MANY = 100


@pytest.fixture
async def configuration(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Configuration]:
    async with pool.acquire() as conn:
        for n in range(MANY):
            await accounts.add_account(
                conn, account_id=f"a-{n:03}", name=f"A{n}", base_url="http://127.0.0.1:9"
            )
            await accounts.add_connection(
                conn, account_id=f"a-{n:03}", name=f"pbx{n:03}", kind="generic", secret="s", lines=()
            )
    listener = Listener(database_url)
    opened = Configuration(pool, listener)
    running = [asyncio.create_task(part.run()) for part in (listener, opened)]
    await until(lambda: opened.now.version > 0 and listener.is_connected, "the first reading")
    yield opened
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


def _read_again(before: Snapshot, after: Snapshot) -> set[str]:
    return {a for a in after.accounts if after.accounts[a] is not before.accounts.get(a)}


async def test_of_a_hundred_accounts_only_the_one_that_changed_is_read_again(
    pool: asyncpg.Pool, configuration: Configuration
) -> None:
    before = configuration.now
    await pool.execute("UPDATE account SET name = 'New' WHERE account_id = 'a-007'")
    await until(lambda: configuration.now.accounts["a-007"].name == "New", "the name")
    after = configuration.now
    assert _read_again(before, after) == {"a-007"}
    others = [n for n in after.connections if n != "pbx007"]
    assert all(after.connections[n] is before.connections[n] for n in others)
    assert all(after.policies[n] is before.policies[n] for n in others)
    assert list(after.accounts) == list(before.accounts)


async def test_whatever_changes_of_an_account_is_seen(
    pool: asyncpg.Pool, configuration: Configuration
) -> None:
    await pool.execute("UPDATE connection SET lines = '{+74951234567}' WHERE name = 'pbx003'")
    await until(
        lambda: "+74951234567" in configuration.now.policies["pbx003"].own_numbers, "a line is an own number"
    )
    await pool.execute("DELETE FROM connection WHERE name = 'pbx003'")
    await until(lambda: "pbx003" not in configuration.now.connections, "the connection goes")
    await pool.execute(
        "INSERT INTO employee (account_id, employee_id, name, extensions) VALUES ('a-004', 'e', 'Anna', '{101}')"
    )
    await until(lambda: configuration.now.staff["a-004"].employees, "the employee comes")
    await pool.execute("DELETE FROM account WHERE account_id = 'a-005'")
    await until(lambda: "a-005" not in configuration.now.accounts, "the account goes")
    assert "pbx005" not in configuration.now.connections
    assert len(configuration.now.staff) == MANY - 1


async def test_a_new_token_opens_without_an_account_being_read(
    pool: asyncpg.Pool, configuration: Configuration
) -> None:
    before = configuration.now
    async with pool.acquire() as conn:
        token = await accounts.add_api_token(conn, name="t", role="admin")
    await until(lambda: hash_of(token) in configuration.now.tokens, "the token")
    assert not _read_again(before, configuration.now)


async def test_a_notification_that_names_no_account_has_everything_read(
    pool: asyncpg.Pool, configuration: Configuration
) -> None:
    before = configuration.now
    await pool.execute("SELECT pg_notify('callmatrix_config', 'account')")  # of an older schema
    await until(lambda: configuration.now.version > before.version, "a reading")
    assert len(_read_again(before, configuration.now)) == MANY


async def test_what_changed_while_nobody_listened_is_read_after_the_connection_is_back(
    pool: asyncpg.Pool, configuration: Configuration
) -> None:
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute("ALTER TABLE account DISABLE TRIGGER USER")  # so no notification
        await conn.execute("UPDATE account SET name = 'Unheard' WHERE account_id = 'a-009'")
        await conn.execute("ALTER TABLE account ENABLE TRIGGER USER")
    await pool.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'callmatrix listen' AND datname = current_database()"
    )
    await until(lambda: configuration.now.accounts["a-009"].name == "Unheard", "the name")


async def test_connections_know_the_phones_of_their_accounts_employees(
    pool: asyncpg.Pool, configuration: Configuration
) -> None:
    async with pool.acquire() as conn, conn.transaction():
        await replace_staff(
            conn, "a-007", [Employee(id="a", name="A", extensions=("112",), sip=("Zed@pbx",))]
        )
    await until(
        lambda: configuration.now.connections["pbx007"].phones == {"112", "zed", "zed@pbx"}, "the phones"
    )
    assert configuration.now.connections["pbx008"].phones == frozenset()
