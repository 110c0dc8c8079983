"""Employees as rows: mapped by e-mail, active as the CRM says, one version for each change that rules can see."""

from __future__ import annotations

import asyncpg
import pytest

from gateway.store.admin import accounts
from gateway.store.admin.staff import (
    NoSuchStaffVersion,
    StaffStore,
    replace_staff,
    save_employee,
    staff_at,
    staff_of,
    stored_employees,
    write_snapshot,
)
from routing.staff import Employee

ANNA = Employee(id="anna", name="Анна", email="Anna@Example.com", extensions=("101",))
BOSS = Employee(id="boss", name="Босс", crm_user_id="1", is_senior=True)


@pytest.fixture
async def conn(pool: asyncpg.Pool):  # type: ignore[no-untyped-def]
    async with pool.acquire() as conn:
        await accounts.add_account(conn, account_id="main", name="x", base_url="http://127.0.0.1:1")
        await replace_staff(conn, "main", [ANNA, BOSS])
        yield conn


async def add_user(conn: asyncpg.Connection, user_id: str, email: str, *, is_active: bool = True) -> None:
    await conn.execute(
        "INSERT INTO crm_user (account_id, user_id, name, email, is_active) VALUES ('main', $1, 'x', $2, $3)"
        " ON CONFLICT (account_id, user_id) DO UPDATE SET is_active = excluded.is_active, email = excluded.email",
        user_id,
        email,
        is_active,
    )


async def test_employee_without_crm_user_is_mapped_by_email(conn: asyncpg.Connection) -> None:
    await add_user(conn, "11", "anna@example.COM")
    assert (await staff_of(conn, "main")).by_id["anna"].crm_user_id == "11"
    assert {p.id: p.crm_user_id for p in await stored_employees(conn, "main")} == {"anna": None, "boss": "1"}


async def test_address_that_two_users_share_maps_nobody(conn: asyncpg.Connection) -> None:
    await add_user(conn, "11", "anna@example.com")
    await add_user(conn, "12", "anna@example.com")
    assert (await staff_of(conn, "main")).by_id["anna"].crm_user_id is None


async def test_deactivated_and_deleted_users_are_not_active_but_unread_ones_are(
    conn: asyncpg.Connection,
) -> None:
    assert (await staff_of(conn, "main")).by_id["boss"].is_active
    await add_user(conn, "11", "anna@example.com", is_active=False)
    people = (await staff_of(conn, "main")).by_id
    assert not people["anna"].is_active
    assert not people["boss"].is_active
    await add_user(conn, "1", "boss@example.com")
    assert (await staff_of(conn, "main")).by_id["boss"].is_active


async def test_version_grows_with_changes_only(conn: asyncpg.Connection) -> None:
    await add_user(conn, "11", "anna@example.com")
    before = (await staff_of(conn, "main")).version
    await add_user(conn, "11", "anna@example.com")
    await replace_staff(conn, "main", [ANNA, BOSS])
    assert (await staff_of(conn, "main")).version == before
    await add_user(conn, "11", "anna@example.com", is_active=False)
    assert (await staff_of(conn, "main")).version == before + 1


async def test_store_reads_again_only_when_the_version_moved(conn: asyncpg.Connection) -> None:
    store = StaffStore()
    first = await store.current(conn, "main", (await staff_of(conn, "main")).version)
    assert await store.current(conn, "main", first.version) is first
    await save_employee(conn, "main", ANNA.model_copy(update={"extensions": ("155",)}))
    version = await conn.fetchval("SELECT staff_version FROM account")
    assert (await store.current(conn, "main", version)).employee_at("155") is not None


async def test_one_list_gives_the_part_of_the_senior_manager_to_somebody_else(
    conn: asyncpg.Connection,
) -> None:
    async with conn.transaction():
        people = [ANNA.model_copy(update={"is_senior": True}), BOSS.model_copy(update={"is_senior": False})]
        await replace_staff(conn, "main", people)
    senior = (await staff_of(conn, "main")).senior
    assert senior is not None
    assert senior.id == "anna"


async def test_users_who_left_and_the_first_administrator_are_known_whoever_is_an_employee(
    conn: asyncpg.Connection,
) -> None:
    await add_user(conn, "1", "boss@example.com")
    await add_user(conn, "77", "stranger@example.com", is_active=False)
    await add_user(conn, "100", "second@example.com")
    await add_user(conn, "9", "first@example.com")
    await conn.execute("UPDATE crm_user SET is_admin = true WHERE user_id IN ('9', '100', '77')")
    staff = await staff_of(conn, "main")
    assert (staff.gone_users, staff.admin_user) == (("77",), "9")
    await write_snapshot(conn, "main", staff)
    assert await staff_at(conn, "main", staff.version) == staff


async def test_snapshot_gives_back_the_staff_of_its_version(conn: asyncpg.Connection) -> None:
    staff = await staff_of(conn, "main")
    await write_snapshot(conn, "main", staff)
    await replace_staff(conn, "main", [BOSS])
    assert await staff_at(conn, "main", staff.version) == staff
    with pytest.raises(NoSuchStaffVersion):
        await staff_at(conn, "main", 999)
