"""One account of the CRM connected under two names is told to whoever does it, and by `check`."""

from __future__ import annotations

import asyncpg
import pytest

from crm.sandbox.server import Sandbox
from crm.store.metadata import connected_twice
from gateway.admin.connect_crm import NewAccount, connect_account
from gateway.health.checks import check_all
from gateway.settings import Settings
from gateway.store.admin.accounts import set_account_state


@pytest.mark.parametrize("other", ["127.0.0.1", "localhost"])
async def test_the_same_crm_under_a_second_name_is_told_until_one_of_them_is_switched_off(
    pool: asyncpg.Pool, database_url: str, other: str
) -> None:
    async with Sandbox(contacts=1) as sandbox:
        first = NewAccount(
            id="one", name="One", base_url=sandbox.url, long_lived_token=sandbox.token("first")
        )
        url = sandbox.url.replace("127.0.0.1", other)
        second = NewAccount(id="two", name="Two", base_url=url, long_lived_token=sandbox.token("second"))
        assert "already" not in " ".join((await connect_account(pool, first, None))["say"])
        assert "connected as 'one' already" in " ".join((await connect_account(pool, second, None))["say"])
        found = await check_all(Settings(database_url=database_url))
        assert "crm-connected-twice" in {finding.code for finding in found}
        async with pool.acquire() as conn, conn.transaction():
            await set_account_state(conn, "two", "off", "not needed")
            assert await connected_twice(conn) == []
