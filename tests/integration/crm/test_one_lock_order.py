"""Load, polls, feeds and webhooks of one account touch the same rows: whoever comes second waits, and nobody for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import asyncpg
import pytest

from crm.effects.store.given import take_over
from crm.port import CrmEntity, Observed
from crm.store.cursors import ask_reread
from crm.store.entries import delete_directory, lock_directory
from crm.store.news import record_news
from crm.store.unread import keep_unread
from crm.sync.source import Source
from crm.unread import Unread
from gateway.admin.protection.forget_client import forget_client
from routing.settings import NumberPolicy
from tests.fakes.crm import FakeCrm
from tests.integration.crm.test_sync_store import T0
from tests.waiting import until

CONTACT = CrmEntity(
    kind="contact",
    id="1",
    name="Иван",
    numbers=("+79161234567",),
    owner_id="11",
    updated_at=T0,
    fields='{"5": "x"}',
)
FAULT = Unread(field="x", why="why", raw="")


async def _load(pool: asyncpg.Pool, source: Source) -> None:
    await source.apply([CONTACT], feed="first_load", cursor={}, is_first=True)


async def _note(pool: asyncpg.Pool, source: Source) -> None:
    source.crm.unread.tell("contact", "1", [FAULT])
    source.crm.unread.ask(("contact", "1"))
    await source.apply([CONTACT])


async def _given(pool: asyncpg.Pool, source: Source) -> None:
    async with pool.acquire() as conn, conn.transaction():
        await take_over(conn, "a", ["given", "given-card"])


async def _delete(pool: asyncpg.Pool, source: Source) -> None:
    async with pool.acquire() as conn, conn.transaction():
        await delete_directory(conn, "a")


async def _forget(pool: asyncpg.Pool, source: Source) -> None:
    async with pool.acquire() as conn:
        await forget_client(conn, "a", "+79161234567")


@pytest.mark.parametrize("first", [_load, _note, _given, _delete, _forget])
async def test_who_waits_for_the_directory_holds_nothing_that_its_holder_needs(
    pool: asyncpg.Pool, account: str, first: Callable[[asyncpg.Pool, Source], Awaitable[None]]
) -> None:
    source = Source(crm=FakeCrm(), pool=pool, account_id="a", policy=NumberPolicy())
    task = Observed(kind="task", id="7", at=T0, values={"responsible": "11"}, target=("contact", "1"))
    await source.apply([CONTACT])
    async with pool.acquire() as conn, conn.transaction():
        await record_news(conn, "a", observed=[task], told_by="poll")
        await keep_unread(conn, "a", {("contact", "1"): [FAULT]})
        await ask_reread(conn, "a", [("contact", "1")])
    for key, order in (
        ("given", {"task_id": "7"}), ("given-card", {"target": {"kind": "contact", "id": "1"}})
    ):  # fmt: skip
        await pool.execute(
            'INSERT INTO effect (account_id, effect_key, decision_id, client, lane, what, "order", state)'
            " VALUES ('a', $1, 'd', 'c', 1, $2, $3, 'done')",
            key,
            "change_task" if key == "given" else "update_entity",
            {**order, "owner_id": "12", "owner_was": "11"},
        )

    async def is_waiting() -> bool:
        return bool(
            await pool.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
        )

    async with pool.acquire() as conn, conn.transaction():
        await lock_directory(conn, "a")
        waits = asyncio.ensure_future(first(pool, source))
        await until(is_waiting, "the other waits for the directory")
        later = T0.replace(year=T0.year + 1)
        seen = Observed(
            kind="contact",
            id="1",
            at=later,
            values={"fields": '{"5": "y"}', "name": "Пётр", "numbers": "+79160000000"},
        )
        given = replace(task, at=later, values={"responsible": "13"})
        await record_news(conn, "a", observed=[seen, given], told_by="webhook")
        await keep_unread(conn, "a", {("contact", "1"): [FAULT]})
        await ask_reread(conn, "a", [("contact", "1")])
        await conn.execute("UPDATE directory_entry SET seq = seq WHERE account_id = 'a'")
    await asyncio.wait_for(waits, 10)
