"""Templates are checked again when what they name goes: nobody finds out by waiting for deals."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from crm.store.metadata import store_pipelines
from gateway.health.account_checks import account_findings
from gateway.health.daily_checks import DailyChecks
from gateway.health.findings import in_words
from gateway.health.status import installation_status
from gateway.store.admin.schedules import remove_schedule, save_schedule
from gateway.store.admin.staff import replace_staff
from gateway.texts.sentences import TEXTS
from routing.distribution.template import TemplateGroup, TemplateHours
from routing.schedules.model import Schedule, WorkPlan
from runtime.database.listen import Listener
from tests.integration.distribution.shop import ACCOUNT, ANNA, BOSS, PIPELINE, VERA, Shop, turn
from tests.waiting import until


async def _said(shop: Shop) -> list[tuple[str, str]]:
    """(code, words in Russian and English) of what is found about templates."""
    status = await installation_status(shop.pool, datetime.now(UTC))
    found = [
        f for f in account_findings(status.accounts[0], datetime.now(UTC)) if f.code.startswith("templates-")
    ]
    return [
        (f.code, " ".join((w := in_words(f, TEXTS[lang])).message + w.remedy for lang in ("ru", "en")))
        for f in found
    ]


async def _person_leaves(shop: Shop) -> None:
    async with shop.pool.acquire() as conn, conn.transaction():
        await replace_staff(conn, ACCOUNT, [ANNA, VERA, BOSS])


async def _schedule_goes(shop: Shop) -> None:
    async with shop.pool.acquire() as conn:
        await remove_schedule(conn, ACCOUNT, "shifts")


async def _stage_goes(shop: Shop) -> None:
    left = tuple(s for s in PIPELINE.stages if s.id != "20")
    async with shop.pool.acquire() as conn:
        await store_pipelines(conn, ACCOUNT, [replace(PIPELINE, stages=left)])


async def _group_empties(shop: Shop) -> None:
    others = [p.model_copy(update={"group": "service"}) for p in (ANNA, VERA)]
    async with shop.pool.acquire() as conn, conn.transaction():
        await replace_staff(conn, ACCOUNT, [*others, BOSS])


@pytest.mark.parametrize(
    ("goes", "code", "words"),
    [
        (_person_leaves, "templates-errors", ("«t»", "boris")),
        (_schedule_goes, "templates-errors", ("«t»", "shifts")),
        (_stage_goes, "templates-warnings", ("«t»", "1/20")),
        (_group_empties, "templates-warnings", ("«t»", "sales")),
    ],
)
async def test_what_a_template_names_and_is_gone_is_found_at_once(
    shop: Shop,
    database_url: str,
    goes: Callable[[Shop], Awaitable[None]],
    code: str,
    words: tuple[str, ...],
) -> None:
    async with shop.pool.acquire() as conn:
        await save_schedule(conn, ACCOUNT, "shifts", Schedule(everybody=WorkPlan()), by="test")
    if goes is _group_empties:
        await shop.serve(
            turn().model_copy(update={"employees": (), "groups": (TemplateGroup(name="sales"),)})
        )
    else:
        await shop.serve(turn(working_time=TemplateHours(mode="individual", schedule="shifts")))
    listener = Listener(database_url)
    running = asyncio.gather(DailyChecks(shop.pool, listener).run(), listener.run())
    try:

        async def is_checked() -> bool:
            return bool(
                await shop.pool.fetchval(
                    "SELECT count(*) FROM worker_report WHERE report = 'template_checks'"
                )
            )

        await until(is_checked, "templates are checked")
        assert await _said(shop) == []
        await goes(shop)

        async def is_found() -> bool:
            return bool(await _said(shop))

        await until(is_found, "what is gone is found")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    [(found, said)] = await _said(shop)
    assert found == code
    assert all(word in said for word in words), said
