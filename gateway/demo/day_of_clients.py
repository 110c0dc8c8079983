"""What the demo's day brings: deals that are given out, clients who are to be called back, a campaign with its answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import aiohttp
import asyncpg

from campaigns.model import CampaignSettings
from gateway.admin.campaigns.commands import add_member, command_campaign
from gateway.admin.campaigns.saved import make_campaign
from gateway.configuration import policy_of
from gateway.demo.callbacks import DemoCallBacks
from gateway.demo.data import ACCOUNT, OFFICE_LINE, ORDERS_AT
from gateway.demo.distribution import DemoStages
from gateway.demo.names import client_name, deal_name
from gateway.demo.people import THE_ADMIN, as_person
from gateway.demo.pipelines import headers_of
from gateway.demo.sample_week import NUMBERS
from routing.triggers.model import ToEmployee

CAMPAIGN = "Напомнить о замере"
_CALLED_BY = "manager107"
# By the last digit the demo's PBX knows what becomes of them.
_REACHED, _BUSY, _SILENT = (101, 102, 103, 104), (107, 117), (108,)
_TO_CALL_BACK = (137, 147, 157, 167, 138)
COMES_AGAIN = 171
_NEW_DEALS = 5


async def deals_come_in(
    session: aiohttp.ClientSession, sandbox_url: str, stages: DemoStages, waiting: tuple[int, int]
) -> None:
    """Add deals. waiting: pipeline and stage whose template has nobody."""
    for number in range(_NEW_DEALS):
        await _add_deal(session, sandbox_url, deal_name(200 + number), stages.pipeline, stages.turns)
        await _add_deal(session, sandbox_url, deal_name(300 + number), stages.pipeline, stages.shares)
        await asyncio.sleep(0.4)
    for number in range(2):
        await _add_deal(session, sandbox_url, deal_name(400 + number), *waiting)


async def _add_deal(
    session: aiohttp.ClientSession, sandbox_url: str, name: str, pipeline: int, status: int
) -> None:
    await act(session, sandbox_url, do="add_deal", name=name, pipeline=pipeline, status=status)


async def act(session: aiohttp.ClientSession, sandbox_url: str, **what: Any) -> None:
    """Let somebody do this in the CRM."""
    async with session.post(f"{sandbox_url}/_sandbox/act", json=what) as response:
        response.raise_for_status()


async def clients_wait_for_calls(
    session: aiohttp.ClientSession, sandbox_url: str, made: DemoCallBacks, owner: int
) -> None:
    """Let deals of clients whose phones are busy come into the stage that calls back: each waits for another try."""
    before = (made.pipeline, made.failed)
    for deal in await add_deals_of_clients(session, sandbox_url, _TO_CALL_BACK, before, owner):
        where = {"pipeline": made.pipeline, "status": made.call}
        await act(session, sandbox_url, do="set_status", id=deal, **where)


async def add_deals_of_clients(
    session: aiohttp.ClientSession,
    sandbox_url: str,
    clients: Sequence[int],
    place: tuple[int, int],
    owner: int,
) -> list[int]:
    """Add new contacts, each with a deal, and return the deals. place: pipeline and stage."""
    headers = await headers_of(session, sandbox_url, "day")
    contacts = [
        {
            "name": client_name(number),
            "custom_fields_values": [{"field_code": "PHONE", "values": [{"value": number_of(number)}]}],
        }
        for number in clients
    ]
    made = await _posted(session, f"{sandbox_url}/api/v4/contacts", headers, contacts)
    where = {"pipeline_id": place[0], "status_id": place[1], "responsible_user_id": owner}
    deals = [
        {**where, "name": deal_name(n), "_embedded": {"contacts": [{"id": contact["id"], "is_main": True}]}}
        for n, contact in zip(clients, made, strict=True)
    ]
    return [row["id"] for row in await _posted(session, f"{sandbox_url}/api/v4/leads", headers, deals)]


async def _posted(
    session: aiohttp.ClientSession, url: str, headers: Any, rows: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    async with session.post(url, headers=headers, json=rows) as response:
        response.raise_for_status()
        made: list[dict[str, Any]] = (await response.json())["_embedded"][url.rpartition("/")[2]]
        return made


async def campaign_runs(pool: asyncpg.Pool) -> None:
    """Start a campaign: some are reached, some are not."""
    settings = CampaignSettings(
        connection=ORDERS_AT,
        lines=(OFFICE_LINE,),
        target=ToEmployee(employee_id=_CALLED_BY),
        leaves_traces=False,
    )
    async with pool.acquire() as conn:
        policy = await policy_of(conn, ACCOUNT)
        with as_person(THE_ADMIN) as by:
            await make_campaign(conn, ACCOUNT, CAMPAIGN, settings, by=by)
            for number in (*_REACHED, *_BUSY, *_SILENT):
                await add_member(conn, ACCOUNT, CAMPAIGN, number_of(number), policy, who=client_name(number))
            await command_campaign(conn, ACCOUNT, CAMPAIGN, "start")


def number_of(place: int) -> str:
    """Return the number of a client who is not among the sample ones."""
    return f"+{NUMBERS}{place:04}"
