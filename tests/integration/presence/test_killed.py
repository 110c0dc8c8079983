"""A worker that is killed between the question and its answer: nothing is asked again, nobody is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from gateway.admin.presence.people import answer_question
from gateway.store.admin import accounts
from gateway.store.presence.attendance import save
from routing.attendance.machine import first_seen, judge
from tests.integration.presence.site import ACCOUNT, PresenceSite, people, policy
from tests.waiting import until

PAGE_ONLY = policy(sources=("page",), answer_seconds=10)
PATIENT = policy(sources=("page",), answer_seconds=3600)


@contextmanager
def worker(database_url: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    env = {**os.environ, "CALLMATRIX_DATABASE_URL": database_url}
    with log.open("ab") as out:
        running = subprocess.Popen(
            [sys.executable, "-m", "gateway.cli", "serve", "--role", "worker"],
            env=env,
            stdout=out,
            stderr=out,
        )
        try:
            yield running
        finally:
            running.send_signal(signal.SIGKILL)
            running.wait()


async def _looked(site: PresenceSite, since: datetime) -> None:
    sql = "SELECT watched_at > $2 FROM presence_watch WHERE account_id = $1"
    await until(lambda: site.pool.fetchval(sql, ACCOUNT, since), "a worker has looked", seconds=90)


async def test_a_worker_killed_between_question_and_answer(
    pool: asyncpg.Pool, database_url: str, tmp_path: Path
) -> None:
    site = PresenceSite(pool, database_url)
    await site.open(PAGE_ONLY, people({"anna": "11", "boris": "12"}))
    await pool.execute("UPDATE presence_watch SET trusted_from = now() - interval '1 hour'")
    asked_at = datetime.now(UTC)
    async with pool.acquire() as conn:
        for who, asked in (("anna", PATIENT), ("boris", PAGE_ONLY)):
            silent = judge(first_seen(asked_at - timedelta(minutes=20)), asked_at, asked)
            await save(conn, ACCOUNT, who, await site.of(who), silent, asked_at)
    with worker(database_url, tmp_path / "first.log"):
        await _looked(site, asked_at)
    async with pool.acquire() as conn:
        account = await accounts.account(conn, ACCOUNT)
        await answer_question(conn, account, "anna", datetime.now(UTC), is_here=True, asked_at=asked_at)
    killed_at = datetime.now(UTC)
    with worker(database_url, tmp_path / "second.log"):
        await _looked(site, killed_at)

        async def is_off() -> bool:
            return await site.mark("boris") == "off"

        await until(is_off, "who did not answer is off", seconds=90)
        await asyncio.sleep(1)
    assert await site.told("boris") == [
        ("unknown", "not_seen_yet"),
        ("asked", "silent"),
        ("off", "no_answer"),
    ]
    assert await site.told("anna") == [("unknown", "not_seen_yet"), ("asked", "silent"), ("on", "answered")]
