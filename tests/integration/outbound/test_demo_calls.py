"""The demo's calls: set up once, and made by a PBX that rings nobody and tells how each goes."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import asyncpg
import pytest
from aiohttp import web

from crm.sandbox.server import Sandbox
from gateway.demo.callbacks import (
    CLIENTS,
    TEXT_TRIGGER,
    TRIGGER,
    prepare_calls,
    prepare_trigger,
    things_to_try,
)
from gateway.demo.data import ACCOUNT, SECRET, employees
from gateway.demo.pbx import DemoPbx, serving
from gateway.pbx.capabilities import Cancelled, Live, NotSeen, Placed, PlaceOrder, RefusedByPbx
from gateway.pbx.connection import Connection
from gateway.pbx.generic.originator import HttpOriginator
from gateway.pbx.kinds import KINDS
from gateway.store.admin import accounts
from gateway.store.admin.staff import replace_staff
from gateway.store.triggers.triggers import trigger_of
from routing.calls.fold import fold
from routing.outbound.outcome import outcome_of
from tests.integration.outbound.calling_office import NOON
from tests.unit.gateway.pbx.builders import a_connection, a_request
from tests.waiting import until

ATTEMPT = "0b0f6c2e-5f5b-4c43-9d2b-0d6f7e1a2b3c"


@asynccontextmanager
async def hearing(
    told: list[dict[str, Any]], pace: float = 0.01
) -> AsyncIterator[tuple[DemoPbx, Connection]]:
    """The PBX, and a gateway that only listens to it."""

    async def heard(request: web.Request) -> web.Response:
        told.append(await request.json())
        return web.json_response({})

    app = web.Application()
    app.router.add_post("/events", heard)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as session:
        events_url = f"http://127.0.0.1:{runner.addresses[0][1]}/events"
        async with serving(DemoPbx(session, events_url, pace)) as pbx:
            keys = {"originate_token": SECRET}
            yield pbx, a_connection("generic", settings={"originate_url": pbx.url}, keys=keys)
    await runner.cleanup()


def outcome(told: list[dict[str, Any]]) -> tuple[str, str] | None:
    connection = a_connection("generic")
    requests = [a_request(body=body) for body in told]
    call = fold([event for one in requests for event in KINDS["generic"].parse(one, connection).events])
    assert call.attempt == ATTEMPT
    known = outcome_of(call)
    return None if known is None else (known.side, known.reason)


def an_order(number: str = "+79005550121") -> PlaceOrder:
    return PlaceOrder(attempt_id=ATTEMPT, extension="107", number=number)


@pytest.mark.parametrize(
    ("number", "becomes"),
    [
        ("+79005550121", ("talked", "talked")),
        ("+79005550127", ("client", "busy")),
        ("+79005550128", ("client", "no_answer")),
        ("+79005550129", ("operator", "no_answer")),
    ],
)
async def test_the_last_digit_says_how_a_call_ends(number: str, becomes: tuple[str, str]) -> None:
    told: list[dict[str, Any]] = []
    async with hearing(told) as (pbx, connection):
        for _ in range(2):  # the same order again is no second call
            assert await HttpOriginator().place(pbx.session, connection, an_order(number)) == Placed()
        await until(lambda: any(one["event"] == "hangup" for one in told), "the end of the call")
        assert await HttpOriginator().find(pbx.session, connection, ATTEMPT, NOON) == NotSeen()
        wrong = a_connection("generic", settings=connection.settings, keys={"originate_token": "another"})
        assert isinstance(await HttpOriginator().place(pbx.session, wrong, an_order()), RefusedByPbx)
    assert outcome(told) == becomes
    assert [one["event"] for one in told].count("newCall") == 1


async def test_a_call_can_be_looked_for_and_hung_up() -> None:
    told: list[dict[str, Any]] = []
    async with hearing(told, pace=30) as (pbx, connection):
        assert await HttpOriginator().place(pbx.session, connection, an_order()) == Placed()
        await until(lambda: told, "the beginning")
        assert await HttpOriginator().find(pbx.session, connection, ATTEMPT, NOON) == Live("operator_ringing")
        assert await HttpOriginator().cancel(pbx.session, connection, ATTEMPT) == Cancelled()
        await until(lambda: len(told) == 2, "the end of the call")
        assert await HttpOriginator().cancel(pbx.session, connection, ATTEMPT) == NotSeen()
    assert outcome(told) == ("operator", "hung_up")


async def test_the_demo_sets_its_calls_up_once(pool: asyncpg.Pool) -> None:
    async with Sandbox(contacts=2) as sandbox, aiohttp.ClientSession() as session:
        async with pool.acquire() as conn, conn.transaction():
            await accounts.add_account(conn, account_id=ACCOUNT, name="Demo", base_url=sandbox.url)
            await replace_staff(conn, ACCOUNT, employees())
            await accounts.add_connection(
                conn, account_id=ACCOUNT, name="generic", kind="generic", secret=SECRET, settings={"a": "b"}
            )
        for start in range(2):
            made = await prepare_calls(session, sandbox.url)
            await prepare_trigger(pool, made, f"http://127.0.0.1:{start}/calls")
        async with pool.acquire() as conn:
            saved = await trigger_of(conn, ACCOUNT, TRIGGER)
            texts = await trigger_of(conn, ACCOUNT, TEXT_TRIGGER)
            (connection,) = await accounts.connections(conn, ACCOUNT)
        assert saved is not None
        assert (saved.version, saved.trigger.is_on) == (1, True)
        assert texts is not None
        assert (texts.version, texts.trigger.action.do) == (1, "sms")
        assert connection.settings == {"a": "b", "originate_url": "http://127.0.0.1:1/calls"}
        assert connection.keys == {"originate_token": SECRET}
        assert made.deals.keys() == CLIENTS.keys()

        lines = things_to_try("http://gateway", sandbox.url, "TOKEN", made)
        acts = [json.loads(found) for found in re.findall(r"act -d '([^']+)'", lines)]
        assert len(acts) == 3
        for act in acts:
            async with session.post(f"{sandbox.url}/_sandbox/act", json=act) as response:
                assert response.status == 200, await response.text()
        async with session.get(f"{sandbox.url}/_sandbox/state?kind=deal") as response:
            rows = (await response.json())["rows"]
        deals = [d for d in rows if d["pipeline_id"] == made.pipeline]
        assert sorted(d["status_id"] for d in deals).count(made.call) == 2
        assert sorted(d["status_id"] for d in deals).count(made.talked) == 1
        assert all(d["contacts"] for d in deals)
