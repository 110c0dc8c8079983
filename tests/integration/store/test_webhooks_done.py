"""What was taken over of the CRM's webhooks is counted, and what was refused keeps its reason."""

from __future__ import annotations

import asyncpg

from gateway.store.admin import accounts
from gateway.store.crm_accounts.webhooks import webhooks_done


async def test_taken_and_refused_webhooks_are_counted_and_the_last_refusal_is_kept(
    pool: asyncpg.Pool,
) -> None:
    async with pool.acquire() as conn:
        await accounts.add_account(conn, account_id="a", name="A", base_url="http://crm.example")
        await webhooks_done(conn, "a", {1: None, 2: "leads.0.id: an id expected", 3: None})
        await webhooks_done(conn, "a", {4: None})
        seen = await conn.fetchrow("SELECT * FROM crm_webhook_seen WHERE account_id = 'a'")
    assert seen is not None
    assert (seen["applied"], seen["refused"], seen["last_refusal"]) == (3, 1, "leads.0.id: an id expected")
    assert seen["last_refused_at"] is not None
