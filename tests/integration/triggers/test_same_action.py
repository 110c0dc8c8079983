"""Whoever applies a trigger to the deals of a stage rings nobody whom it is ringing anyway."""

from __future__ import annotations

from datetime import UTC, datetime

import asyncpg
import pytest

from gateway.store.triggers.firings import add_firing
from routing.triggers.causes import applied
from tests.integration.triggers.office import ACCOUNT, Office, call_back


@pytest.fixture
async def office(pool: asyncpg.Pool) -> Office:
    made = Office(pool)
    await made.open(call_back())
    await made.deal()
    return made


async def test_what_is_applied_to_a_deal_that_has_just_fired_goes_out_once(office: Office) -> None:
    await office.moved()
    await _press(office, "p1")
    assert await office.reasons() == ["fires", "same_action_lately"]


async def test_an_entrance_that_is_told_after_the_press_goes_out_once(office: Office) -> None:
    await _press(office, "p1")
    await office.moved()
    assert await office.reasons() == ["fires", "same_action_lately"]


async def test_what_still_waits_is_not_put_into_the_queue_by_a_later_press(office: Office) -> None:
    await _press(office, "p1")
    await _an_hour_passes(office)
    await _press(office, "p2")
    assert await office.reasons() == ["fires", "same_action_lately"]


async def test_what_went_out_long_ago_is_applied_again(office: Office) -> None:
    await _press(office, "p1")
    await office.pool.execute("UPDATE outbound_item SET state = 'succeeded', ended_at = now()")
    await _an_hour_passes(office)
    await _press(office, "p2")
    assert await office.reasons() == ["fires", "fires"]


async def _press(office: Office, id: str) -> None:
    async with office.pool.acquire() as conn, conn.transaction():
        assert await add_firing(
            conn, ACCOUNT, ("t", 1), "7", applied(id), source="apply", happened_at=datetime.now(UTC)
        )
    await office.reader.turn()


async def _an_hour_passes(office: Office) -> None:
    await office.pool.execute("UPDATE outbound_item SET created_at = created_at - interval '1 hour'")
    await office.pool.execute("UPDATE firing SET created_at = created_at - interval '1 hour'")
