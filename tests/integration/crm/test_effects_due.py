"""A writer is woken for what nobody told it of, and for nothing else; one question serves all accounts."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

import asyncpg
import pytest

from gateway.crm_accounts.effects_due import EffectsDue
from gateway.store.admin import accounts
from runtime.database.pool import set_codecs

ALL = ("calm", "waits", "unknown", "later", "again-later", "of-another-system", "held", "runs", "sent")
DUE = ["waits", "unknown", "runs"]


@pytest.fixture
async def installation(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn:
        for name in ALL:
            await accounts.add_account(conn, account_id=name, name=name, base_url="http://127.0.0.1:1")
        for account_id, system, state, not_before, next_try in (
            ("waits", "crm", "waiting", None, None),
            ("unknown", "crm", "unknown", None, "-1 second"),
            ("later", "crm", "waiting", "1 hour", None),
            ("again-later", "crm", "waiting", None, "1 hour"),
            ("of-another-system", "sms", "waiting", None, None),
            ("held", "crm", "held", None, None),
            ("sent", "crm", "done", None, None),
        ):
            await conn.execute(
                'INSERT INTO effect (account_id, effect_key, decision_id, client, lane, what, "order", state, system,'
                " not_before, next_try_at) VALUES ($1, 'k', 'd', '+7', 2, 'create_task', '{}', $2, $3,"
                " now() + $4::text::interval, now() + $5::text::interval)",
                account_id,
                state,
                system,
                not_before,
                next_try,
            )
        await conn.execute(
            "INSERT INTO backfill_run (account_id, run_id, state, since, until, preview, calls_total, started_at)"
            " VALUES ('runs', 'r', 'running', now(), now(), '{}', 1, now())"
        )


async def test_only_accounts_with_something_due_are_woken_and_one_question_finds_them(
    pool: asyncpg.Pool, database_url: str, installation: None
) -> None:
    asked: list[str] = []

    async def prepare(conn: asyncpg.Connection) -> None:
        await set_codecs(conn)
        conn.add_query_logger(lambda record: asked.append(record.query))

    woken: list[str] = []
    async with asyncpg.create_pool(database_url, min_size=1, max_size=1, init=prepare) as counted:
        due = EffectsDue(counted)
        await due.look()
        assert asked == [], "no account is served"
        with due.served("waits", lambda: woken.append("waits")):
            await due.look()
        assert woken == ["waits"]
        await _serve_all(due, woken)
    assert sorted(woken) == sorted(DUE)
    assert len([query for query in asked if "FROM effect" in query]) == 2


async def _serve_all(due: EffectsDue, woken: list[str]) -> None:
    woken.clear()
    with ExitStack() as served:
        for account_id in ALL:
            served.enter_context(due.served(account_id, partial(woken.append, account_id)))
        await due.look()
    await due.look()
