"""The dialler and MANGO: what is ordered, what becomes of it however its notifications arrive, and nothing ordered twice."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson

from gateway.pbx.kinds import KINDS
from gateway.store.admin.accounts import add_connection, change_connection
from gateway.store.calls.calls import save_call
from routing.calls.fold import fold
from routing.calls.model import CallEvent
from routing.client_work.values import CallRow
from runtime.vendors.mango_signing import signed_form
from tests.fakes.mango import FakeMango, serving
from tests.fakes.mango_legs import told_of
from tests.integration.outbound.calling_office import ACCOUNT, MINUTE, SECOND, CallingOffice
from tests.unit.gateway.pbx.builders import FORM, a_request

OUTCOMES = {
    "employee busy": "waiting operator",
    "employee declines": "waiting operator",
    "employee rings": "waiting operator",
    "employee leaves": "waiting operator_hung_up",
    "client busy": "waiting client_busy",
    "client rings": "waiting client_no_answer",
    "no such number": "failed bad_number",
    "machine": "waiting client_unreachable",
    "talk": "succeeded talked",
}


class MangoOffice(CallingOffice):
    mango: FakeMango

    @property
    def ordered(self) -> list[dict[str, Any]]:
        return [told for path, told in self.mango.orders if path == "commands/callback"]

    async def hear(self, told: list[tuple[str, dict[str, Any]]]) -> None:
        """These notifications have come, and were understood."""
        connection = self.snapshot.connections["main"]
        events: list[CallEvent] = []
        for name, payload in told:
            request = a_request(
                f"events/{name}", body=signed_form("demo", "demo", payload), headers={"Content-Type": FORM}
            )
            events += KINDS["mango"].parse(request, connection).events
        call = fold(events)
        row = CallRow(
            account_id=ACCOUNT,
            call_id=f"call-{call.call_key}",
            connection_id=connection.id,
            call_key=call.call_key,
            client=f"+{call.client}",
            line=None,
            call=call,
            heard_at=self.now,
        )
        async with self.pool.acquire() as conn:
            await save_call(conn, row)

    async def order(self, id: str, number: str) -> dict[str, Any]:
        """A client is to be called, and MANGO was asked to."""
        await self.deal(id, number)
        await self.item(f"i{id}", deal_id=id)
        before = len(self.ordered)
        await self.run(after=SECOND)
        assert len(self.ordered) == before + 1
        return self.ordered[-1]


@asynccontextmanager
async def mango_office(pool: asyncpg.Pool) -> AsyncIterator[MangoOffice]:
    async with serving(FakeMango()) as mango:
        office = MangoOffice(pool)
        await office.open(recall_gap_minutes=0)
        office.mango, office.kinds = mango, KINDS  # type: ignore[assignment]
        async with pool.acquire() as conn:
            keys = {"api_key": mango.api_key, "api_salt": mango.salt}
            await change_connection(conn, "main", kind="mango", keys=keys, settings={"base_url": mango.url})
        await office.reread()
        yield office


async def test_each_ending_however_its_notifications_arrive(pool: asyncpg.Pool) -> None:
    chance = random.Random(7)
    async with mango_office(pool) as office:
        for number, (ending, state) in enumerate(OUTCOMES.items(), start=10):
            command = await office.order(str(number), f"+791612345{number}")
            told = told_of(command, ending, office.now)
            mixed = [one for one in told for _ in range(chance.randint(1, 2))]
            chance.shuffle(mixed)
            await office.hear(mixed[: len(mixed) // 2])  # the rest is late
            await office.run(after=SECOND)
            await office.hear(mixed)
            await office.run(after=30 * SECOND)
            assert await office.state(f"i{number}") == state, (ending, orjson.dumps(mixed))
            await pool.execute("UPDATE outbound_item SET state = 'cleared' WHERE state = 'waiting'")
        assert len({one["command_id"] for one in office.ordered}) == len(office.ordered) == len(OUTCOMES)


async def test_two_connections_with_one_key_share_the_pace_of_orders(pool: asyncpg.Pool) -> None:
    async with mango_office(pool) as office:
        keys = {"api_key": office.mango.api_key, "api_salt": office.mango.salt}
        async with pool.acquire() as conn:
            await add_connection(conn, account_id=ACCOUNT, name="shop", kind="mango", secret="t", keys=keys)
            await change_connection(conn, "shop", settings={"base_url": office.mango.url})
        await office.reread()
        await office.order("10", "+79161234510")
        await pool.execute(
            "UPDATE outbound_attempt SET state = 'over', side = 'client', reason = 'busy', over_at = now()"
        )
        await pool.execute("UPDATE outbound_item SET state = 'cleared'")
        await office.deal("11", "+79161234511")
        await office.item("i11", deal_id="11")
        await pool.execute("UPDATE outbound_item SET connection = 'shop' WHERE item_id = 'i11'")
        await office.run(after=MINUTE)
        assert len(office.ordered) == 2
        paces = await pool.fetch("SELECT product FROM pbx_pace WHERE command = 'order'")
        assert len(paces) == 1
        assert office.mango.api_key not in paces[0]["product"]


async def test_what_is_never_heard_of_is_unknown_and_settled_late(pool: asyncpg.Pool) -> None:
    async with mango_office(pool) as office:
        office.mango.order_says = "cut"  # taken, and the answer lost
        command = await office.order("10", "+79161234510")
        for _ in range(4):
            await office.run(after=MINUTE)
        assert await office.state("i10") == "unknown never_heard_of"
        await office.hear(told_of(command, "talk", office.now))
        await office.run(after=MINUTE)
        assert (await office.state("i10"), len(office.ordered)) == ("succeeded talked", 1)


async def test_a_refusal_in_the_answer_is_not_repeated_by_itself(pool: asyncpg.Pool) -> None:
    async with mango_office(pool) as office:
        for id, says, state in (
            ("10", 3124, "failed call_refused"),
            ("11", 5008, "waiting pbx_limit"),
            ("12", 2240, "waiting pbx_refused"),
        ):
            office.mango.order_says = says
            await office.order(id, f"+791612345{id}")
            assert await office.state(f"i{id}") == state
        await office.run(after=SECOND)
        assert len(office.ordered) == 3
        assert await pool.fetchval("SELECT code FROM outbound_connection") == "no-money"
