"""A call that dwells in MANGO's voice menu is sent to its manager, in time and at the vendor's pace, or not at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import asyncpg
import pytest

from gateway.pbx.kinds import KINDS
from gateway.pbx.mango.client import MangoClient
from gateway.pbx.mango.commands import ROUTE_EVERY
from gateway.pbx_links.route_commands import PbxCommands
from gateway.store.admin.accounts import change_connection
from gateway.store.pbx_links.commands import CommandRow, claim_turn, save_command
from runtime.vendors.mango_signing import signed_form
from tests.fakes.mango import FakeMango, serving
from tests.integration.pbx.running_gateway import (
    ACCOUNT,
    Running,
    add_connection,
    prepare,
    running_gateway,
)
from tests.unit.gateway.pbx.builders import a_request
from tests.waiting import until

KNOWN = "79001234567"
STRANGER = "79990000000"


@dataclass
class Office:
    pbx: Running
    mango: FakeMango

    def appeared(self, call: str = "1", phone: str = KNOWN, **more: Any) -> dict[str, Any]:
        """What MANGO tells of a call in the menu."""
        return {
            "entry_id": f"entry-{call}",
            "call_id": f"leg-{call}",
            "timestamp": int(time.time()),
            "seq": 1,
            "call_state": "Appeared",
            "location": "ivr",
            "from": {"number": phone},
            "to": {"number": "74951234567", "line_number": "74951234567"},
            **more,
        }

    async def appears(self, call: str = "1", phone: str = KNOWN, **more: Any) -> int:
        """The HTTP status of our answer to it."""
        return (await self.pbx.notify("mango", "events/call", self.appeared(call, phone, **more)))[0]

    async def settled(self, calls: int) -> list[dict[str, Any]]:
        """All commands, once so many are known."""
        every = "SELECT * FROM pbx_command ORDER BY asked_at, command_id"
        await until(lambda: self.pbx.rows(f"{every} OFFSET {calls - 1}"), f"{calls} commands")
        return await self.pbx.rows(every)

    def pace(self, every: float, seconds: float) -> None:
        """Quicker than the vendor, on both sides."""
        self.mango.interval = every
        commands = self.pbx.gateway.pbx_commands
        commands.every = timedelta(seconds=every + 0.02)
        commands.seconds = seconds

    async def configure(self, **settings: Any) -> None:
        async with self.pbx.pool.acquire() as conn:
            await change_connection(
                conn, "mango", settings={"base_url": self.mango.url, "routes_calls": True, **settings}
            )
        await self.pbx.gateway.configuration.reload()


@pytest.fixture
async def office(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Office]:
    async with serving(FakeMango(interval=2.0)) as mango:
        await prepare(pool)
        await add_connection(
            pool,
            "mango",
            "mango",
            keys={"api_key": "demo", "api_salt": "demo"},
            settings={"base_url": mango.url, "routes_calls": True},
        )
        async with running_gateway(pool, database_url) as running:
            yield Office(running, mango)


async def test_a_known_client_is_sent_to_the_manager(office: Office) -> None:
    assert await office.appears() == 200
    (row,) = await office.settled(1)
    (command,) = office.mango.commands
    assert command == {"command_id": row["command_id"], "call_id": "leg-1", "to_number": "101"}
    assert (row["state"], row["address"], row["call_key"]) == ("sent", "101", "entry-1")
    (decision,) = await office.pbx.until("SELECT * FROM decision WHERE kind = 'lookup'")
    assert decision["decision_id"] == row["decision_id"]


async def test_the_result_is_recorded(office: Office) -> None:
    await office.appears()
    (row,) = await office.settled(1)
    await office.pbx.notify("mango", "result/route", {"command_id": row["command_id"], "result": 3310})
    (row,) = await office.pbx.until("SELECT * FROM pbx_command WHERE state = 'failed'")
    assert (row["code"], row["address"]) == (3310, "101")
    commands = "SELECT count(*) FROM pbx_command WHERE account_id = $1 AND call_key = 'entry-1'"
    assert await office.pbx.pool.fetchval(commands, ACCOUNT) == 1


async def test_a_result_that_comes_before_we_wrote_down_that_we_sent_is_kept(office: Office) -> None:
    await office.pbx.notify("mango", "result/route", {"command_id": "early", "result": 1000})
    await office.pbx.until("SELECT * FROM pbx_command WHERE command_id = 'early'")
    sent = CommandRow(
        account_id=ACCOUNT,
        command_id="early",
        connection_id="mango",
        call_key="entry-1",
        leg="leg-1",
        decision_id=None,
        address="101",
        state="sent",
        because="",
        asked_at=datetime.now(UTC),
        sent_at=datetime.now(UTC),
    )
    async with office.pbx.pool.acquire() as conn:
        await save_command(conn, sent)
    (row,) = await office.settled(1)
    assert (row["state"], row["code"], row["address"]) == ("done", 1000, "101")


@pytest.mark.parametrize(
    "told",
    [
        {"phone": STRANGER},
        {"call_state": "Connected"},
        {"location": "abonent", "to": {"extension": "101", "number": "sip:a@b"}},
        {"from": {"number": KNOWN, "taken_from_call_id": "leg-0"}},
        {"from": {"extension": "101", "number": KNOWN}},
        {"callback_initiator": "CallbackWidget"},
    ],
    ids=["stranger", "connected", "phone rings", "came back to the menu", "our own call", "callback"],
)
async def test_nothing_else_is_routed(office: Office, told: dict[str, Any]) -> None:
    await office.appears("other", **told)
    await office.appears("known")
    (row,) = await office.settled(1)
    assert row["call_key"] == "entry-known"
    assert len(office.mango.commands) == 1


async def test_a_connection_that_was_not_told_to_route_does_not(office: Office) -> None:
    await office.configure(routes_calls=False)
    await office.appears("first")
    await office.configure()
    await office.appears("second")
    assert [r["call_key"] for r in await office.settled(1)] == ["entry-second"]


async def test_the_clients_name_is_shown_where_it_is_wanted(office: Office) -> None:
    await office.configure(shows_client_name=True)
    await office.appears()
    await office.settled(1)
    assert office.mango.commands[0]["sip_headers"] == {"From/display-name": "ООО Ромашка"}


async def test_commands_keep_the_vendors_pace_and_late_ones_are_dropped(office: Office) -> None:
    office.pace(0.3, seconds=0.75)
    for n in range(6):
        assert await office.appears(str(n)) == 200
    rows = await office.settled(6)
    assert [r["state"] for r in rows] == ["sent"] * 3 + ["dropped"] * 3
    assert {r["because"] for r in rows if r["state"] == "dropped"} == {"too-late"}
    assert office.mango.throttled == 0
    status = office.pbx.gateway.pbx_commands.status
    assert (status.asked, status.sent, status.dropped) == (6, 3, 3)


async def test_two_processes_share_one_pace(office: Office) -> None:
    office.pace(0.3, seconds=0.5)
    other = PbxCommands(
        office.pbx.pool,
        office.pbx.http,
        office.pbx.gateway.lookup.ask,
        kinds=KINDS,
        seconds=0.5,
        every=timedelta(seconds=0.32),
    )
    work = asyncio.create_task(other.run())
    await asyncio.sleep(0)
    try:
        connection = office.pbx.gateway.configuration.now.connections["mango"]
        body = signed_form("demo", "demo", office.appeared("theirs"))
        other.on_event(connection, a_request("call", body=body))
        await office.appears("ours")
        rows = await office.settled(2)
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    assert [r["state"] for r in rows] == ["sent", "sent"]
    assert office.mango.throttled == 0


async def test_a_throttled_command_is_recorded_and_not_repeated(office: Office) -> None:
    office.mango.accepted["commands/route"] = [
        time.monotonic()
    ]  # another program has just used the product's turn
    await office.appears()
    (row,) = await office.settled(1)
    assert row["state"] == "refused"
    assert row["because"].startswith("pbx-throttled")
    assert office.mango.commands == []


async def test_events_are_taken_at_once_while_mango_hangs(office: Office) -> None:
    office.mango.down = 500
    began = time.monotonic()
    for n in range(20):
        assert await office.appears(str(n)) == 200
    assert time.monotonic() - began < 2
    assert len(await office.pbx.stored()) == 20


async def test_a_turn_is_given_once_however_many_ask_for_it(pool: asyncpg.Pool) -> None:
    async def claim() -> float:
        async with pool.acquire() as conn:
            return await claim_turn(conn, "product", "route", timedelta(seconds=2))

    waits = await asyncio.gather(*(claim() for _ in range(5)))
    assert sorted(waits)[0] == 0
    assert all(1 < wait <= 2 for wait in sorted(waits)[1:])


def test_the_real_pace_is_the_vendors() -> None:
    assert timedelta(seconds=2) == ROUTE_EVERY


async def test_employees_are_read_with_their_addresses(office: Office) -> None:
    office.mango.users = [
        {
            "general": {"name": "Анна Иванова", "email": "anna@example.com", "user_id": 7, "sips": []},
            "telephony": {
                "extension": "101",
                "numbers": [
                    {"number": "79161112233", "protocol": "tel"},
                    {"number": "sip:anna@x.mangosip.ru", "protocol": "sip"},
                ],
            },
        },
        {"general": {"name": "Новый"}, "telephony": {"extension": "150", "numbers": []}},
    ]
    connection = office.pbx.gateway.configuration.now.connections["mango"]
    async with aiohttp.ClientSession() as session:
        people = await MangoClient(session, connection).users()
    anna, new = people
    assert (anna.extension, anna.email) == ("101", "anna@example.com")
    assert (anna.numbers, anna.sips) == (("79161112233",), ("anna@x.mangosip.ru",))
    assert (new.name, new.extension) == ("Новый", "150")
