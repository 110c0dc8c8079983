"""Text that no database takes, from whoever: it costs itself only, is counted and shown, and the account's work goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from crm.effects.order import order
from crm.lane import Lane
from gateway.crm_accounts.webhook_inbox import WebhookIntake
from routing.effects import CreateContact, Effect
from tests.integration.crm.running_worker import ACCOUNT, CrmSite, crm_site

NUL_IN_VALUE = b"leads[add][0][id]=777777&leads[add][0][name]=a%00b&leads[add][0][status_id]=1&leads[add][0][pipeline_id]=1"
NUL_IN_KEY = b"a]%00[b=1"
NUL_RAW = b"leads[add][0][id]=77\x007778&leads[add][0][na\x00me]=a"
HALF_LETTER = (
    b"contacts[update][0][id]=5&contacts[update][0][name]=%ED%A0%80&contacts[update][0][type]=contact"
)
TOO_LONG_TAG = b"leads[update][0][id]=9&leads[update][0][tags][0][name]=" + b"".join(
    b"%02x" % (i % 251) for i in range(9000)
)
_WRITTEN = "SELECT state = 'done' FROM effect WHERE effect_key = $1"


@pytest.fixture
async def site(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[CrmSite]:
    async with crm_site(pool, database_url) as made:
        await made.connect()
        yield made


async def _order(site: CrmSite, key: str) -> None:
    effect = Effect(key=key, order=CreateContact(name="Клиент", number="+79165550000", owner_id=None))
    async with site.pool.acquire() as conn, conn.transaction():
        await order(
            conn,
            account_id=ACCOUNT,
            decision_id="d",
            call_id=None,
            client="+79165550000",
            lane=Lane.EVENTS,
            effects=[effect],
            held=False,
        )


@pytest.mark.parametrize("body", [NUL_IN_VALUE, NUL_IN_KEY, NUL_RAW, HALF_LETTER, TOO_LONG_TAG])
async def test_a_webhook_with_such_text_stops_nothing(site: CrmSite, body: bytes) -> None:
    intake = WebhookIntake(site.pool)
    async with site.worker():
        await intake.keep(ACCOUNT, body)
        await intake.keep(ACCOUNT, b"leads[delete][0][id]=1")
        await site.until("SELECT NOT EXISTS (SELECT 1 FROM crm_webhook WHERE aside_at IS NULL)")
        await _order(site, "k")
        await site.until(_WRITTEN, "k")


async def test_a_webhook_that_the_database_refuses_is_set_aside_and_its_neighbours_are_taken(
    site: CrmSite,
) -> None:
    await site.pool.execute(
        "ALTER TABLE directory_reread ADD CHECK (entity_id <> '13')"  # what no adapter foresees
    )
    intake = WebhookIntake(site.pool)
    for id in (b"12", b"13", b"14"):
        await intake.keep(ACCOUNT, b"leads[add][0][id]=%b&leads[add][0][status_id]=1" % id)
    async with site.worker():
        await site.until("SELECT applied = 2 FROM crm_webhook_seen")
        await site.until("SELECT aside_at IS NOT NULL FROM crm_webhook")
        error = await site.value("SELECT error FROM crm_webhook")
        assert "CheckViolation" in error
        assert "Failing row contains (***)" in error
        await _order(site, "k")
        await site.until(_WRITTEN, "k")


async def test_a_row_that_the_database_refuses_is_noted_and_its_page_is_taken(site: CrmSite) -> None:
    await site.pool.execute("ALTER TABLE directory_entity ADD CHECK (name <> 'Пётр Отказов')")
    for name in ("before", "Пётр Отказов", "after"):
        headers = {"Authorization": f"Bearer {site.sandbox.token()}"}
        address = f"{site.sandbox.url}/api/v4/contacts"
        async with site.http.post(address, json=[{"name": name}], headers=headers) as response:
            assert response.status == 200
    async with site.worker():
        await site.until("SELECT count(*) = 2 FROM directory_entity WHERE name IN ('before', 'after')")
        await site.until("SELECT why LIKE '%cannot be stored%' FROM crm_unread WHERE is_lost")
        assert "Отказов" not in await site.value("SELECT why FROM crm_unread WHERE is_lost")
        await _order(site, "k")
        await site.until(_WRITTEN, "k")
