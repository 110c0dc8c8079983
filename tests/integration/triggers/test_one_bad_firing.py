"""A firing that cannot be decided holds up no other, and ends with a reason."""

from __future__ import annotations

import asyncpg
import pytest

from tests.integration.triggers.office import Office, call_back


@pytest.fixture
async def office(pool: asyncpg.Pool) -> Office:
    made = Office(pool)
    await made.open(call_back())
    for id in ("7", "8"):
        await made.deal(id)
    await made.moved(id="7", work=False)
    await made.job.run("office", "deal:7")
    await made.pool.execute("UPDATE firing SET cause = cause || '{\"what_a_newer_version_knows\": 1}'")
    return made


async def test_a_firing_that_cannot_be_decided_holds_up_no_other(office: Office) -> None:
    await office.moved(id="8")
    rows = await office.pool.fetch("SELECT deal_id, state, tries FROM firing ORDER BY deal_id")
    assert [(row["deal_id"], row["state"], row["tries"]) for row in rows] == [
        ("7", "reading", 1),
        ("8", "queued", 1),
    ]
    assert await office.pool.fetchval("SELECT next_try_at > now() FROM firing WHERE deal_id = '7'")


async def test_after_a_day_it_is_given_up_with_its_reason(office: Office) -> None:
    await office.pool.execute("UPDATE firing SET created_at = created_at - interval '25 hours'")
    await office.reader.turn()
    assert await office.reasons() == ["not_decided"]
    assert await office.pool.fetchval("SELECT state FROM firing") == "failed"
