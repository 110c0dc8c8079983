"""However long the journal, questions to it read few pages and no table from end to end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial

import asyncpg

from gateway.store.admin import personal_data
from tests.bench.journal_questions import (
    read_questions,
    ready,
    run_job,
    sample_of,
    tell_missed_call,
    upkeep_questions,
    work_questions,
)
from tests.bench.journal_rows import BIG, OFTEN, TABLES, JournalSize, fill_journal, order_effects
from tests.integration.store.watched_plans import WatchedPlans

_SIZE = JournalSize(calls=8_000, effects=8_000, cases=4_000, open_cases=50)
_MOST_PAGES = 300


def _told(plans: WatchedPlans, most_pages: int = _MOST_PAGES) -> list[str]:
    """What reads more than it should."""
    return [
        f"{plan.pages} pages, all of {sorted(plan.scanned) or 'nothing'}: {plan.sql}"
        for plan in plans.take()
        if (plan.scanned.intersection(TABLES) or plan.pages > most_pages)
    ]


async def _read_whole(pool: asyncpg.Pool) -> dict[str, list[str]]:
    """Tables that emptying reads from end to end in a session that has done it often: PostgreSQL plans for any values then."""
    before = datetime(2018, 1, 1, tzinfo=UTC)
    found: dict[str, list[str]] = {}
    every: dict[str, Callable[..., Awaitable[int]]] = {
        "calls": partial(personal_data.empty_calls, fields=frozenset({"number"})),
        "decisions": personal_data.drop_decisions,
        "effects": personal_data.empty_effects,
        "cases": personal_data.empty_cases,
        "raw": personal_data.empty_raw,
    }
    for name, empty in every.items():
        async with pool.acquire() as conn, conn.transaction():
            await conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            assert await empty(conn, BIG, before, limit=5000) == 0
            rows = await conn.fetch(
                "SELECT relname FROM pg_stat_xact_user_tables WHERE seq_scan > 0 AND relname = ANY($1)",
                list(TABLES),
            )
        if rows:
            found[name] = [row["relname"] for row in rows]
    return found


async def test_nobody_who_asks_waits_for_the_length_of_the_journal(pool: asyncpg.Pool) -> None:
    await fill_journal(pool, _SIZE)
    plans, wrong = WatchedPlans(pool), {}
    sample = await sample_of(pool, _SIZE.calls)
    for name, question in {**read_questions(sample), **work_questions(), **upkeep_questions()}.items():
        await question(plans)
        assert plans.seen, f"{name}: nothing was seen"
        wrong[name] = _told(plans)
    async with pool.acquire() as conn:
        await tell_missed_call(conn, OFTEN, "new")
    await run_job(plans, OFTEN)
    wrong["job of who called most"] = _told(plans)
    assert await pool.fetchval("SELECT count(*) FROM missed_case WHERE client = $1 AND state = 'open'", OFTEN)
    async with pool.acquire() as conn:
        await order_effects(conn, 100)
    assert await ready()(plans)
    wrong["writer: what is ready of some that wait"] = _told(plans, 600)
    assert not {name: told for name, told in wrong.items() if told}
    assert await _read_whole(pool) == {}


async def test_a_table_that_is_read_from_end_to_end_is_seen(pool: asyncpg.Pool) -> None:
    plans = WatchedPlans(pool)
    await plans.fetch("SELECT count(*) FROM call WHERE account_id = $1 AND line = 'x'", BIG)
    assert _told(plans)
