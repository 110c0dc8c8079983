from __future__ import annotations

import asyncio

import asyncpg

from gateway.db.migrate import known_migrations, migrate


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
    }
    ours = {r["name"]: r["attname"] for r in rows if not r["name"].startswith("procrastinate_")}
    assert {n: c for n, c in ours.items() if n not in of_the_installation and c != "account_id"} == {}
