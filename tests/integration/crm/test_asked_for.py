"""Whoever asks for the CRM's data anew is given its users too, at once and not with the next poll."""

from __future__ import annotations

import asyncpg

from gateway.admin.load_directory import ask_for_sync
from tests.integration.crm.running_worker import ACCOUNT, crm_site

USERS = "SELECT count(*) FROM crm_user WHERE account_id = $1 AND user_id <> 'gone'"


async def test_a_refresh_reads_the_users_soon(pool: asyncpg.Pool, database_url: str) -> None:
    async with crm_site(pool, database_url) as site:
        await site.connect()
        async with site.worker():
            agreed = "SELECT loaded_at IS NOT NULL FROM directory_state WHERE account_id = $1"
            await site.until(agreed, ACCOUNT, seconds=60)
            count = await site.value(USERS, ACCOUNT)
            assert count > 0
            await pool.execute("UPDATE crm_user SET name = 'old name' WHERE account_id = $1", ACCOUNT)
            async with pool.acquire() as conn:
                await ask_for_sync(conn, ACCOUNT, is_full=False)
            fresh = f"{USERS} AND name <> 'old name' HAVING count(*) = {count}"
            await site.until(fresh, ACCOUNT, seconds=30)
