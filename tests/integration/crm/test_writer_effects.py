"""Effects are ordered once, in the caller's transaction, and promise entities to the client's next decision."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from crm.effects import order as effects
from crm.effects.store.work import PgEffects
from crm.lane import Lane
from crm.port import CrmEntity
from routing.client import Ref
from routing.effects import CreateContact, CreateDeal, CreateTask, Effect
from routing.settings import NumberPolicy
from runtime.database import channels
from runtime.database.pool import Conn

NUMBER = "+79161234567"
CONTACT = Effect(key="c1:contact", order=CreateContact(name="Client", number=NUMBER, owner_id="7"))
DEAL = Effect(
    key="c1:deal",
    order=CreateDeal(name="Call", contact=Ref(kind="contact", effect="c1:contact"), owner_id="7"),
)


async def order(conn: Conn, *wanted: Effect, held: bool = False) -> int:
    return await effects.order(
        conn,
        account_id="a",
        decision_id="d1",
        call_id="c1",
        client=NUMBER,
        lane=Lane.EVENTS,
        effects=wanted,
        held=held,
    )


@pytest.fixture
async def conn(pool: asyncpg.Pool) -> AsyncIterator[Conn]:
    async with pool.acquire() as connection:
        yield connection


async def test_the_same_effect_ordered_twice_is_one_row(conn: Conn) -> None:
    assert await order(conn, CONTACT, DEAL) == 2
    assert await order(conn, CONTACT, DEAL) == 0
    rows = await conn.fetch("SELECT effect_key, what, after, state, call_id FROM effect ORDER BY seq")
    assert [tuple(r) for r in rows] == [
        ("c1:contact", "create_contact", [], "waiting", "c1"),
        ("c1:deal", "create_deal", ["c1:contact"], "waiting", "c1"),
    ]


async def test_not_before_and_explicit_dependencies_are_kept(conn: Conn) -> None:
    at = datetime(2026, 3, 1, 10, tzinfo=UTC)
    task = CreateTask(target=Ref(kind="deal", effect="c1:deal"), owner_id="7", text="Call back", due_at=at)
    await order(conn, CONTACT, DEAL, Effect(key="t", order=task, after=("c1:contact",), not_before=at))
    row = await conn.fetchrow("SELECT after, not_before FROM effect WHERE effect_key = 't'")
    assert row is not None
    assert (row["after"], row["not_before"]) == (["c1:contact", "c1:deal"], at)


async def test_an_order_that_is_rolled_back_leaves_nothing(conn: Conn) -> None:
    transaction = conn.transaction()
    await transaction.start()
    await order(conn, CONTACT)
    await transaction.rollback()
    assert await conn.fetchval("SELECT count(*) FROM effect") == 0


async def test_the_writer_is_told_when_the_order_commits(pool: asyncpg.Pool, conn: Conn) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()

    def hear(*args: object) -> None:
        heard.put_nowait(str(args[-1]))

    async with pool.acquire() as listener:
        await listener.add_listener(channels.EFFECTS, hear)
        await order(conn, CONTACT)
        assert await asyncio.wait_for(heard.get(), 5) == "a crm"
        await listener.remove_listener(channels.EFFECTS, hear)


async def test_waiting_effects_promise_entities_by_their_key(conn: Conn) -> None:
    await order(conn, CONTACT, DEAL)
    found = await effects.promised(conn, "a", NUMBER)
    assert [e.ref for e in found] == [
        Ref(kind="contact", effect="c1:contact"),
        Ref(kind="deal", effect="c1:deal"),
    ]
    assert all(e.is_open and e.owner_id == "7" for e in found)
    assert await effects.promised(conn, "a", "+79160000000") == ()
    assert await effects.promised(conn, "b", NUMBER) == ()


async def test_held_effects_promise_and_dead_or_expired_ones_do_not(conn: Conn) -> None:
    await order(conn, CONTACT, DEAL, held=True)
    assert len(await effects.promised(conn, "a", NUMBER)) == 2
    await conn.execute("UPDATE effect SET state = 'dead' WHERE effect_key = 'c1:contact'")
    await conn.execute("UPDATE effect SET state = 'expired' WHERE effect_key = 'c1:deal'")
    assert await effects.promised(conn, "a", NUMBER) == ()


async def test_a_done_effect_promises_its_entity_until_the_directory_knows_it(
    conn: Conn,
) -> None:
    await order(conn, CONTACT)
    await conn.execute("UPDATE effect SET state = 'done', crm_id = '55', done_at = now()")
    assert [e.ref for e in await effects.promised(conn, "a", NUMBER)] == [Ref(kind="contact", id="55")]
    await conn.execute(
        "INSERT INTO directory_entity (account_id, kind, entity_id) VALUES ('a', 'contact', '55')"
    )
    assert await effects.promised(conn, "a", NUMBER) == ()


async def test_an_entity_deleted_in_the_crm_is_not_promised_for_ever(conn: Conn) -> None:
    await order(conn, CONTACT)
    await conn.execute(
        "UPDATE effect SET state = 'done', crm_id = '55', done_at = now() - $1::interval",
        timedelta(minutes=6),
    )
    assert await effects.promised(conn, "a", NUMBER) == ()


async def test_what_is_found_in_the_crm_is_read_as_the_accounts_country_spells_it(pool: asyncpg.Pool) -> None:
    found = CrmEntity(kind="contact", id="1", name="Praxis", numbers=("030 901820",), owner_id="7")
    store = PgEffects(pool, "a", lambda: NumberPolicy(region="DE"))
    await store.record([], [found], datetime(2026, 3, 1, 10, tzinfo=UTC))
    assert await pool.fetchval("SELECT number FROM directory_number") == 4930901820
