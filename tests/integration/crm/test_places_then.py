"""Pipelines and stages keep the names and colours that they had when something was decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg

from crm.store.metadata import delete_places_older_than, pipelines_of, pipelines_then, store_pipelines
from gateway.store.admin.accounts import add_account
from tests.fakes.crm import default_pipelines

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


async def test_a_place_is_called_as_it_was_called_then(pool: asyncpg.Pool) -> None:
    sales = default_pipelines()[0]
    before = replace(sales, stages=tuple(replace(s, colour="#99ccff") for s in sales.stages))
    service = replace(sales, id="2", name="Service", is_main=False)
    async with pool.acquire() as conn:
        await add_account(conn, account_id="a", name="A", base_url="http://127.0.0.1:1")
        assert await pipelines_then(conn, "a", LONG_AGO) == []
        assert await store_pipelines(conn, "a", [service, before])
        read_at = await conn.fetchval("SELECT now()")
        assert not await store_pipelines(conn, "a", [service, before])
        renamed = replace(before, name="Retail")
        recoloured = replace(renamed, stages=tuple(replace(s, colour="#ff8f92") for s in before.stages))
        assert await store_pipelines(conn, "a", [recoloured])

        assert await pipelines_then(conn, "a", read_at) == [before, service]
        assert (await pipelines_then(conn, "a", LONG_AGO))[0] in (before, service)  # nobody knows more
        now = await conn.fetchval("SELECT now()")
        assert await pipelines_then(conn, "a", now) == await pipelines_of(conn, "a") == [recoloured]

        soon = now + timedelta(seconds=1)
        assert await delete_places_older_than(conn, LONG_AGO, limit=10) == 0
        assert await delete_places_older_than(conn, soon, limit=10) >= 1
        assert await pipelines_then(conn, "a", LONG_AGO) == [recoloured]


async def test_an_older_program_leaves_the_list_too(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn:
        await add_account(conn, account_id="a", name="A", base_url="http://127.0.0.1:1")
        await conn.execute(
            "INSERT INTO crm_pipeline (account_id, pipeline_id, name, is_main, stages)"
            " VALUES ('a', '1', 'Sales', true, '[]')"
        )
        found = await pipelines_then(conn, "a", LONG_AGO)
        assert [(p.id, p.name, p.stages) for p in found] == [("1", "Sales", ())]


async def test_the_list_is_kept_once_however_many_pipelines_are_written(pool: asyncpg.Pool) -> None:
    sales = default_pipelines()[0]
    many = [replace(sales, id=str(n), is_main=n == 1) for n in range(1, 8)]
    async with pool.acquire() as conn, conn.transaction():
        await add_account(conn, account_id="a", name="A", base_url="http://127.0.0.1:1")
        assert await store_pipelines(conn, "a", many)
        written = await conn.fetchrow(
            "SELECT n_tup_ins, n_tup_upd FROM pg_stat_xact_user_tables WHERE relname = 'crm_places_then'"
        )
        assert written
        assert tuple(written) == (1, 0)
        assert len(await pipelines_then(conn, "a", LONG_AGO)) == 7
