"""Deals of who is offline pass to those left and come back, on the sandbox with a worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.integration.shift_change.office import POLICY, USERS, Office, office


@pytest.fixture
async def five(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Office]:
    async with office(pool, database_url) as made:
        yield made


async def test_deals_pass_to_those_left_in_even_shares_and_come_back_exactly(five: Office) -> None:
    five.seed(40)
    await five.open()
    async with five.site.worker():
        await five.known()
        await five.leave("anna")
        await five.until_count(anna=0)
        assert five.count() == {"boris": 50, "clara": 50, "denis": 50, "elena": 50}
        await five.until_quiet()
        sent = await five.requests("PATCH", "/api/v4/leads")
        assert len(sent) == 1, "forty deals are one request"
        await five.come("anna")
        await five.until_count(anna=40)
        await five.until_quiet()
    assert five.owners() == five.deals
    rows = await five.pool.fetch(
        "SELECT r.kind, m.state, m.owner_was, count(*) AS n FROM shift_move m JOIN shift_run r USING (account_id, run_id)"
        " GROUP BY 1, 2, 3 ORDER BY 1, 3"
    )
    assert tuple(rows[0]) == ("away", "moved", str(USERS["anna"]), 40)
    assert sum(row["n"] for row in rows if row["kind"] == "return") == 40
    assert await five.pool.fetchval("SELECT count(*) FROM effect WHERE state = 'dead'") == 0
    journal = await five.pool.fetchval("SELECT count(*) FROM distribution_journal WHERE undone_at IS NULL")
    assert journal == 40, "what was given by the template stands in its journal"


async def test_nothing_happens_until_it_is_switched_on(five: Office) -> None:
    five.seed(3)
    await five.open(POLICY.model_copy(update={"is_on": False}))
    async with five.site.worker():
        await five.known()
        await five.leave("anna")
        await asyncio.sleep(5)
    assert five.owners() == five.deals
    assert await five.pool.fetchval("SELECT count(*) FROM shift_run") == 0
