"""Taking away what was added, at the command line: asked before, told what is not there."""

from __future__ import annotations

import asyncpg
import pytest

from gateway.store.admin.accounts import add_api_token
from gateway.store.admin.bindings import EVERYTHING
from gateway.store.admin.users import add_user
from tests.integration.api.command_line import callmatrix


@pytest.mark.parametrize(
    ("words", "table", "what"),
    [
        (("connection", "remove", "office"), "connection", "connection 'office'"),
        (("token", "remove", "reports"), "api_token", "token 'reports'"),
        (("users", "remove", "olga"), "admin_user", "user 'olga'"),
    ],
)
async def test_what_was_added_is_removed_when_the_person_is_sure(
    pool: asyncpg.Pool, database_url: str, account: str, words: tuple[str, ...], table: str, what: str
) -> None:
    async with pool.acquire() as conn:
        await add_api_token(conn, name="reports", role="read_only")
        await add_user(conn, login="olga", name="Ольга", role="manager", bound=EVERYTHING, password_hash="x")

    async def left() -> int:
        return int(await pool.fetchval(f"SELECT count(*) FROM {table}"))

    unsure = await callmatrix(database_url, *words, stdin="n\n")
    assert (unsure.returncode, await left()) == (1, 1)
    sure = await callmatrix(database_url, *words, "--yes")
    assert (sure.returncode, await left()) == (0, 0), sure.stderr
    assert f"{what} is removed" in sure.stdout.lower()
    again = await callmatrix(database_url, *words, "--yes")
    assert (again.returncode, f"there is no {what}" in again.stderr) == (1, True)
    assert f"see 'callmatrix {words[0]} list'" in again.stderr
