"""The directory's rows in PostgreSQL."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from crm.directory.memory import Directory, SegmentBuilder
from crm.effects.store.work import PgEffects
from crm.entity_changes import EntityChange
from crm.port import CrmEntity, CrmUser
from crm.store.clients import client_of
from crm.store.directory import Applied, EntityRef, apply_entities, remove_entities
from crm.store.encoding import EncodedRow, decode
from crm.store.entries import all_entries, delete_directory, refresh_entries
from crm.store.listing import ids_between
from crm.store.metadata import store_users, users_of
from crm.store.numberless import NumberlessValues, numberless_by_account
from crm.sync.changes import apply_changes
from routing.client import ClientKind
from routing.settings import NumberPolicy
from runtime.database.pool import Conn

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
NUMBER = 79001234567
POLICY = NumberPolicy()


def a_contact(id: str = "1", *numbers: str, **fields: Any) -> CrmEntity:
    fields = {"name": f"Contact {id}", "owner_id": "11", "updated_at": T0, **fields}
    return CrmEntity(kind="contact", id=id, numbers=numbers or ("8 (900) 123-45-67",), **fields)


def a_deal(id: str = "50", *contacts: str, **fields: Any) -> CrmEntity:
    fields = {
        "name": f"Deal {id}",
        "owner_id": "12",
        "updated_at": T0,
        "contact_ids": contacts or ("1",),
        **fields,
    }
    return CrmEntity(kind="deal", id=id, pipeline_id="1", stage_id="10", **fields)


async def apply(pool: asyncpg.Pool, *entities: CrmEntity, account: str = "a") -> Applied:
    async with pool.acquire() as conn, conn.transaction():
        return await apply_entities(conn, account, entities, POLICY)


async def remove(pool: asyncpg.Pool, *refs: EntityRef) -> Applied:
    async with pool.acquire() as conn, conn.transaction():
        return await remove_entities(conn, "a", refs)


async def found(pool: asyncpg.Pool, number: int = NUMBER) -> list[tuple[str, str, str, bool]]:
    """(kind, id, owner, has_open_deal) of the stored entry, after checking that none of all is other than its rows say."""
    async with pool.acquire() as conn, conn.transaction():
        stored = await conn.fetchval(
            "SELECT candidates FROM directory_entry WHERE account_id = 'a' AND number = $1", number
        )
        everything = await conn.fetch(
            "SELECT number FROM directory_number WHERE account_id = 'a' UNION"
            " SELECT number FROM directory_entry WHERE account_id = 'a'"
        )
        numbers = [r["number"] for r in everything]
        assert await refresh_entries(conn, "a", numbers) == [], "an entry had not been kept up to date"
    return [(c.kind, c.id, c.owner, c.has_open_deal) for c in decode(stored.encode())] if stored else []


async def test_a_contact_is_found_under_every_number_it_has(pool: asyncpg.Pool, account: str) -> None:
    changed = await apply(pool, a_contact("1", "8 (900) 123-45-67", "+7 900 765-43-21", "101", "no number"))
    assert set(changed.numbers) == {NUMBER, 79007654321}
    assert await found(pool, NUMBER) == await found(pool, 79007654321) == [("contact", "1", "11", False)]


async def test_what_is_unchanged_changes_nothing(pool: asyncpg.Pool, account: str) -> None:
    entities = [a_contact(), a_deal()]
    assert (await apply(pool, *entities)).numbers == (NUMBER,)
    before = (await pool.fetchrow("SELECT seq, changed_at FROM directory_state"),)
    assert (await apply(pool, *entities)).numbers == ()
    assert (await pool.fetchrow("SELECT seq, changed_at FROM directory_state"),) == before


async def test_an_older_copy_does_not_replace_a_newer_one(pool: asyncpg.Pool, account: str) -> None:
    await apply(pool, a_contact(owner_id="12", updated_at=T0))
    applied = await apply(pool, a_contact(owner_id="11", updated_at=T0 - timedelta(seconds=1)))
    assert applied.stale == (("contact", "1"),)
    assert await found(pool) == [("contact", "1", "12", False)]
    await apply(pool, a_contact(owner_id="13", updated_at=T0))  # within the same second: the later one counts
    assert await found(pool) == [("contact", "1", "13", False)]


async def test_of_two_copies_in_one_batch_the_newer_counts_wherever_it_stands(
    pool: asyncpg.Pool, account: str
) -> None:
    newer = a_contact(owner_id="12", updated_at=T0 + timedelta(seconds=1))
    await apply(pool, newer, a_contact(owner_id="11"))
    assert await found(pool) == [("contact", "1", "12", False)]


async def test_an_open_deal_is_a_candidate_and_a_closed_one_is_history(
    pool: asyncpg.Pool, account: str
) -> None:
    await apply(pool, a_contact(), a_deal("50"), a_deal("51", is_open=False, closed_at=T0))
    assert await found(pool) == [("contact", "1", "11", True), ("deal", "50", "12", False)]
    async with pool.acquire() as conn:
        client = await client_of(conn, "a", f"+{NUMBER}")
    assert [(e.ref.kind, e.ref.id, e.is_open) for e in client.entities] == [
        ("contact", "1", True),
        ("deal", "50", True),
        ("deal", "51", False),
    ]
    assert client.kind is ClientKind.KNOWN_WITH_DEAL
    assert client.entities[1].pipeline_id == "1"
    assert client.entities[2].closed_at == T0


async def test_closing_a_deal_takes_it_from_the_answer(pool: asyncpg.Pool, account: str) -> None:
    await apply(pool, a_contact(), a_deal())
    closed = replace(a_deal(), is_open=False, stage_id="142", updated_at=T0 + timedelta(seconds=5))
    assert (await apply(pool, closed)).numbers == (NUMBER,)
    assert await found(pool) == [("contact", "1", "11", False)]


async def test_linking_and_unlinking_change_the_answer_though_the_deal_keeps_its_time(
    pool: asyncpg.Pool, account: str
) -> None:
    await apply(pool, a_contact("1"), a_contact("2", "+79007654321"), a_deal("50", "1"))
    await apply(pool, a_deal("50", "2"))
    assert await found(pool, NUMBER) == [("contact", "1", "11", False)]
    assert await found(pool, 79007654321) == [("contact", "2", "11", True), ("deal", "50", "12", False)]


async def test_contacts_that_share_a_number_stand_in_the_stated_order(
    pool: asyncpg.Pool, account: str
) -> None:
    later = {"updated_at": T0 + timedelta(days=1)}
    await apply(
        pool, a_contact("1"), a_contact("2", **later), a_contact("3"), a_contact("20"), a_deal("50", "1")
    )
    assert [id for kind, id, *_ in await found(pool) if kind == "contact"] == ["1", "2", "20", "3"]


async def test_a_company_and_its_deal_are_found_by_the_companys_number(
    pool: asyncpg.Pool, account: str
) -> None:
    company = CrmEntity(kind="company", id="9", numbers=("+79001234567",), owner_id="15", name='ООО "Рога"\\')
    await apply(pool, company, a_deal("50", "77", company_ids=("9",)))
    assert await found(pool) == [("deal", "50", "12", False), ("company", "9", "15", True)]


async def test_a_deal_of_two_contacts_with_one_number_is_one_candidate(
    pool: asyncpg.Pool, account: str
) -> None:
    await apply(pool, a_contact("1"), a_contact("2"), a_deal("50", "1", "2"))
    assert [kind for kind, *_ in await found(pool)] == ["contact", "contact", "deal"]


async def test_a_number_that_changed_leads_from_the_new_one_only(pool: asyncpg.Pool, account: str) -> None:
    await apply(pool, a_contact("1", "+79001234567"), a_deal())
    changed = await apply(pool, a_contact("1", "+79007654321", updated_at=T0 + timedelta(seconds=1)))
    assert set(changed.numbers) == {NUMBER, 79007654321}
    assert await found(pool, NUMBER) == []
    assert [id for _, id, *_ in await found(pool, 79007654321)] == ["1", "50"]


async def test_removing_a_contact_leaves_its_deal_without_a_number(pool: asyncpg.Pool, account: str) -> None:
    await apply(pool, a_contact(), a_deal())
    assert (await remove(pool, ("contact", "1"))).numbers == (NUMBER,)
    assert await found(pool) == []
    assert (await remove(pool, ("contact", "1"))).numbers == ()
    await apply(pool, a_contact())
    assert await found(pool) == [("contact", "1", "11", False)]  # links come back with the deal


async def test_removing_a_deal_takes_it_from_the_answer(pool: asyncpg.Pool, account: str) -> None:
    await apply(pool, a_contact(), a_deal())
    await remove(pool, ("deal", "50"))
    assert await found(pool) == [("contact", "1", "11", False)]
    assert await pool.fetchval("SELECT count(*) FROM directory_link") == 0


async def test_a_lead_without_a_number_has_its_contacts_number(pool: asyncpg.Pool, account: str) -> None:
    lead = CrmEntity(kind="lead", id="ab12", owner_id="14", contact_ids=("1",))
    await apply(pool, a_contact())
    await apply(pool, lead)
    assert ("lead", "ab12", "14", False) in await found(pool)


async def test_a_switchboard_shared_by_hundreds_keeps_its_entry_short(
    pool: asyncpg.Pool, account: str
) -> None:
    await apply(pool, *(a_contact(str(i), updated_at=T0 + timedelta(seconds=i)) for i in range(1, 200)))
    contacts = await found(pool)
    assert [id for _, id, *_ in contacts] == [str(i) for i in range(199, 179, -1)]


async def test_after_any_changes_the_entries_are_what_the_rows_give(pool: asyncpg.Pool, account: str) -> None:
    chance = random.Random(20260301)
    at = T0
    for _ in range(120):
        batch, at = [], at + timedelta(seconds=1)
        for _ in range(chance.randrange(1, 5)):
            ids = [str(i) for i in chance.sample(range(1, 8), 2)]
            numbers = [f"+7900123456{chance.randrange(6)}" for _ in range(chance.randrange(1, 3))]
            batch.append(
                chance.choice(
                    [
                        a_contact(ids[0], *numbers, owner_id=ids[1], updated_at=at),
                        replace(a_contact(ids[0], *numbers, updated_at=at), kind="company"),
                        replace(a_contact(ids[0], *numbers, updated_at=at), kind="lead"),
                        a_deal(ids[1], *ids, updated_at=at, is_open=chance.random() < 0.6),
                        a_deal(ids[1], updated_at=at, company_ids=(ids[0],)),
                        replace(a_contact(ids[0], updated_at=at), is_deleted=True),
                    ]
                )
            )
        await apply(pool, *batch)
        if chance.random() < 0.3:
            kind: Any = chance.choice(["contact", "company", "deal", "lead"])
            await remove(pool, (kind, str(chance.randrange(1, 8))))
        await found(pool, 79001234560 + chance.randrange(6))  # compares with a computation from nothing
    assert await pool.fetchval("SELECT count(*) FROM directory_entry WHERE candidates <> ''") > 3


async def test_accounts_do_not_see_each_other(pool: asyncpg.Pool, account: str) -> None:
    await apply(pool, a_contact(), account="b")
    assert await found(pool) == []
    async with pool.acquire() as conn:
        assert (await client_of(conn, "a", f"+{NUMBER}")).kind is ClientKind.NEW


async def test_ids_are_compared_as_numbers(pool: asyncpg.Pool, account: str) -> None:
    await apply(pool, *(a_contact(i) for i in ("9", "10", "100", "99")))
    async with pool.acquire() as conn:
        assert set(await ids_between(conn, "a", "contact", "9", "99")) == {"10", "99"}
        assert set(await ids_between(conn, "a", "contact", "", None)) == {"9", "10", "100", "99"}


async def test_a_forgotten_directory_is_empty(pool: asyncpg.Pool, account: str) -> None:
    await apply(pool, a_contact(), a_deal())
    async with pool.acquire() as conn, conn.transaction():
        await delete_directory(conn, "a")
    assert await found(pool) == []


async def test_a_user_who_is_no_longer_listed_becomes_inactive(pool: asyncpg.Pool, account: str) -> None:
    def users(*ids: str) -> Iterable[CrmUser]:
        return [CrmUser(id=i, name=f"User {i}", email=f"{i}@example.com", is_active=True) for i in ids]

    async with pool.acquire() as conn:
        assert await store_users(conn, "a", list(users("1", "2")))
        assert not await store_users(conn, "a", list(users("2", "1")))
        assert await store_users(conn, "a", list(users("1")))
        assert [(u.id, u.is_active) for u in await users_of(conn, "a")] == [("1", True), ("2", False)]
        assert not await store_users(conn, "a", list(users("1")))


async def test_every_number_of_one_value_leads_to_its_contact(pool: asyncpg.Pool, account: str) -> None:
    changed = await apply(pool, a_contact("1", "8 (900) 123-45-67, +7 900 765-43-21 Мария (после 18:00)"))
    assert set(changed.numbers) == {NUMBER, 79007654321}
    assert await found(pool, NUMBER) == await found(pool, 79007654321) == [("contact", "1", "11", False)]
    later = a_contact("1", "8 (900) 123-45-67 Мария", updated_at=T0 + timedelta(seconds=1))
    assert (await apply(pool, later)).numbers == (NUMBER, 79007654321)
    assert await found(pool, 79007654321) == []


async def numberless(pool: asyncpg.Pool) -> NumberlessValues:
    async with pool.acquire() as conn:
        return (await numberless_by_account(conn)).get("a", NumberlessValues())


async def test_a_value_without_a_number_is_told_until_it_reads_well(pool: asyncpg.Pool, account: str) -> None:
    await apply(
        pool, a_contact("1", "8-900-123-45"), a_contact("2", "8-900-765-43-21", "\0 7,9151E+10 \ud800 12")
    )
    told = await numberless(pool)
    assert told.total == 2
    assert {(v.entity_id, v.value) for v in told.samples} == {
        ("1", "8-900-123-45"),
        ("2", "� 7,9151E+10 ? 12"),
    }
    await apply(pool, a_contact("1", "8-900-123-45-67", updated_at=T0 + timedelta(seconds=1)))
    await remove(pool, ("contact", "2"))
    assert await numberless(pool) == NumberlessValues()


async def test_a_webhook_that_tells_of_something_else_leaves_the_unread_value_told(
    pool: asyncpg.Pool, account: str
) -> None:
    await apply(pool, a_contact("1", "8-900-123-45", "+7 900 123-45-67"))
    renamed = EntityChange(kind="contact", id="1", what="owner", owner_id="12", at=T0 + timedelta(seconds=1))
    async with pool.acquire() as conn, conn.transaction():
        await apply_changes(conn, "a", [renamed], POLICY)
    assert await found(pool) == [("contact", "1", "12", False)]
    assert (await numberless(pool)).total == 1


async def test_a_contact_whose_webhook_comes_without_fields_is_read_again(
    pool: asyncpg.Pool, account: str
) -> None:
    await apply(pool, a_contact("1"), a_contact("2", "no number"))
    told = [
        EntityChange(kind="contact", id=id, what="updated", at=T0 + timedelta(seconds=1)) for id in ("1", "2")
    ]
    async with pool.acquire() as conn, conn.transaction():
        taken = await apply_changes(conn, "a", told, POLICY)
    assert taken.to_reread == (("contact", "1"),)


async def test_one_subscriber_of_argentina_is_one_client_whatever_was_stored_before(
    pool: asyncpg.Pool, account: str
) -> None:
    """Rows of a former version stand under the number with its 9 until the entity is read again."""
    await apply(pool, a_contact("1", "+7 900 000-00-00"))
    for table in ("directory_number", "directory_entry"):
        await pool.execute(f"UPDATE {table} SET number = 5491166773399 WHERE number = 79000000000")
    directory = Directory("a")
    async with pool.acquire() as conn:
        rows = [row async for some in _entries(conn) for row in some]
        builder = SegmentBuilder()
        builder.add(rows)
        directory.replace(builder.finish())
        assert [e.ref.id for e in (await client_of(conn, "a", "+541166773399")).entities] == ["1"]
    assert [c.id for c in directory.find_caller("+541166773399")] == ["1"]
    known = await PgEffects(pool, "a", lambda: POLICY).known(["+541166773399", "+79000000000"])
    assert {number: k.contact for number, k in known.items()} == {"+541166773399": ("contact", "1")}
    changed = await apply(pool, a_contact("1", "+54 9 11 6677-3399", updated_at=T0 + timedelta(seconds=1)))
    assert set(changed.numbers) == {541166773399, 5491166773399}
    assert await found(pool, 541166773399) == [("contact", "1", "11", False)]
    assert await found(pool, 5491166773399) == []


async def _entries(conn: Conn) -> AsyncIterator[list[EncodedRow]]:
    async with conn.transaction():
        async for rows in all_entries(conn, "a"):
            yield rows
