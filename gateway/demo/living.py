"""A demo that is started for the first time gets a day's life: each page shows what it is for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import aiohttp
import asyncpg

from crm.effects.dead_letters import count
from gateway.admin.load_directory import ask_for_sync
from gateway.demo.callbacks import OWNER, DemoCallBacks
from gateway.demo.crm_names import name_people_and_clients
from gateway.demo.data import ACCOUNT, OFFICE_LINE
from gateway.demo.day_of_clients import (
    COMES_AGAIN,
    act,
    add_deals_of_clients,
    campaign_runs,
    clients_wait_for_calls,
    deals_come_in,
)
from gateway.demo.day_of_rules import (
    SERVICE,
    SERVICE_STAGES,
    mend_rules,
    order_rules,
    order_shifts,
    order_waiting,
)
from gateway.demo.distribution import DemoStages
from gateway.demo.pipelines import pipeline_of, stage_ids
from gateway.demo.sample_week import (
    CallOfTheWeek,
    comes_again,
    going_on,
    latest_hour,
    owner_is_gone,
    sample_week,
)
from gateway.store.calls.missed_calls import open_cases

Tell = Callable[[Mapping[str, str]], Awaitable[None]]
"""An event as the demo's PBX pushes it."""

_TALK_ON = timedelta(minutes=30)
_DECISIONS_ARE_KEPT = timedelta(seconds=2)
_REFUSED_SECONDS = 30
_MISSED_SECONDS = 20
_BETWEEN_EVENTS = timedelta(seconds=3)


async def prepare_crm(session: aiohttp.ClientSession, sandbox_url: str, contacts: int) -> None:
    """Before anything is read from there. contacts: how many sample clients there are."""
    await name_people_and_clients(session, sandbox_url, contacts)
    service, is_new = await pipeline_of(session, sandbox_url, SERVICE, SERVICE_STAGES, "names")
    if is_new:
        visit = stage_ids(service)[SERVICE_STAGES[1]]
        owner = await _owner(session, sandbox_url)
        await add_deals_of_clients(session, sandbox_url, (COMES_AGAIN,), (service["id"], visit), owner)


async def _owner(session: aiohttp.ClientSession, sandbox_url: str) -> int:
    async with session.get(f"{sandbox_url}/_sandbox/state?kind=user") as response:
        users = {row["email"]: row["id"] for row in (await response.json())["rows"]}
    return int(users[OWNER])


async def order_first(session: aiohttp.ClientSession, pool: asyncpg.Pool, sandbox_url: str) -> None:
    """Order what the calls go by."""
    service, _ = await pipeline_of(session, sandbox_url, SERVICE, SERVICE_STAGES)
    new, visit = (stage_ids(service)[name] for name in SERVICE_STAGES)
    await order_rules(pool, service["id"], new, visit)


async def tell_calls(now: datetime, tell: Tell) -> int:
    """Tell of all calls until now, except those by which clients were called back. Return how many there are with them."""
    calls = _until(now)
    for call in calls:
        if not call.returns_missed:
            await _tell(call, tell)
    return len(calls)


async def tell_returns(pool: asyncpg.Pool, now: datetime, tell: Tell) -> None:
    """Tell of those, once what was missed waits."""
    async with pool.acquire() as conn:
        before = 0
        for _ in range(_MISSED_SECONDS):
            waiting = len(await open_cases(conn, ACCOUNT))
            if waiting and waiting == before:
                break
            before = waiting
            await asyncio.sleep(3)
    for call in _until(now):
        if call.returns_missed:
            await _tell(call, tell)


def _until(now: datetime) -> list[CallOfTheWeek]:
    return [*sample_week(now, ZoneInfo("Europe/Moscow")), *latest_hour(now)]


async def _tell(call: CallOfTheWeek, tell: Tell) -> None:
    for event in call.events():
        await tell(event)


async def bring_to_life(
    session: aiohttp.ClientSession,
    pool: asyncpg.Pool,
    sandbox_url: str,
    tell: Tell,
    stages: DemoStages,
    called: DemoCallBacks,
) -> None:
    """Order and do what people would, one after the other."""
    service, _ = await pipeline_of(session, sandbox_url, SERVICE, SERVICE_STAGES)
    pipeline, (new, visit) = service["id"], (stage_ids(service)[name] for name in SERVICE_STAGES)
    await order_shifts(pool)
    await campaign_runs(pool)
    async with pool.acquire() as conn:
        await order_waiting(conn, pipeline, visit)
    owner = await _owner(session, sandbox_url)
    await clients_wait_for_calls(session, sandbox_url, called, owner)
    await deals_come_in(session, sandbox_url, stages, (pipeline, visit))
    await act(session, sandbox_url, do="delete_stage", pipeline=pipeline, status=new)
    async with pool.acquire() as conn:
        await ask_for_sync(conn, ACCOUNT, is_full=False)
    await _tell(comes_again(datetime.now(UTC)), tell)
    await _until_refused(pool)
    await mend_rules(pool, pipeline, new)


async def _until_refused(pool: asyncpg.Pool) -> None:
    """Wait until the CRM has refused to move a deal into the stage that is gone, for a while."""
    async with pool.acquire() as conn:
        for _ in range(_REFUSED_SECONDS):
            if await count(conn, ACCOUNT):
                return
            await asyncio.sleep(1)


async def calls_go_on(session: aiohttp.ClientSession, url: str, tell: Tell, stop: asyncio.Event) -> None:
    """Let some people talk just now, and one call be over soon; after a while the others hang up."""
    calls = going_on(datetime.now(UTC))
    for call in calls:
        await _ask(session, url, call)
    await _passed(stop, _DECISIONS_ARE_KEPT)
    for call in calls:
        await _tell(call, tell)
    if not await _passed(stop, timedelta(0)):
        await _whole_call(session, url, tell, stop)
    if not await _passed(stop, _TALK_ON):
        for call in calls:
            await tell(call.hangup(datetime.now(UTC)))


async def _whole_call(session: aiohttp.ClientSession, url: str, tell: Tell, stop: asyncio.Event) -> None:
    """Let a client call whose contact is somebody's who left, so that the responsible of the deal is rung."""
    call = owner_is_gone(datetime.now(UTC))
    await _ask(session, url, call)
    for event in call.events():
        await tell({**event, "at": datetime.now(UTC).isoformat()})
        if await _passed(stop, _BETWEEN_EVENTS):
            return


async def _ask(session: aiohttp.ClientSession, url: str, call: CallOfTheWeek) -> None:
    """Ask whom to ring, as the PBX does while the phone rings."""
    query = {"phone": call.client, "did": OFFICE_LINE, "call_id": call.id}
    headers = {"Authorization": "Bearer demo"}
    async with session.get(f"{url}/pbx/generic/lookup", params=query, headers=headers) as response:
        response.raise_for_status()


async def _passed(stop: asyncio.Event, time: timedelta) -> bool:
    """Wait so long. Whether the demo is to end."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(time.total_seconds()):
            await stop.wait()
    return stop.is_set()
