"""A deal that makes a trigger fire again and again is an alarm, once, which names both."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from gateway.alerts.watch import look
from gateway.settings import Settings
from gateway.store.triggers.circles import circles_lately
from tests.integration.triggers.office import ACCOUNT, Office, call_back


@pytest.fixture
async def office(pool: asyncpg.Pool) -> Office:
    made = Office(pool)
    await made.open(call_back())
    await made.deal()
    return made


async def test_the_sixth_time_within_an_hour_is_told_once_to_people(
    office: Office, database_url: str
) -> None:
    settings = Settings(database_url=database_url, alert_emails="ops@example.com")
    await _go_round(office, 5)
    assert await _told(office, settings) == []
    await _go_round(office, 2)
    for _ in range(2):
        told = await _told(office, settings)
    assert [row["kind"] for row in told] == ["trigger-circles"]
    assert "Триггер «t» остановлен" in told[0]["body"]
    assert "последняя: 7." in told[0]["body"]


async def test_after_a_calm_hour_there_is_no_circle_any_more(office: Office) -> None:
    await _go_round(office, 6)
    async with office.pool.acquire() as conn:
        circle = (await circles_lately(conn))[ACCOUNT]
        assert (circle.trigger, circle.deal_id, circle.deals) == ("t", "7", 1)
        await conn.execute("UPDATE firing SET created_at = created_at - interval '61 minutes'")
        assert await circles_lately(conn) == {}


async def _go_round(office: Office, times: int) -> None:
    for _ in range(times):
        await office.moved()
        await office.moved("20", "10")


async def _told(office: Office, settings: Settings) -> list[asyncpg.Record]:
    await look(office.pool, settings, timedelta(0))
    found: list[asyncpg.Record] = await office.pool.fetch(
        "SELECT kind, body FROM alert_message WHERE account_id = $1 AND kind = 'trigger-circles'", ACCOUNT
    )
    return found
