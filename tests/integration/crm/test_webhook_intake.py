"""Webhooks of the CRM that come together: each is kept before it is answered, and none hurts another."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from gateway.crm_accounts.webhook_inbox import WebhookIntake
from gateway.store.crm_accounts.webhooks import next_webhooks


async def kept(pool: asyncpg.Pool) -> list[bytes]:
    async with pool.acquire() as conn:
        return [body for _, body in await next_webhooks(conn, "a", 1000)]


async def test_a_hundred_that_come_together_are_all_kept_in_their_order_with_few_commits(
    pool: asyncpg.Pool, account: str
) -> None:
    intake = WebhookIntake(pool)
    before = await pool.fetchval("SELECT pg_current_xact_id()::text::bigint")
    bodies = [f"leads[add][0][id]={i}".encode() for i in range(100)]
    await asyncio.gather(*(intake.keep("a", body) for body in bodies))
    assert await kept(pool) == bodies
    assert await pool.fetchval("SELECT pg_current_xact_id()::text::bigint") - before < 30


async def test_an_account_that_is_gone_does_not_hurt_its_neighbours(pool: asyncpg.Pool, account: str) -> None:
    intake = WebhookIntake(pool)
    results = await asyncio.gather(
        intake.keep("a", b"first"),
        intake.keep("nobody", b"lost"),
        intake.keep("a", b"second"),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [
        type(None),
        asyncpg.ForeignKeyViolationError,
        type(None),
    ]
    assert await kept(pool) == [b"first", b"second"]


async def test_what_cannot_be_kept_in_time_is_not_said_to_be(pool: asyncpg.Pool, account: str) -> None:
    intake = WebhookIntake(pool, seconds=0.3)
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute("LOCK TABLE crm_webhook IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(TimeoutError):
            await intake.keep("a", b"late")
    await intake.keep("a", b"next")
    assert b"next" in await kept(pool)
