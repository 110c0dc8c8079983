"""The demo's day is ordered by its people through the services, and leaves a draft that cannot be published yet."""

from __future__ import annotations

import aiohttp
import asyncpg

from crm.sandbox.server import Sandbox
from gateway.demo.callbacks import prepare_calls
from gateway.demo.data import ACCOUNT, SECRET, named_employees
from gateway.demo.day_of_clients import CAMPAIGN, campaign_runs, clients_wait_for_calls
from gateway.demo.day_of_rules import (
    AWAY,
    NIGHT,
    SERVICE,
    SERVICE_STAGES,
    mend_rules,
    order_rules,
    order_shifts,
    order_waiting,
)
from gateway.demo.living import prepare_crm
from gateway.demo.names import EMPLOYEES, client_name
from gateway.demo.pipelines import pipeline_of, stage_ids
from gateway.store.admin import accounts, matrices
from gateway.store.admin.audit import AuditFilter, audit_entries
from gateway.store.admin.staff import replace_staff
from gateway.store.campaigns.campaigns import campaign_of
from gateway.store.distribution.templates import template_of
from gateway.store.presence.attendance import attendances
from routing.settings import AccountSettings, PresencePolicy


async def test_the_day_is_ordered_by_people(pool: asyncpg.Pool) -> None:
    async with Sandbox(contacts=30) as sandbox, aiohttp.ClientSession() as session:
        await prepare_crm(session, sandbox.url, 30)
        service, is_new = await pipeline_of(session, sandbox.url, SERVICE, SERVICE_STAGES, "names")
        new, visit = (stage_ids(service)[name] for name in SERVICE_STAGES)
        async with pool.acquire() as conn, conn.transaction():
            settings = AccountSettings(presence=PresencePolicy(is_on=True, idle_minutes=None, sources=()))
            await accounts.add_account(
                conn, account_id=ACCOUNT, name="Demo", base_url=sandbox.url, settings=settings
            )
            staff = [
                one.model_copy(update={"crm_user_id": f"10001{one.extensions[0][1:]}"})
                for one in named_employees()
            ]
            await replace_staff(conn, ACCOUNT, staff)
            await accounts.add_connection(
                conn, account_id=ACCOUNT, name="generic", kind="generic", secret=SECRET
            )
        await order_rules(pool, service["id"], new, visit)
        await order_shifts(pool)
        await campaign_runs(pool)
        made = await prepare_calls(session, sandbox.url)
        await clients_wait_for_calls(session, sandbox.url, made, 1000107)
        async with pool.acquire() as conn:
            await order_waiting(conn, service["id"], visit)
        await mend_rules(pool, service["id"], new)

        async with session.get(f"{sandbox.url}/_sandbox/state?kind=user") as response:
            users = {row["email"]: row["name"] for row in (await response.json())["rows"]}
        async with session.get(f"{sandbox.url}/_sandbox/state?kind=contact") as response:
            contacts = {row["id"]: row["name"] for row in (await response.json())["rows"]}
        async with session.get(f"{sandbox.url}/_sandbox/state?kind=deal") as response:
            called = [row for row in (await response.json())["rows"] if row["status_id"] == made.call]
        async with pool.acquire() as conn:
            draft = await matrices.draft(conn, ACCOUNT)
            published = await matrices.current_version(conn, ACCOUNT)
            now = await attendances(conn, ACCOUNT)
            campaign = await campaign_of(conn, ACCOUNT, CAMPAIGN)
            template = await template_of(conn, ACCOUNT, NIGHT)
            entries = await audit_entries(conn, AuditFilter(account_id=ACCOUNT), limit=100)
    assert not is_new
    assert users["manager102@demo.example"] == EMPLOYEES["102"]
    assert users["deactivated@demo.example"] == EMPLOYEES["199"]
    assert contacts[10_000_007] == client_name(7)
    assert published == 3
    assert draft.is_changed
    assert draft.saved_by == EMPLOYEES["100"]
    assert str(new) in draft.matrix.model_dump_json()
    assert {id for id, one in now.items() if not one.is_here} == {f"manager{number}" for number in AWAY}
    assert campaign is not None
    assert campaign.state == "running"
    assert template is not None
    assert len(called) > 3
    assert {("olga", "pages"), ("senior", "pages")} <= {(one.who, one.door) for one in entries}
