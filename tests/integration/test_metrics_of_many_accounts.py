"""The figures of the metrics cost the same number of queries, however many accounts there are."""

from __future__ import annotations

from datetime import UTC, datetime

import asyncpg

from gateway.crm_accounts.account_reports import AccountReports
from gateway.health.shared_metrics import SharedFigures
from gateway.health.status import installation_status
from gateway.store.admin import accounts
from runtime.database.pool import set_codecs


async def _add_accounts(pool: asyncpg.Pool, first: int, last: int) -> None:
    async with pool.acquire() as conn:
        for n in range(first, last):
            await accounts.add_account(conn, account_id=f"a{n}", name=f"A{n}", base_url="http://127.0.0.1:9")
            await accounts.add_connection(
                conn, account_id=f"a{n}", name=f"pbx{n}", kind="generic", secret="s", lines=()
            )


async def test_a_turn_of_the_metrics_asks_as_much_with_a_hundred_accounts_as_with_one(
    pool: asyncpg.Pool, database_url: str
) -> None:
    asked: list[str] = []

    def note(record: asyncpg.connection.LoggedQuery) -> None:
        asked.append(record.query)

    async def prepare(conn: asyncpg.Connection) -> None:
        await set_codecs(conn)
        conn.add_query_logger(note)

    async with asyncpg.create_pool(database_url, min_size=1, max_size=1, init=prepare) as counted:
        figures, reports = SharedFigures(counted), AccountReports(counted)
        counts = []
        for first, last in ((0, 1), (1, 100)):
            await _add_accounts(pool, first, last)
            await figures.read()
            asked.clear()
            await figures.read()
            await installation_status(counted, datetime.now(UTC))
            counts.append(len(asked))
        assert counts[0] == counts[1]
        assert 5 < counts[0] < 50
        assert len([s for s in figures.samples() if s[1] == "account_on"]) == 100
        await _tell(reports, asked)


async def _tell(reports: AccountReports, asked: list[str]) -> None:
    async def figures() -> dict[str, object]:
        return {"at": datetime.now(UTC), "writer": None}

    with reports.served("a1", figures), reports.served("a2", figures), reports.served("a3", figures):
        asked.clear()
        await reports.tell()
        assert len([q for q in asked if "worker_report" in q]) == 1
