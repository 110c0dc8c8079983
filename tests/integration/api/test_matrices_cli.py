"""`callmatrix matrix …` and `callmatrix replay` on a real database."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import asyncpg

from gateway.store.admin.matrices import draft, save_draft
from routing.matrix.model import Matrix
from routing.matrix.presets import recommended, unsorted
from tests.integration.api import command_line
from tests.integration.api.client import ACCOUNT


async def callmatrix(database_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return await command_line.callmatrix(database_url, *arguments, "--account", ACCOUNT)


async def told(database_url: str, *arguments: str) -> Any:
    done = await callmatrix(database_url, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def save(pool: asyncpg.Pool, matrix: Matrix) -> None:
    async with pool.acquire() as conn:
        seen = await draft(conn, ACCOUNT)
        await save_draft(conn, ACCOUNT, matrix, revision=seen.revision, by="anna")


async def test_a_draft_is_checked_compared_published_and_rolled_back(
    pool: asyncpg.Pool, database_url: str, account: str
) -> None:
    await save(pool, unsorted())
    problems = await told(database_url, "matrix", "check")
    assert {p["severity"] for p in problems} == {"warning"}
    changes = await told(database_url, "matrix", "difference")
    assert any("Неразобранн" in c["text"] for c in changes)
    assert (await told(database_url, "matrix", "publish", "--why", "проба"))["version"] == 2
    back = await told(database_url, "matrix", "rollback", "--to", "1", "--why", "обратно")
    assert (back["version"], back["restored"]) == (3, 1)
    assert [v["why"] for v in await told(database_url, "matrix", "versions")][:2] == ["обратно", "проба"]
    result = await told(database_url, "replay", "--days", "3", "--version", "2")
    assert (result["calls"], result["draft"]["version"], result["published"]["version"]) == (0, "2", "3")


async def test_a_draft_with_errors_exits_with_1_and_says_what_to_do(
    pool: asyncpg.Pool, database_url: str, account: str
) -> None:
    await save(pool, recommended().model_copy(update={"default": "nowhere"}))
    checked = await callmatrix(database_url, "matrix", "check")
    assert (checked.returncode, "nowhere" in checked.stdout) == (1, True)
    refused = await callmatrix(database_url, "matrix", "publish", "--why", "x")
    assert refused.returncode == 1
    assert "the matrix is not published" in refused.stderr
    assert "matrix-not-publishable" in refused.stderr
    missing = await callmatrix(database_url, "replay", "--version", "7")
    assert (missing.returncode, "there is no version 7 of the matrix" in missing.stderr) == (1, True)
