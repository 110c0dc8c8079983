"""One 401 breaks no account; a broken one is asked now and then, and comes back by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from crm.effects.order import order
from crm.lane import Lane
from routing.effects import CreateContact, Effect
from tests.integration.crm.running_worker import ACCOUNT, CrmSite, crm_site

_401 = {"match": {"path": "/api/v4"}, "always": True, "fault": "401"}
_STATE = "SELECT state FROM effect WHERE effect_key = $1"


@pytest.fixture
async def site(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[CrmSite]:
    async with crm_site(pool, database_url) as made:
        await made.connect()
        yield made


async def _order(site: CrmSite, key: str) -> None:
    number = f"+7916555{sum(map(ord, key)):04d}"
    effect = Effect(key=key, order=CreateContact(name="Клиент", number=number, owner_id=None))
    held = await site.value("SELECT state <> 'on' FROM account")
    async with site.pool.acquire() as conn, conn.transaction():
        await order(
            conn,
            account_id=ACCOUNT,
            decision_id="d",
            call_id=None,
            client=number,
            lane=Lane.EVENTS,
            effects=[effect],
            held=held,
        )


async def test_a_key_that_is_refused_once_is_good(site: CrmSite) -> None:
    async with site.worker():
        await site.until("SELECT count(*) > 3 FROM sync_cursor WHERE last_success IS NOT NULL")
        await site.spoil({"match": {"method": "POST"}, "nth": 1, "fault": "401"})
        await _order(site, "a")
        await site.until("SELECT state = 'done' FROM effect WHERE effect_key = 'a'")
        assert await site.value("SELECT state FROM account") == "on"
        assert await site.value("SELECT attempts FROM effect WHERE effect_key = 'a'") == 2


async def test_an_account_comes_back_by_itself_and_what_was_held_waits_for_a_persons_choice(
    site: CrmSite,
) -> None:
    async with site.worker():
        await site.until("SELECT count(*) > 3 FROM sync_cursor WHERE last_success IS NOT NULL")
        await site.spoil(_401)
        await _order(site, "a")
        await site.until("SELECT state = 'broken' FROM account")
        await _order(site, "b")
        assert await site.value(_STATE, "b") == "held"
        await site.spoil()
        await site.until("SELECT state = 'on' FROM account", seconds=40)
        await _order(site, "c")
        await site.until("SELECT state = 'done' FROM effect WHERE effect_key = 'c'", seconds=40)
        assert [await site.value(_STATE, key) for key in "ab"] == ["held", "held"]
        told = await site.pool.fetch(
            "SELECT who_kind, before->>'state' AS before, after->>'state' AS after FROM audit"
            " WHERE what = 'account' AND action = 'switched' AND who_kind = 'program' ORDER BY seq"
        )
        assert [tuple(row) for row in told] == [("program", "on", "broken"), ("program", "broken", "on")]


async def test_users_are_read_as_soon_as_there_is_a_key(pool: asyncpg.Pool, database_url: str) -> None:
    """The worker has found the account before anybody authorised it; its next reading of users would be minutes away."""
    async with crm_site(pool, database_url) as site:
        await site.add()
        async with site.worker():
            await site.until(
                "SELECT last_error LIKE 'crm-unauthorised%' FROM sync_cursor WHERE feed = 'metadata'"
            )
            await site.authorise()
            await site.until("SELECT count(*) > 0 FROM crm_user", seconds=10)
