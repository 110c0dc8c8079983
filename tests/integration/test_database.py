from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
from pydantic import TypeAdapter

from crm.effects.order import order
from crm.lane import Lane
from gateway.db.embedded import EmbeddedPostgres
from gateway.db.migrate import known_migrations, migrate
from gateway.store.admin.accounts import add_account
from gateway.store.calls.missed_calls import case as case_of
from gateway.store.calls.missed_calls import save_case
from routing.effects import ChangeTask, CreateTask, Effect, Order
from routing.missed_calls import Case
from tests.waiting import until


async def test_migrations_are_applied_once_by_however_many_processes_start_together(
    postgres_url: str,
) -> None:
    conn = await asyncpg.connect(postgres_url)
    await conn.execute("DROP DATABASE IF EXISTS together")
    await conn.execute("CREATE DATABASE together")
    await conn.close()
    dsn = postgres_url.rsplit("/", 1)[0] + "/together"
    applied = await asyncio.gather(*(migrate(dsn) for _ in range(5)))
    assert sorted(map(len, applied)) == [0, 0, 0, 0, len(known_migrations())]


async def test_an_index_whose_building_was_broken_off_is_built_anew(
    pool: asyncpg.Pool, database_url: str
) -> None:
    await pool.execute("DELETE FROM schema_migration WHERE number = 350")
    await pool.execute("DROP INDEX call_reached")
    await pool.execute(
        "INSERT INTO call (account_id, call_id, connection_id, call_key, direction, disposition, is_over, started_at, facts)"
        " SELECT 'a', n::text, 'pbx', n::text, 'inbound', 'answered', true, now(), '{}' FROM generate_series(1, 2) AS n"
    )
    with contextlib.suppress(asyncpg.UniqueViolationError):
        await pool.execute("CREATE UNIQUE INDEX CONCURRENTLY call_reached ON call (account_id)")
    index = "SELECT indisvalid, indisunique FROM pg_index WHERE indexrelid = 'call_reached'::regclass"
    assert [tuple(row) for row in await pool.fetch(index)] == [(False, True)]
    begun: list[str] = []
    assert await migrate(database_url, begun.append) == ["0350_big_tables.sql"] == begun
    assert [tuple(row) for row in await pool.fetch(index)] == [(True, False)]


async def test_a_table_is_written_while_its_indexes_are_built(pool: asyncpg.Pool, database_url: str) -> None:
    """An older transaction that goes on holds up the migration, and the migration holds up nobody."""
    await pool.execute("DELETE FROM schema_migration WHERE number = 350")
    await pool.execute("DROP INDEX call_reached")
    insert = (
        "INSERT INTO call (account_id, call_id, connection_id, call_key, direction, disposition, is_over, started_at, facts)"
        " VALUES ('a', $1, 'pbx', $1, 'inbound', 'answered', true, now(), '{}')"
    )
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute(insert, "before")
        migration = asyncio.create_task(migrate(database_url))
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'virtualxid' AND query LIKE 'CREATE INDEX%'"
        await until(lambda: pool.fetchval(waiting), "the migration waits for us")
        await asyncio.wait_for(pool.execute(insert, "meanwhile"), 5)
    assert await asyncio.wait_for(migration, 30) == ["0350_big_tables.sql"]


async def test_open_cases_of_one_argentine_become_one_case(pool: asyncpg.Pool) -> None:
    """0171 on rows that were stored before it."""
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    stored = {
        "abroad": ("+5491166773399", 0), "home": ("+541166773399", 1), "other": ("+5491166770000", 2),
        "russian": ("+79161234567", 3),
    }  # fmt: skip
    async with pool.acquire() as conn:
        await add_account(conn, account_id="a", name="A", base_url="http://crm.example")
        for id, (client, hours) in stored.items():
            at = now + timedelta(hours=hours)
            case = Case(
                id=id, client=client, opened_at=at, last_missed_at=at, missed_calls=(id,), owner_id="1", target=None,
                task_text="Перезвонить", task_due_at=at,
            )  # fmt: skip
            await save_case(conn, "a", case)
        await conn.execute(next(sql for number, _, sql in known_migrations() if number == 171))
        found = {i: await case_of(conn, "a", i) for i in stored}
    assert {i: (c.client, c.state) for i, c in found.items()} == {
        "abroad": ("+541166773399", "open"),
        "home": ("+541166773399", "closed"),
        "other": ("+541166770000", "open"),
        "russian": ("+79161234567", "open"),
    }


async def test_the_task_of_a_case_that_was_joined_to_another_is_completed(pool: asyncpg.Pool) -> None:
    """0300 on rows that were stored before 0171: once, and of no case that was closed otherwise."""
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    clients = {"abroad": "+5491166773399", "home": "+541166773399", "other": "+541166770000"}
    async with pool.acquire() as conn:
        await add_account(conn, account_id="a", name="A", base_url="http://crm.example")
        for hours, (id, client) in enumerate(clients.items()):
            at = now + timedelta(hours=hours)
            case = Case(
                id=id, client=client, opened_at=at, last_missed_at=at, missed_calls=(id,), owner_id="1", target=None,
                task_text="Перезвонить", task_due_at=at,
            )  # fmt: skip
            await save_case(conn, "a", case)
            task = CreateTask(target=None, owner_id="1", text="Перезвонить", due_at=at, purpose="call_back")
            effect = Effect(key=case.task_key, order=task)
            await order(
                conn, account_id="a", decision_id=id, call_id=id, client=client, lane=Lane.EVENTS, effects=[effect]
            )  # fmt: skip
        await conn.execute(
            "UPDATE missed_case SET state = 'closed', closed_at = now() WHERE case_id = 'other'"
        )
        await conn.execute("UPDATE effect SET state = 'done', crm_id = '7'")
        by_number = {number: sql for number, _, sql in known_migrations()}
        for number in (171, 300, 300):
            await conn.execute(by_number[number])
        rows = await conn.fetch(
            "SELECT effect_key, after, state, \"order\" FROM effect WHERE what = 'change_task'"
        )
    assert [(r["effect_key"], r["after"], r["state"]) for r in rows] == [
        ("case:home:done", ["case:home:task"], "waiting")
    ]
    done = TypeAdapter[Order](Order).validate_python(rows[0]["order"])
    assert isinstance(done, ChangeTask)
    assert (done.task, done.is_completed) == ("case:home:task", True)


async def test_account_id_leads_every_primary_key(pool: asyncpg.Pool) -> None:
    rows = await pool.fetch(
        "SELECT c.conrelid::regclass::text AS name, a.attname FROM pg_constraint c"
        " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]"
        " WHERE c.contype = 'p' AND c.connamespace = 'public'::regnamespace"
    )
    of_the_installation = {
        "api_token",
        "schema_migration",
        "admin_user",
        "admin_session",
        "pbx_pace",
        "crm_event_consumer",
        "secret_key",
        "audit",
        "stranger",
        "sign_in_try",
        "alert_turn",
        "bot_reading",
        "page_session",
        "kept_page",
        "recovery_code",
        "sign_in_link",
    }
    ours = {r["name"]: r["attname"] for r in rows if not r["name"].startswith("procrastinate_")}
    assert {n: c for n, c in ours.items() if n not in of_the_installation and c != "account_id"} == {}


async def test_the_program_owns_its_database_and_is_no_superuser(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        with contextlib.suppress(PermissionError):
            folder.chmod(folder.stat().st_mode | 0o011)
    server = EmbeddedPostgres(tmp_path)
    try:
        dsn = await asyncio.to_thread(server.start)
        await migrate(dsn)
        conn = await asyncpg.connect(dsn)
        rights = await conn.fetchrow(
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles WHERE rolname = current_user"
        )
        assert rights is not None
        assert not any(rights.values())
        await conn.close()
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)  # a second time, on what is there
    finally:
        await asyncio.to_thread(server.stop)
    for name in ("postgres.password", "postgres.admin"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0
