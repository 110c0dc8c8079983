"""A worker that stops serving an account, because its lease is lost, goes on telling of the others."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg

from gateway.crm_accounts.account_reports import AccountReports


async def test_an_account_that_is_let_go_of_while_another_is_asked_costs_no_report(
    pool: asyncpg.Pool,
) -> None:
    reports = AccountReports(pool)
    asked, let_go = asyncio.Event(), asyncio.Event()

    async def slow() -> dict[str, Any]:
        asked.set()
        await let_go.wait()
        return {"writer": "slow"}

    async def quick() -> dict[str, Any]:
        return {"writer": "quick"}

    with reports.served("first", slow):
        with reports.served("second", quick):
            telling = asyncio.create_task(reports.tell())
            await asked.wait()
        let_go.set()
        await telling
    told = await pool.fetch("SELECT account_id FROM worker_report WHERE report = 'crm'")
    assert "first" in {row["account_id"] for row in told}
