"""Triggers are checked again when what they name goes: nobody finds out by clients who are not called."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import asyncpg

from crm.store.metadata import store_fields, store_pipelines
from gateway.admin.campaigns.commands import command_campaign
from gateway.admin.campaigns.saved import make_campaign
from gateway.admin.triggers.saved import save_trigger
from gateway.health.account_checks import account_findings
from gateway.health.daily_checks import DailyChecks
from gateway.health.findings import in_words
from gateway.health.status import installation_status
from gateway.store.admin import accounts
from gateway.store.admin.staff import replace_staff
from gateway.texts.sentences import TEXTS
from routing.staff import Employee
from runtime.database.listen import Listener
from tests.integration.campaigns.scene import adds, settings
from tests.integration.distribution.shop import PIPELINE
from tests.integration.triggers.office import ACCOUNT, Office, call_back
from tests.waiting import until

ANNA = Employee(id="anna", name="Anna", crm_user_id="11", extensions=("101",))
CALL_ANNA = call_back(
    action={"do": "callback", "connection": "main", "target": {"kind": "employee", "employee_id": "anna"}},
    conditions=[{"of": "deal.cf_5", "test": "above", "values": ["10"]}],
)


async def _found(pool: asyncpg.Pool) -> list[tuple[str, str]]:
    status = await installation_status(pool, datetime.now(UTC))
    found = account_findings(status.accounts[0], datetime.now(UTC))
    said = [(f.code, in_words(f, TEXTS["en"])) for f in found if f.code.startswith("triggers-")]
    return [(code, f"{words.message}; {words.remedy}") for code, words in said]


async def test_what_a_trigger_names_and_is_gone_is_found_at_once(
    pool: asyncpg.Pool, database_url: str
) -> None:
    office = Office(pool)
    await office.open()
    async with pool.acquire() as conn:
        await replace_staff(conn, ACCOUNT, [ANNA])
        await accounts.add_connection(conn, account_id=ACCOUNT, name="main", kind="generic", secret="s")
        assert (await save_trigger(conn, ACCOUNT, CALL_ANNA, by="test")).warnings == []
    listener = Listener(database_url)
    running = asyncio.gather(DailyChecks(pool, listener).run(), listener.run())

    async def told(words: str) -> None:
        async def is_told() -> bool:
            return any(words in said for _, said in await _found(pool))

        await until(is_told, words)

    async def is_checked() -> bool:
        return bool(await pool.fetchval("SELECT count(*) FROM worker_report WHERE report = 'trigger_checks'"))

    try:
        await until(is_checked, "triggers are checked")
        assert await _found(pool) == []
        async with pool.acquire() as conn:
            await replace_staff(conn, ACCOUNT, [ANNA.model_copy(update={"extensions": ()})])
        await told("“t”: Anna has no extension")
        async with pool.acquire() as conn:
            await accounts.remove_connection(conn, "main")
        await told("2 errors")
        async with pool.acquire() as conn:
            await store_fields(conn, ACCOUNT, "deal", [])
            left = tuple(s for s in PIPELINE.stages if s.id != "20")
            await store_pipelines(conn, ACCOUNT, [replace(PIPELINE, stages=left)])
        await told("3 errors")
        await office.save(CALL_ANNA.model_copy(update={"is_on": False}))

        async def is_quiet() -> bool:
            return await _found(pool) == []

        await until(is_quiet, "what is off is nobody's worry")
        await office.save(adds("c").model_copy(update={"stage_id": None}))
        await told("There is no campaign «spring»")
        async with pool.acquire() as conn:
            await accounts.add_connection(conn, account_id=ACCOUNT, name="main", kind="generic", secret="s")
            await make_campaign(conn, ACCOUNT, "spring", settings(target={"kind": "responsible"}), by="test")
        await until(is_quiet, "the campaign is there")
        async with pool.acquire() as conn:
            await command_campaign(conn, ACCOUNT, "spring", "finish")
        await told("Campaign «spring» has finished")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
