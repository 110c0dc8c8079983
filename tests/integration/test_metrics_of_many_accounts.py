"""The figures of the metrics cost the same number of queries, however many accounts there are."""

from __future__ import annotations

from datetime import UTC, datetime

import asyncpg

from crm.effects import backfill
from gateway.crm_accounts.account_reports import AccountReports
from gateway.health.shared_metrics import SharedFigures
from gateway.health.status import installation_status
from gateway.store.admin import accounts
from runtime.database.pool import Conn, set_codecs


async def _add_accounts(pool: asyncpg.Pool, first: int, last: int) -> None:
    async with pool.acquire() as conn:
        for n in range(first, last):
            await accounts.add_account(conn, account_id=f"a{n}", name=f"A{n}", base_url="http://127.0.0.1:9")
            await accounts.add_connection(
                conn, account_id=f"a{n}", name=f"pbx{n}", kind="generic", secret="s", lines=()
            )
            await _add_backfills(conn, f"a{n}", n)


async def _add_backfills(conn: Conn, account_id: str, sent: int) -> None:
    """An earlier run, and a later one of `sent` calls that were sent and one that was not."""
    for run, state, hours in (("first", "done", 0), ("last", "running", 1)):
        await conn.execute(
            "INSERT INTO backfill_run (account_id, run_id, state, since, until, preview, calls_total, started_at)"
            " VALUES ($1, $2, $3, now(), now(), '{}', $4, now() + make_interval(hours => $5))",
            account_id,
            run,
            state,
            sent + 1,
            hours,
        )
    await conn.execute(
        'INSERT INTO effect (account_id, effect_key, decision_id, call_id, client, lane, what, "order", state, system)'
        " SELECT $1, 'k' || n, 'd', 'c' || n, '+7', 3, 'attach_call', '{}',"
        " CASE n WHEN 0 THEN 'held' ELSE 'done' END, 'crm' FROM generate_series(0, $2::int) n",
        account_id,
        sent,
    )
    await conn.execute(
        "INSERT INTO backfill_call (account_id, run_id, call_id, position)"
        " SELECT $1, 'last', 'c' || n, n FROM generate_series(0, $2::int) n",
        account_id,
        sent,
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
        # In each of the two readings: backfills are counted, which takes long with many, and then kept for a while.
        assert abs(counts[0] - counts[1]) <= 4
        assert 5 < counts[0] < 100
        assert len([s for s in figures.samples() if s[1] == "account_on"]) == 100
        await _tell(reports, asked)


async def _tell(reports: AccountReports, asked: list[str]) -> None:
    async def figures() -> dict[str, object]:
        return {"at": datetime.now(UTC), "writer": None}

    with reports.served("a1", figures), reports.served("a2", figures), reports.served("a3", figures):
        asked.clear()
        await reports.tell()
        assert len([q for q in asked if "worker_report" in q]) == 1


async def test_the_backfill_of_each_account_is_counted_as_if_it_were_the_only_one(pool: asyncpg.Pool) -> None:
    await _add_accounts(pool, 0, 20)
    async with pool.acquire() as conn:
        for _ in range(3):  # counted, and told as it was counted last
            together = await backfill.latest_progress(conn, None)
            assert len(together) == 20
            for account_id, progress in together.items():
                assert progress == await backfill.progress(conn, account_id)
                assert progress.run_id == "last"
                assert (progress.calls_settled, progress.effects_open) == (int(account_id[1:]), 1)
        assert set(await backfill.latest_progress(conn, ["a3"])) == {"a3"}
        await pool.execute("UPDATE effect SET state = 'done' WHERE account_id = 'a3'")
        await pool.execute("UPDATE backfill_run SET counted_until = now() WHERE account_id = 'a3'")
        assert (await backfill.latest_progress(conn, None))["a3"].effects_open == 0
