"""Drafts and versions of matrices in a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from gateway.store.admin.accounts import NoSuchAccount, add_account
from gateway.store.admin.matrices import (
    DraftConflict,
    MatrixNotPublishable,
    MatrixStore,
    NoSuchMatrixVersion,
    draft,
    matrix_at,
    publish,
    publish_matrix,
    rebase_draft,
    reset_draft,
    roll_back,
    save_draft,
    versions,
)
from gateway.store.admin.matrix_catalogue import catalogue_of
from routing.matrix.checks.check import Catalogue
from routing.matrix.model import Matrix
from routing.matrix.presets import recommended, unsorted, update_only
from routing.matrix.versions.diff import difference
from routing.staff import Employee, Staff
from runtime.database.pool import Conn
from tests.waiting import until

_ONE_WAITS = """
SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')
"""
READY = Catalogue(staff=Staff.of([Employee(id="boss", name="Олег", crm_user_id="1", is_senior=True)]))


@pytest.fixture
async def conn(pool: asyncpg.Pool) -> AsyncIterator[Conn]:
    async with pool.acquire() as opened:
        await add_account(opened, account_id="acme", name="Acme", base_url="http://crm.example")
        yield opened


async def test_an_account_without_matrices_gets_the_recommended_one_as_version_1(
    conn: Conn,
) -> None:
    assert await MatrixStore().current(conn, "acme") == recommended()
    (first,) = await versions(conn, "acme")
    assert (first.version, first.published_by) == (1, "callmatrix")


async def test_two_processes_at_once_make_one_first_version(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn:
        await add_account(conn, account_id="acme", name="Acme", base_url="http://crm.example")

    async def first_use() -> Matrix:
        async with pool.acquire() as conn:
            return await MatrixStore().current(conn, "acme")

    assert {m.version for m in await asyncio.gather(*(first_use() for _ in range(4)))} == {1}
    async with pool.acquire() as conn:
        assert len(await versions(conn, "acme")) == 1


async def test_an_unknown_account_has_no_matrix(conn: Conn) -> None:
    with pytest.raises(NoSuchAccount):
        await MatrixStore().current(conn, "nobody")
    with pytest.raises(NoSuchAccount):
        await save_draft(conn, "nobody", unsorted(), revision=0, by="anna")


async def test_a_published_draft_is_the_next_version_with_who_and_why(conn: Conn) -> None:
    store = MatrixStore()
    await store.current(conn, "acme")
    saved = await save_draft(conn, "acme", unsorted(), revision=0, by="anna")
    assert (saved.revision, saved.based_on, saved.is_changed, saved.saved_by) == (1, 1, True, "anna")
    assert await store.current(conn, "acme") == recommended()

    done = await publish(conn, "acme", revision=1, by="anna", why="работаем в Неразобранном", catalogue=READY)

    assert (done.version, done.published_by, done.why) == (2, "anna", "работаем в Неразобранном")
    assert (await store.current(conn, "acme")) == unsorted().model_copy(update={"version": 2})
    assert not (await draft(conn, "acme")).is_changed


async def test_the_second_of_two_admins_is_told_and_nothing_is_overwritten(conn: Conn) -> None:
    seen_by_both = await draft(conn, "acme")
    await save_draft(conn, "acme", unsorted(), revision=seen_by_both.revision, by="anna")
    with pytest.raises(DraftConflict, match="anna") as told:
        await save_draft(conn, "acme", update_only(), revision=seen_by_both.revision, by="boris")
    assert told.value.current.saved_by == "anna"
    assert (await draft(conn, "acme")).matrix.tables == unsorted().tables


async def test_of_two_saves_at_the_same_time_one_wins(pool: asyncpg.Pool, conn: Conn) -> None:
    revision = (await draft(conn, "acme")).revision

    async def save(matrix: Matrix, by: str) -> str:
        async with pool.acquire() as own:
            try:
                await save_draft(own, "acme", matrix, revision=revision, by=by)
            except DraftConflict:
                return "told"
            return "saved"

    assert sorted(await asyncio.gather(save(unsorted(), "anna"), save(update_only(), "boris"))) == [
        "saved",
        "told",
    ]


async def test_a_save_waits_for_whoever_holds_the_account(pool: asyncpg.Pool, conn: Conn) -> None:
    async def save() -> None:
        async with pool.acquire() as own:
            await save_draft(own, "acme", unsorted(), revision=0, by="anna")

    async with pool.acquire() as other, other.transaction():
        await other.fetchval("SELECT 1 FROM account WHERE account_id = 'acme' FOR NO KEY UPDATE")
        saving = asyncio.create_task(save())
        await until(lambda: conn.fetchval(_ONE_WAITS), "the save waits")
        assert not saving.done()
    await saving


async def test_a_revision_seen_before_a_publication_is_never_valid_again(conn: Conn) -> None:
    await save_draft(conn, "acme", unsorted(), revision=0, by="anna")
    await publish(conn, "acme", revision=1, by="anna", why="", catalogue=READY)
    for old in (0, 1):
        with pytest.raises(DraftConflict):
            await save_draft(conn, "acme", update_only(), revision=old, by="boris")


async def test_errors_block_publishing_and_keep_the_draft(conn: Conn) -> None:
    table = recommended().tables["default"]
    cells = {c: a for c, a in table.cells.items() if c != "inbound.missed.new/end"}
    broken = Matrix(tables={"default": table.model_copy(update={"cells": cells})})
    await save_draft(conn, "acme", broken, revision=0, by="anna")
    with pytest.raises(MatrixNotPublishable) as refused:
        await publish(conn, "acme", revision=1, by="anna", why="", catalogue=READY)
    assert [p.cell for p in refused.value.problems if p.severity == "error"] == [
        "default/inbound.missed.new/end"
    ]
    assert [v.version for v in await versions(conn, "acme")] == [1]
    assert (await draft(conn, "acme")).is_changed


async def test_roll_back_publishes_the_old_body_under_a_new_number(conn: Conn) -> None:
    await save_draft(conn, "acme", unsorted(), revision=0, by="anna")
    await publish(conn, "acme", revision=1, by="anna", why="проба", catalogue=READY)
    done = await roll_back(conn, "acme", to=1, by="boris", why="не то")
    assert (done.version, done.restored) == (3, 1)
    first, second, third = [await matrix_at(conn, "acme", version) for version in (1, 2, 3)]
    assert difference(first, third) == []
    assert difference(second, third) != []
    with pytest.raises(NoSuchMatrixVersion):
        await roll_back(conn, "acme", to=9, by="boris", why="")


async def test_a_draft_begun_before_another_publication_needs_a_second_look(conn: Conn) -> None:
    await save_draft(conn, "acme", unsorted(), revision=0, by="anna")
    await publish_matrix(conn, "acme", update_only(), by="import", why="", catalogue=READY)
    with pytest.raises(DraftConflict, match="version 2"):
        await publish(conn, "acme", revision=1, by="anna", why="", catalogue=READY)
    again = await rebase_draft(conn, "acme", revision=1, by="anna")
    done = await publish(conn, "acme", revision=again.revision, by="anna", why="", catalogue=READY)
    kept = await MatrixStore().at(conn, "acme", done.version)
    base, hers, theirs = recommended(), unsorted(), update_only()
    for where, cell in hers.tables["default"].cells.items():
        is_hers = cell != base.tables["default"].cells[where]
        assert kept.tables["default"].cells[where] == (
            cell if is_hers else theirs.tables["default"].cells[where]
        )


async def test_an_import_of_what_is_published_changes_nothing(conn: Conn) -> None:
    assert await publish_matrix(conn, "acme", recommended(), by="a", why="", catalogue=READY) is None
    assert len(await versions(conn, "acme")) == 1


async def test_a_reset_draft_is_the_current_version_again(conn: Conn) -> None:
    await save_draft(conn, "acme", unsorted(), revision=0, by="anna")
    again = await reset_draft(conn, "acme", revision=1, by="anna")
    assert not again.is_changed
    assert again.matrix == recommended() == await matrix_at(conn, "acme", 1)


async def test_a_published_version_cannot_be_changed_even_by_hand(conn: Conn) -> None:
    await MatrixStore().current(conn, "acme")
    with pytest.raises(asyncpg.RaiseError, match="never changed"):
        await conn.execute("UPDATE matrix_version SET why = 'other'")


async def test_a_version_is_read_from_the_database_once(conn: Conn) -> None:
    store = MatrixStore()
    first = await store.current(conn, "acme")
    assert await store.at(conn, "acme", 1) is first


async def test_the_store_forgets_what_was_not_used_for_longest(conn: Conn) -> None:
    store = MatrixStore(capacity=1)
    first = await store.current(conn, "acme")
    await publish_matrix(conn, "acme", update_only(), by="a", why="", catalogue=READY)
    await store.current(conn, "acme")
    assert await store.at(conn, "acme", 1) is not first


async def test_the_catalogue_is_what_the_account_has(conn: Conn) -> None:
    assert not (await catalogue_of(conn, "acme")).is_loaded
    await conn.execute(
        "INSERT INTO crm_pipeline (account_id, pipeline_id, name, is_main, stages)"
        " VALUES ('acme', '7', 'Продажи', true, $1)",
        [{"id": "70", "name": "Новая", "sort": 1, "is_closed": False, "is_unsorted": False}],
    )
    await conn.execute(
        "INSERT INTO crm_field (account_id, kind, field_id, code, name, type)"
        " VALUES ('acme', 'deal', '900', 'UTM_SOURCE', 'utm_source', 'text')"
    )
    await conn.execute(
        "INSERT INTO crm_user (account_id, user_id, name, is_active) VALUES ('acme', '1', 'О', false)"
    )
    await conn.execute(
        "INSERT INTO employee (account_id, employee_id, name, crm_user_id, is_senior) VALUES ('acme', 'b', 'О', '1', true)"
    )
    await conn.execute(
        "INSERT INTO crm_account (account_id, crm_id, name, is_unsorted_on, are_filters_on, task_types, read_at)"
        " VALUES ('acme', '1', 'A', false, true, $1, now())",
        {"1": "FOLLOW_UP"},
    )
    await conn.execute(
        "INSERT INTO connection (account_id, connection_id, name, kind, secret_hash, lines)"
        " VALUES ('acme', 'office', 'office', 'generic', 'x', '{+74950000001}')"
    )
    found = await catalogue_of(conn, "acme")
    assert found.is_loaded
    assert [s.id for s in found.pipelines[0].stages] == ["70"]
    assert found.has_field("deal", "900")
    assert found.has_field("deal", "UTM_SOURCE")
    assert not found.has_field("contact", "900")
    assert not found.is_active_user("1")
    assert found.staff.senior is not None
    assert not found.staff.senior.is_active
    assert (found.is_unsorted_on, found.connections, found.lines) == (False, ("office",), ("+74950000001",))
    assert {"1", "FOLLOW_UP"} == set(found.task_types)
