"""An installation with many accounts, every one another view of the same sandbox, and what they cost."""

from __future__ import annotations

from collections import Counter

import asyncpg

from crm.amocrm.store import store_long_lived_token
from gateway.calls.queue import connections_of_queue
from gateway.serve import GATEWAY_POOL, worker_pool_size
from gateway.settings import Settings
from gateway.store.admin import accounts
from tests.e2e.stack import ACCOUNT, Stack


async def add_accounts(stack: Stack, count: int) -> None:
    """So many altogether, switched on like the first: tenant-1, tenant-2 …"""
    first = await stack.pool.fetchrow("SELECT * FROM account WHERE account_id = $1", ACCOUNT)
    token = await stack.pool.fetchval("SELECT access_token FROM crm_token WHERE account_id = $1", ACCOUNT)
    assert first is not None
    for n in range(1, count):
        async with stack.pool.acquire() as conn, conn.transaction():
            name = f"tenant-{n}"
            await accounts.add_account(conn, account_id=name, name=name, base_url=first["base_url"])
            await store_long_lived_token(conn, name, token)
            await accounts.add_connection(conn, account_id=name, name=name, kind="generic", secret="demo")


def most_sessions(*, gateways: int, workers: int) -> Counter[str]:
    """What processes take at most, by what it is for, whatever the number of accounts."""
    concurrency = Settings.model_fields["worker_concurrency"].default
    return Counter(
        {
            "callmatrix gateway": gateways * GATEWAY_POOL,
            "callmatrix worker": workers * worker_pool_size(concurrency),
            "callmatrix jobs": workers * connections_of_queue(concurrency),
            "callmatrix listen": gateways + workers,
            "callmatrix lease": workers,
        }
    )


async def sessions(pool: asyncpg.Pool) -> Counter[str]:
    """Sessions of the server by what they are for, but those of `pool` itself."""
    rows = await pool.fetch(
        "SELECT application_name AS name, count(*) AS n FROM pg_stat_activity WHERE backend_type = 'client backend'"
        " AND application_name <> current_setting('application_name') GROUP BY 1"
    )
    return Counter({r["name"]: r["n"] for r in rows})


async def served(pool: asyncpg.Pool) -> int:
    """How many accounts a worker serves."""
    found: int = await pool.fetchval(
        "SELECT count(*) FROM worker_report WHERE report = 'crm' AND at > now() - interval '10 seconds'"
    )
    return found
