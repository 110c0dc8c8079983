"""What the demo shows of distribution is set up once, and its lines to paste do what they say."""

from __future__ import annotations

import json
import re

import aiohttp
import asyncpg

from crm.sandbox.seed import PIPELINE, manager
from crm.sandbox.server import Sandbox
from gateway.admin.config_import import export_config
from gateway.demo.data import ACCOUNT, employees
from gateway.demo.distribution import SHARES, TURNS, prepare_distribution, prepare_pipeline, things_to_try
from gateway.store.admin import accounts
from gateway.store.admin.staff import replace_staff
from gateway.store.distribution.templates import remove_template, templates_of


async def test_the_demo_sets_distribution_up_once_on_a_pipeline_of_its_own(pool: asyncpg.Pool) -> None:
    async with Sandbox(contacts=2) as sandbox, aiohttp.ClientSession() as session:
        async with pool.acquire() as conn, conn.transaction():
            await accounts.add_account(conn, account_id=ACCOUNT, name="Demo", base_url=sandbox.url)
            await replace_staff(conn, ACCOUNT, employees())
        for _ in range(2):
            stages = await prepare_pipeline(session, sandbox.url)
            await prepare_distribution(pool, stages)
        async with pool.acquire() as conn:
            document = await export_config(conn, ACCOUNT)
            await remove_template(conn, ACCOUNT, TURNS)  # as whoever tries the demo may do
        await prepare_distribution(pool, stages)
        async with pool.acquire() as conn:
            assert [one.template.name for one in await templates_of(conn, ACCOUNT)] == [SHARES]
        assert stages.pipeline != PIPELINE
        assert [template.name for template in document.templates or ()] == [SHARES, TURNS]
        assert {a.pipeline for a in document.attachments or ()} == {str(stages.pipeline)}
        assert document.settings is not None
        assert document.settings.lookup.availability == "off"  # who is rung stays as it is promised

        lines = things_to_try("http://gateway", sandbox.url, "TOKEN", stages)
        acts = [json.loads(found) for found in re.findall(r"act -d '([^']+)'", lines)]
        for act in acts:
            async with session.post(f"{sandbox.url}/_sandbox/act", json=act) as response:
                assert response.status == 200, await response.text()
        async with session.get(f"{sandbox.url}/_sandbox/state?kind=deal") as response:
            deals = [d for d in (await response.json())["rows"] if d["pipeline_id"] == stages.pipeline]
        assert [d["status_id"] for d in deals if d["responsible_user_id"] == manager(101)] == [
            stages.work
        ] * 3
        assert {stages.turns, stages.shares} <= {d["status_id"] for d in deals}
        assert not any(d["contacts"] for d in deals)  # no number leads to them
        wrong = {**acts[0], "status": 1}
        async with session.post(f"{sandbox.url}/_sandbox/act", json=wrong) as response:
            assert response.status == 400
