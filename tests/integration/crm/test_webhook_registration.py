"""Our webhook in the CRM is looked after: deleted, switched off or narrowed, it is registered again, and that is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from crm.errors import CrmForbidden, CrmRefused
from crm.lane import Lane
from crm.port import CrmWebhook
from crm.store.cursors import read_cursor
from crm.sync.hooks import FEED, look_after_webhook
from crm.sync.sync import Sync
from routing.settings import NumberPolicy
from tests.fakes.crm import FakeCrm
from tests.integration.crm.sync_bench import Clock, contact
from tests.integration.crm.test_unread_rows import Odd, odd  # noqa: F401

HERE = "https://calls.example.com/crm/a/webhooks/secret"
OTHER = CrmWebhook(destination="https://other.example.com")


@pytest.mark.parametrize(
    ("hook", "was"),
    [
        (None, "deleted"),
        (CrmWebhook(destination=HERE, is_disabled=True), "disabled"),
        (CrmWebhook(destination=HERE, lacks=frozenset(("add_lead",))), "narrowed"),
        (CrmWebhook(destination=HERE), None),
    ],
)
async def test_a_webhook_that_does_not_work_any_more_is_registered_again(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, hook: CrmWebhook | None, was: str | None
) -> None:
    crm.hooks = {hook.destination: hook} if hook else {OTHER.destination: OTHER}
    assert await look_after_webhook(sync.source, HERE, Lane.BACKFILL) == was
    assert crm.hooks[HERE] == CrmWebhook(destination=HERE)
    assert crm.count("register_webhook") == (was is not None)
    assert {asked.lane for asked in crm.requests} == {Lane.BACKFILL}
    async with pool.acquire() as conn:
        assert (await read_cursor(conn, "a", FEED)).get("was") == was
    assert await look_after_webhook(sync.source, HERE, Lane.BACKFILL) is None
    async with pool.acquire() as conn:
        assert (await read_cursor(conn, "a", FEED)).get("was") == was  # is told for a while


async def test_where_the_key_may_not_look_nothing_fails(sync: Sync, crm: FakeCrm) -> None:
    crm.fail("webhooks", CrmForbidden("not for you"))
    assert await look_after_webhook(sync.source, HERE, Lane.BACKFILL) is None


async def test_a_webhook_that_stays_off_is_a_failure(sync: Sync, crm: FakeCrm) -> None:
    crm.hooks[HERE] = CrmWebhook(destination=HERE, is_disabled=True)

    async def keeps_it_off(destination: str, lane: Lane) -> None:
        crm.hooks[destination] = replace(crm.hooks[destination], is_disabled=True)

    crm.register_webhook = keeps_it_off  # type: ignore[method-assign]
    with pytest.raises(CrmRefused, match="disabled"):
        await look_after_webhook(sync.source, HERE, Lane.BACKFILL)


async def test_amocrms_own_list_tells_a_webhook_that_was_deleted(odd: Odd) -> None:  # noqa: F811
    assert await look_after_webhook(odd.sync.source, HERE, Lane.BACKFILL) == "deleted"
    assert await look_after_webhook(odd.sync.source, HERE, Lane.BACKFILL) is None


async def test_news_that_no_webhook_told_makes_us_look_before_time(
    crm: FakeCrm, clock: Clock, pool: asyncpg.Pool, account: str
) -> None:
    sync = Sync(crm, pool, account, NumberPolicy(), now=clock, poll_seconds=0.05, webhook=HERE)
    crm.seed(contact(1))
    await sync.load()
    await sync.poll_once()
    running = asyncio.create_task(sync.run())
    try:
        async with asyncio.timeout(10):
            while HERE not in crm.hooks:  # the first look
                await asyncio.sleep(0.02)
            del crm.hooks[HERE]
            sync._webhook_looked_at -= 120
            crm.seed(contact(1, owner_id="12", updated_at=clock.tick(120)))
            while HERE not in crm.hooks:
                await asyncio.sleep(0.02)
    finally:
        running.cancel()
