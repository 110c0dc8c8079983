"""A whole worker against the sandbox: a deal is moved in the CRM by a person, and the CRM has its new responsible."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from crm.sandbox.seed import DEACTIVATED, OPEN_STAGES, PIPELINE, manager
from gateway.admin.distribution.templates import attach, save_template
from gateway.store.admin.staff import replace_staff
from gateway.store.distribution.templates import Attachment
from routing.distribution.template import DistributionTemplate, TemplateMember
from routing.staff import Employee
from tests.integration.crm.running_worker import ACCOUNT, CrmSite, crm_site

STAGE = OPEN_STAGES[2]
ANNA = Employee(id="anna", name="Анна", crm_user_id=str(manager(101)))
BORIS = Employee(id="boris", name="Борис", crm_user_id=str(manager(102)))
GONE = Employee(id="gone", name="Ушла", crm_user_id=str(DEACTIVATED))


@pytest.fixture
async def site(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[CrmSite]:
    async with crm_site(pool, database_url, contacts=12) as opened:
        yield opened


async def _crm(site: CrmSite, method: str, path: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {site.sandbox.token('pages')}"}
    async with site.http.request(
        method, f"{site.sandbox.url}/api/v4/{path}", json=body, headers=headers
    ) as reply:
        assert reply.status < 300, await reply.text()
        return await reply.json(content_type=None)


async def _attach(site: CrmSite, *people: Employee) -> None:
    members = tuple(TemplateMember(employee_id=p.id) for p in people)
    async with site.pool.acquire() as conn:
        await replace_staff(conn, ACCOUNT, people)
        template = DistributionTemplate(name="t", employees=members)
        await save_template(conn, ACCOUNT, template, by="test")
        wanted = Attachment(pipeline_id=str(PIPELINE), stage_id=str(STAGE), template="t")
        await attach(conn, ACCOUNT, wanted, by="test")


async def _move(site: CrmSite, deal: int) -> None:
    await _crm(site, "PATCH", "leads", [{"id": deal, "pipeline_id": PIPELINE, "status_id": STAGE}])


async def _responsible(site: CrmSite, deal: int) -> int:
    return int((await _crm(site, "GET", f"leads/{deal}"))["responsible_user_id"])


async def test_a_deal_that_a_person_moves_in_the_crm_gets_its_responsible_there(site: CrmSite) -> None:
    await site.connect()
    async with site.worker():
        await site.until("SELECT loaded_at FROM directory_state", seconds=40)
        await site.until("SELECT count(*) FROM crm_pipeline", seconds=40)
        await _attach(site, ANNA, BORIS)
        rows = (await _crm(site, "GET", "leads?limit=50"))["_embedded"]["leads"]
        deals = [d["id"] for d in rows if d["pipeline_id"] == PIPELINE and d["status_id"] != STAGE][:2]
        for deal in deals:
            await _move(site, deal)
            await site.until(
                "SELECT 1 FROM distribution_item WHERE entity_id = $1 AND state = 'given' AND is_written",
                str(deal),
                seconds=40,
            )
        owners = [await _responsible(site, deal) for deal in deals]
        assert owners == [manager(101), manager(102)]
        assert await site.value("SELECT count(*) FROM distribution_item") == 2  # ours starts nothing again


async def test_who_was_deactivated_in_the_crm_a_moment_ago_is_passed_over(site: CrmSite) -> None:
    """We take them for active: the CRM has not been asked since."""
    await site.connect()
    async with site.worker():
        await site.until("SELECT loaded_at FROM directory_state", seconds=40)
        await site.until("SELECT count(*) FROM crm_user", seconds=40)
        await site.value("UPDATE crm_user SET is_active = true WHERE user_id = $1", GONE.crm_user_id)
        await _attach(site, GONE, BORIS)
        rows = (await _crm(site, "GET", "leads?limit=50"))["_embedded"]["leads"]
        deal = next(d["id"] for d in rows if d["pipeline_id"] == PIPELINE and d["status_id"] != STAGE)
        await _move(site, deal)
        await site.until(
            "SELECT 1 FROM distribution_item WHERE employee_id = 'boris' AND is_written", seconds=40
        )
        assert await _responsible(site, deal) == manager(102)
        item = await site.pool.fetchrow("SELECT * FROM distribution_item")
        assert item is not None
        assert (item["employee_id"], item["refused"]) == ("boris", ["gone"])
        assert await site.value("SELECT count(*) FROM effect WHERE state = 'dead'") == 0
