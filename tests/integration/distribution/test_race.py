"""A slice of the race of real workers; the whole is `make distribution-race`."""

from __future__ import annotations

import asyncpg
import pytest

from tests.integration.distribution.race import Race


@pytest.mark.timeout(240)
async def test_workers_that_are_killed_lose_no_deal_and_give_none_twice(
    pool: asyncpg.Pool, database_url: str
) -> None:
    outcome = await Race(pool, database_url, deals=200, workers=2, kills=2).run(seconds=200)
    assert outcome.is_right, outcome
