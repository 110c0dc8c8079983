"""Clients for one person only by a tag or a custom field: found in the CRM, honoured by phone, deal and missed call alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from crm.sandbox.seed import CONTACTS, OPEN_STAGES, PIPELINE, manager
from crm.store.clients import client_of
from crm.store.marks import marked_entities
from gateway.admin.accounts import save_settings
from gateway.admin.distribution.templates import attach, save_template
from gateway.store.admin.staff import replace_staff
from gateway.store.distribution.templates import Attachment
from routing.distribution.template import DistributionTemplate, TemplateMember
from routing.one_person import person_of, reserved_entities
from routing.settings import AccountSettings, OnePersonPolicy
from routing.staff import Employee, Staff
from tests.integration.crm.running_worker import ACCOUNT, CrmSite, crm_site

STAGE = OPEN_STAGES[2]
ANNA = Employee(id="anna", name="Анна", crm_user_id=str(manager(101)))
VERA = Employee(id="vera", name="Вера", crm_user_id=str(manager(103)))
PEOPLE = (ANNA, VERA)
FIRST, THIRD = CONTACTS + 1, CONTACTS + 3


@pytest.fixture
async def site(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[CrmSite]:
    async with crm_site(pool, database_url, contacts=6) as opened:
        await opened.connect()
        async with opened.worker():
            await opened.until("SELECT loaded_at FROM directory_state", seconds=40)
            await opened.until("SELECT count(*) FROM crm_pipeline", seconds=40)
            yield opened


async def crm(site: CrmSite, method: str, path: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {site.sandbox.token('pages')}"}
    async with site.http.request(
        method, f"{site.sandbox.url}/api/v4/{path}", json=body, headers=headers
    ) as reply:
        assert reply.status < 300, await reply.text()
        return await reply.json(content_type=None)


async def only_for(site: CrmSite, policy: OnePersonPolicy, number: str) -> str | None:
    async with site.pool.acquire() as conn:
        return person_of(policy, await client_of(conn, ACCOUNT, number), Staff.of(PEOPLE))


async def test_a_tag_or_field_of_the_crm_makes_a_client_one_persons(site: CrmSite) -> None:
    field = await crm(site, "POST", "contacts/custom_fields", [{"name": "Ведёт", "type": "text"}])
    field_id = str(field["_embedded"]["custom_fields"][0]["id"])
    await crm(site, "PATCH", f"contacts/{FIRST}", {"tags_to_add": [{"name": "vip"}, {"name": "other"}]})
    policy = OnePersonPolicy(tags={"VIP": "vera"}, fields={field_id: {"вера": "vera"}})
    async with site.pool.acquire() as conn:
        await replace_staff(conn, ACCOUNT, PEOPLE)
        members = (TemplateMember(employee_id="anna"),)
        await save_template(conn, ACCOUNT, DistributionTemplate(name="t", employees=members), by="test")
        await attach(
            conn, ACCOUNT, Attachment(pipeline_id=str(PIPELINE), stage_id=str(STAGE), template="t"), by="test"
        )
        await save_settings(conn, ACCOUNT, AccountSettings(one_person=policy))
    # Who bore it before is found by reading everything again.
    await site.until(
        "SELECT 1 FROM directory_mark WHERE mark = 'tag:vip' AND entity_id = $1", str(FIRST), seconds=40
    )
    assert await only_for(site, policy, "+79000000001") == "vera"
    assert await only_for(site, policy, "+79000000002") is None
    # What the CRM tells from now on is followed.
    filled = {"field_id": int(field_id), "values": [{"value": " Вера "}]}
    await crm(site, "PATCH", f"contacts/{THIRD}", {"custom_fields_values": [filled]})
    await site.until("SELECT 1 FROM directory_mark WHERE entity_id = $1", str(THIRD), seconds=40)
    async with site.pool.acquire() as conn:
        reserved = reserved_entities(policy, await marked_entities(conn, ACCOUNT))
    assert dict(reserved) == {f"contact:{FIRST}": "vera", f"contact:{THIRD}": "vera"}
    # A deal of that client goes to that person, though the template has only somebody else.
    deal = (await crm(site, "GET", f"contacts/{THIRD}?with=leads"))["_embedded"]["leads"][0]["id"]
    await crm(site, "PATCH", f"leads/{deal}", {"pipeline_id": PIPELINE, "status_id": STAGE})
    await site.until("SELECT 1 FROM distribution_item WHERE is_written AND employee_id = 'vera'", seconds=40)
    assert (await crm(site, "GET", f"leads/{deal}"))["responsible_user_id"] == manager(103)
    assert await site.value("SELECT reason FROM distribution_item") == "only_this_person"
    # And it ends with the tag.
    tags = (await crm(site, "GET", f"contacts/{FIRST}"))["_embedded"]["tags"]
    gone = [{"id": tag["id"]} for tag in tags if tag["name"] == "vip"]
    await crm(site, "PATCH", f"contacts/{FIRST}", {"tags_to_delete": gone})
    await site.until(
        "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM directory_mark WHERE entity_id = $1)",
        str(FIRST),
        seconds=40,
    )
    assert await only_for(site, policy, "+79000000001") is None
