"""Webhooks that never came, with real processes: the PBX's own list brings the calls back, once, through kill -9."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.stack import ACCOUNT, Stack, running_stack
from tests.fakes.ringostat import FakeRingostat, serving
from tests.waiting import until

CALLS = 40
LINE = "74950000001"


@pytest.fixture
async def stack(tmp_path: Path, database_url: str) -> AsyncIterator[Stack]:
    async with running_stack(tmp_path, database_url, workers=2) as running:
        yield running


async def _until(stack: Stack, sql: str, seconds: float = 30) -> None:
    await until(lambda: stack.pool.fetchval(sql), sql, seconds=seconds)


def _number(n: int) -> str:
    return f"7916{n:07d}"


async def test_calls_of_an_outage_reach_the_crm_once_though_workers_are_killed(stack: Stack) -> None:
    now = datetime.now(UTC)
    async with serving(FakeRingostat()) as ringostat:
        for n in range(CALLS):
            at = now - timedelta(hours=3, seconds=-n)
            ringostat.call(f"missed-{n}", at, caller=_number(n), line=LINE)
        for n in range(0, CALLS, 4):  # every fourth client was called back
            ringostat.call(
                f"returned-{n}",
                now - timedelta(hours=2, seconds=-n),
                caller=_number(n),
                line=LINE,
                kind="out",
                status="ANSWERED",
                talk=60,
                employee="103",
            )
        await stack.pool.execute(
            "UPDATE connection SET settings = $1, created_at = now() - interval '1 day' WHERE name = 'ringostat'",
            {"base_url": ringostat.url, "reconcile": True},
        )
        await _until(stack, "SELECT count(*) > 0 FROM inbox")
        for name in ("worker0", "worker1"):
            stack.process(name).kill()
            stack.process(name).start()
        await _until(stack, f"SELECT count(*) = {CALLS + CALLS // 4} FROM inbox")
        await stack.until_idle()

    assert {n: len(await stack.rows("contact", phone=_number(n))) for n in range(CALLS)} == dict.fromkeys(
        range(CALLS), 1
    )
    cases = await stack.pool.fetch("SELECT client FROM missed_case WHERE state = 'open'")
    assert {r["client"] for r in cases} == {f"+{_number(n)}" for n in range(CALLS) if n % 4}
    assert await stack.busiest_second() <= 7

    status = (await stack.api("GET", f"/v1/accounts/{ACCOUNT}/status"))["status"]
    told = next(c for c in status["connections"] if c["name"] == "ringostat")["reconciliation"]
    assert told["error"] is None
