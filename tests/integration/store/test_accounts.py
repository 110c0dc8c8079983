"""Accounts as they stand in a real PostgreSQL."""

from __future__ import annotations

import asyncpg

from gateway.store.admin.accounts import account, add_account, save_settings
from routing.settings import AccountSettings, CallPolicy


async def test_settings_of_a_newer_program_stop_no_older_one(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn:
        await add_account(conn, account_id="acme", name="Acme", base_url="http://crm.example")
        await save_settings(conn, "acme", AccountSettings(calls=CallPolicy(settle_seconds=3)))
        await conn.execute(
            "UPDATE account SET settings = jsonb_set(settings || $2, '{calls,newer}', '1') WHERE account_id = $1",
            "acme",
            {"newer": {"nested": 1}},
        )
        read = (await account(conn, "acme")).settings
    assert read.calls == CallPolicy(settle_seconds=3)
