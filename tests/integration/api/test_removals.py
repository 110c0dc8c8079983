"""Taking away what was connected, at the command line: asked before, told what is not there."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import asyncpg

from gateway.store.admin.accounts import add_api_token


async def told(database_url: str, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "gateway.cli", *words],
        input=stdin,
        env={**os.environ, "CALLMATRIX_DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=60,
    )


async def test_a_connection_is_removed_when_the_person_is_sure(
    pool: asyncpg.Pool, database_url: str, account: str
) -> None:
    unsure = await told(database_url, "connection", "remove", "office", stdin="n\n")
    assert (unsure.returncode, await pool.fetchval("SELECT count(*) FROM connection")) == (1, 1)
    sure = await told(database_url, "connection", "remove", "office", "--yes")
    assert (sure.returncode, await pool.fetchval("SELECT count(*) FROM connection")) == (0, 0), sure.stderr
    again = await told(database_url, "connection", "remove", "office", "--yes")
    assert (again.returncode, "there is no connection 'office'" in again.stderr) == (1, True)


async def test_a_token_is_withdrawn_when_the_person_is_sure(
    pool: asyncpg.Pool, database_url: str, account: str
) -> None:
    async with pool.acquire() as conn:
        await add_api_token(conn, name="reports", role="read_only")
    unsure = await told(database_url, "token", "remove", "reports", stdin="n\n")
    assert (unsure.returncode, await pool.fetchval("SELECT count(*) FROM api_token")) == (1, 1)
    sure = await told(database_url, "token", "remove", "reports", "--yes")
    assert (sure.returncode, await pool.fetchval("SELECT count(*) FROM api_token")) == (0, 0), sure.stderr
    again = await told(database_url, "token", "remove", "reports", "--yes")
    assert (again.returncode, "there is no token 'reports'" in again.stderr) == (1, True)
