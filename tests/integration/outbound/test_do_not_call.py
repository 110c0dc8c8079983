"""Who is on the do-not-call list is called for nothing, and what waited for them goes."""

from __future__ import annotations

import asyncpg

from gateway.store.outbound import do_not_call as store
from gateway.store.outbound.do_not_call import DoNotCallFilter
from routing.triggers.model import Trigger
from tests.integration.triggers.office import ACCOUNT, Office, call_back

OLGA, OTHER = "+79161234567", "+74951234567"


async def test_a_number_is_listed_for_everything_or_for_one_campaign(pool: asyncpg.Pool) -> None:
    await Office(pool).open()
    async with pool.acquire() as conn:
        assert await store.add(conn, ACCOUNT, OLGA, source="admin", said_by="ann")
        assert not await store.add(conn, ACCOUNT, OLGA, source="client", said_by="sms")
        assert await store.add(conn, ACCOUNT, OTHER, source="client", said_by="sms", campaign="autumn")
        assert await store.is_listed(conn, ACCOUNT, OLGA, "autumn")
        assert await store.listed(conn, ACCOUNT, [OLGA, OTHER]) == {OLGA}
        assert await store.listed(conn, ACCOUNT, [OLGA, OTHER], "autumn") == {OLGA, OTHER}
        assert not await store.is_listed(conn, ACCOUNT, OTHER, "winter")
        kept = await store.entries(conn, ACCOUNT, DoNotCallFilter(text="+7916", digits="7916"), limit=9)
        assert [(row.number, row.said_by) for row in kept] == [(OLGA, "ann")]
        assert not await store.remove(conn, ACCOUNT, OTHER)
        assert await store.remove(conn, ACCOUNT, OTHER, "autumn")
        assert not await store.is_listed(conn, ACCOUNT, OTHER, "autumn")


async def test_what_waits_for_a_number_is_dropped_as_it_comes_onto_the_list(pool: asyncpg.Pool) -> None:
    """Also where its number is the contact's and was not read yet; what is under way, or another's, is let be."""
    office = Office(pool)
    triggers: list[Trigger] = [call_back(), call_back("sums", action=_campaign("autumn"))]
    await office.open(*triggers)
    await office.deal()
    await office.moved()
    await office.deal(is_known=True)
    assert sorted(await office.items()) == ["held", "waiting"]
    async with pool.acquire() as conn:
        assert await store.add(conn, ACCOUNT, OLGA, source="admin", said_by="ann", campaign="winter")
        assert sorted(await office.items()) == ["held", "waiting"]
        assert await store.add(conn, ACCOUNT, OLGA, source="admin", said_by="ann", campaign="autumn")
    assert sorted(await office.items()) == ["dropped", "waiting"]
    async with pool.acquire() as conn:
        put = await store.add_all(conn, ACCOUNT, {OLGA: "", OTHER: "n"}, source="admin", said_by="ann")
    assert put == (frozenset({OLGA, OTHER}), 1)
    rows = await pool.fetch("SELECT state, reason, ended_at IS NOT NULL AS ended FROM outbound_item")
    assert {tuple(row) for row in rows} == {("dropped", "do_not_call", True)}


async def test_a_contact_with_another_number_may_still_be_called_there(pool: asyncpg.Pool) -> None:
    office = Office(pool)
    await office.open(call_back())
    await office.deal()
    await office.moved()
    await office.deal(is_known=True)
    await pool.execute(
        "INSERT INTO directory_number (account_id, number, kind, entity_id) VALUES ($1, 74951234567, 'contact', '70')",
        ACCOUNT,
    )
    async with pool.acquire() as conn:
        await store.add(conn, ACCOUNT, OLGA, source="client", said_by="sms")
        assert await office.items() == ["waiting"]
        await pool.execute("UPDATE outbound_item SET client = $1", OTHER)
        await store.add(conn, ACCOUNT, OTHER, source="client", said_by="sms")
    assert await office.items() == ["dropped"]


def _campaign(name: str) -> dict[str, object]:
    return {"do": "campaign", "campaign": name}
