"""Calls that go out: each once, evenly spread, and what each came to."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

import asyncpg
import pytest

from crm.port import Observed
from crm.store.news import record_news
from gateway.outbound.claim import claim, new_attempt_id
from gateway.pbx.capabilities import Placed, PlaceOrder, RefusedByPbx
from gateway.store.outbound.standing import calls_out
from routing.calls.model import Disposition, FailedSide
from routing.outbound.pace import MOST_PER_MINUTE
from runtime.database.pool import Conn
from tests.fakes.originator import SKILLS
from tests.integration.outbound.calling_office import ACCOUNT, ANNA, MINUTE, NOON, SECOND, CallingOffice

AFTER_SETTLING = 11 * SECOND


async def test_a_waiting_item_is_dialled_and_what_the_call_came_to_ends_it(pool: asyncpg.Pool) -> None:
    office = await CallingOffice(pool).open()
    await office.deal()
    await office.item(action={"succeeded_stage": {"pipeline_id": "1", "stage_id": "30"}})
    await office.run()
    (order,) = office.pbx.orders
    assert (order.extension, order.number, order.ring_seconds) == ("101", "+79161234567", 25)
    assert await office.state() == "dialling dial"
    await office.told(order.attempt_id, Disposition.TALKING, is_over=False)
    await office.run(after=SECOND)
    assert await office.attempts() == ["+79161234567 talking"]
    await office.told(order.attempt_id, Disposition.ANSWERED)
    await office.run(after=SECOND)
    await office.run(after=SECOND)
    assert await office.state() == "succeeded talked"
    assert await office.attempts() == ["+79161234567 over talked talked"]
    (moved,) = await office.effects()
    assert (moved["do"], moved["stage_id"]) == ("update_entity", "30")
    assert len(office.pbx.orders) == 1


async def test_cases_25_and_26_whose_side_it_was_decides_when_it_is_tried_again(pool: asyncpg.Pool) -> None:
    office = await CallingOffice(pool).open(retries={"operator": {"minutes": 2, "most": 1}})
    await office.deal()
    await office.item(action={"failed_stage": {"pipeline_id": "1", "stage_id": "30"}})
    await office.run()
    await office.told(office.latest, Disposition.BUSY, FailedSide.EMPLOYEE_NOT_REACHED, key="c1")
    await office.run(after=SECOND)
    assert await office.state() == "dialling dial", "it may still be told that somebody answered"
    await office.run(after=AFTER_SETTLING)
    assert await office.state() == "waiting operator"
    await office.run(after=MINUTE)
    assert len(office.pbx.orders) == 1
    await office.run(after=MINUTE)
    await office.told(office.latest, Disposition.BUSY, FailedSide.CLIENT_NOT_REACHED, key="c2")
    await office.run(after=AFTER_SETTLING)
    assert await office.state() == "waiting client_busy"
    assert (await office.row()).counters == {"operator": 1, "client_busy": 1}
    await office.run(after=6 * MINUTE)
    await office.told(office.latest, Disposition.NO_ANSWER, FailedSide.EMPLOYEE_NOT_REACHED, key="c3")
    await office.run(after=AFTER_SETTLING)
    assert await office.state() == "failed operator"
    stage, task = await office.effects()
    assert (stage["stage_id"], task["owner_id"], task["target"]["id"]) == ("30", "11", "7")
    assert len(office.pbx.orders) == 3


async def test_cases_11_and_12_calls_are_evenly_spread_and_a_new_rate_counts_at_once(
    pool: asyncpg.Pool,
) -> None:
    people = [ANNA.model_copy(update={"id": f"e{n}", "extensions": (f"2{n:02}",)}) for n in range(12)]
    office = await CallingOffice(pool).open(*people, rate=6)
    for n in range(12):
        await office.item(
            f"i{n:02}",
            deal_id=None,
            client=f"+791612345{n:02}",
            target={"kind": "employee", "employee_id": f"e{n}"},
        )
    placed = []
    for second in range(31):
        before = len(office.pbx.orders)
        await office.run(after=SECOND if second else 0 * SECOND)
        placed += [second] * (len(office.pbx.orders) - before)
    assert placed == [0, 10, 20, 30]
    await office.configure(rate=0)
    await office.run(after=5 * MINUTE)
    assert (len(office.pbx.orders), await office.why("i05")) == (4, "paused")
    await office.configure(rate=3)
    await office.run()
    await office.run(after=19 * SECOND)
    assert len(office.pbx.orders) == 5, "a pause saves nothing up"
    assert await office.why("i06") == "not_its_turn"
    await office.run(after=SECOND)
    assert len(office.pbx.orders) == 6


async def test_case_16_two_workers_with_one_rate_call_nobody_twice(pool: asyncpg.Pool) -> None:
    people = [ANNA.model_copy(update={"id": f"e{n}", "extensions": (f"2{n:02}",)}) for n in range(20)]
    office = await CallingOffice(pool).open(*people)
    for n in range(40):
        client = f"+7916123{n // 2:04}"  # each client has two items
        target = {"kind": "employee", "employee_id": f"e{n % 20}"}
        await office.item(f"i{n:02}", deal_id=None, client=client, target=target)
    one, other = office.dialler(), office.dialler()
    for _ in range(80):
        office.now += SECOND / 20
        await office.run(one)
        await office.run(other)
    clients = [order.number for order in office.pbx.orders]
    assert len(clients) == len(set(clients)) == 20
    assert len(office.pbx.orders) <= 4 * 10 + 1


async def test_case_28_who_talked_for_a_second_was_reached_with_effects_once(pool: asyncpg.Pool) -> None:
    office = await CallingOffice(pool).open()
    await office.deal()
    stage = {"pipeline_id": "1", "stage_id": "142"}
    await office.item(action={"succeeded_stage": stage, "failed_stage": {**stage, "stage_id": "143"}})
    await office.run()
    await office.told(office.latest, Disposition.ANSWERED, talk_seconds=1)
    one, other = office.dialler(), office.dialler()
    office.now += SECOND
    await asyncio.gather(one.turn(ACCOUNT), other.turn(ACCOUNT))
    await office.told(office.latest, Disposition.ANSWERED, talk_seconds=1)
    await office.run(after=AFTER_SETTLING)
    (moved,) = await office.effects()
    assert (await office.state(), moved["stage_id"]) == ("succeeded talked", "142")
    await office.run(after=61 * MINUTE)
    assert (len(office.pbx.orders), len(await office.effects())) == (1, 1)


async def test_case_37_an_extension_is_not_dialled_and_stands_in_the_task(pool: asyncpg.Pool) -> None:
    office = await CallingOffice(pool).open(retries={"client_busy": {"minutes": 5, "most": 0}})
    spelled = "+7 (916) 123-45-67 доб. 12"
    await office.deal("7", spelled)
    seen = Observed(kind="contact", id="70", at=office.now, values={"numbers": spelled})
    async with pool.acquire() as conn, conn.transaction():
        await record_news(conn, ACCOUNT, observed=[seen], told_by="poll")
    await office.item()
    await office.run()
    assert [order.number for order in office.pbx.orders] == ["+79161234567"]
    await office.told(office.latest, Disposition.BUSY, FailedSide.CLIENT_NOT_REACHED)
    await office.run(after=AFTER_SETTLING)
    (task,) = await office.effects()
    assert "+79161234567 доб. 12:" in task["text"]


async def test_orders_keep_the_distance_that_the_vendor_wants_whatever_the_rate(pool: asyncpg.Pool) -> None:
    people = [ANNA.model_copy(update={"id": f"e{n}", "extensions": (f"2{n:02}",)}) for n in range(3)]
    office = await CallingOffice(pool).open(*people)
    office.pbx.skills = replace(SKILLS, seconds_between=0.5)
    at: list[float] = []

    def told(order: PlaceOrder) -> Placed:
        at.append(time.monotonic())
        return Placed()

    office.pbx.answer = told
    for n in range(3):
        target = {"kind": "employee", "employee_id": f"e{n}"}
        await office.item(f"i{n}", deal_id=None, client=f"+7916123000{n}", target=target)
    one, other = office.dialler(), office.dialler()
    for n in range(3):
        office.now += SECOND / 10
        await (one, other)[n % 2].turn(ACCOUNT)
    await asyncio.gather(*one._placing, *other._placing)
    assert len(at) == 3
    assert max(at) - min(at) > 0.6, "a second, less what a busy machine takes between its turn and the order"


async def test_case_18_the_database_goes_down_within_a_claim(pool: asyncpg.Pool, database_url: str) -> None:
    """Nothing of the claim is left, nothing was rung, and once the database is back it is placed once."""
    office = await CallingOffice(pool).open()
    await office.deal()
    await office.item()

    async def cut_off(pid: int) -> None:
        admin = await asyncpg.connect(database_url)
        await admin.execute("SELECT pg_terminate_backend($1)", pid)
        await admin.close()

    async with pool.acquire() as conn:
        pid = await conn.fetchval("SELECT pg_backend_pid()")

        def id_of_one_who_dies() -> str:
            with ThreadPoolExecutor() as threads:
                threads.submit(asyncio.run, cut_off(pid)).result()
            return new_attempt_id()

        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await claim(conn, office.around, office.now, new_id=id_of_one_who_dies)
    assert (await office.attempts(), office.pbx.orders) == ([], [])
    assert (await office.row()).state == "waiting"
    await office.run(after=SECOND)
    await office.run(after=SECOND)
    assert len(office.pbx.orders) == len(await office.attempts()) == 1


async def test_case_31_a_refusing_pbx_is_stopped_once_and_items_stay(pool: asyncpg.Pool) -> None:
    office = await CallingOffice(pool).open()
    await office.deal()
    await office.item()
    no_money = RefusedByPbx(code="no-money", words="2240", concerns="connection")
    office.pbx.answer = lambda order: no_money
    await office.run()
    assert await office.state() == "waiting pbx_refused"
    stopped = await pool.fetchrow("SELECT code, stopped_at FROM outbound_connection")
    assert stopped is not None
    assert (stopped["code"], stopped["stopped_at"]) == ("no-money", office.now)
    await office.run(after=MINUTE)
    assert (len(office.pbx.orders), await office.why()) == (1, "connection_stopped")
    async with pool.acquire() as conn:
        assert (await calls_out(conn))["office"].refused == {"main": ("no-money: 2240", 1)}
    office.pbx.answer = type(office.pbx).answer
    from gateway.store.outbound.connections import lift_stop

    async with pool.acquire() as conn:
        assert await lift_stop(conn, "office", "main")
        assert not await lift_stop(conn, "office", "main")
        assert (await calls_out(conn))["office"].refused == {"main": None}
    await office.run(after=SECOND)
    assert len(office.pbx.orders) == 2


class _TickingOffice(CallingOffice):
    """Whose clock goes as ours does."""

    async def _clock(self, _conn: Conn) -> datetime:
        return NOON + asyncio.get_running_loop().time() * SECOND


async def test_one_worker_keeps_up_with_the_greatest_rate(pool: asyncpg.Pool) -> None:
    people = [ANNA.model_copy(update={"id": f"e{n}", "extensions": (f"2{n:02}",)}) for n in range(8)]
    office = await _TickingOffice(pool).open(
        *people, rate=MOST_PER_MINUTE, hours={"opens": "00:00", "closes": "24:00"}
    )
    office.now = await office._clock(None)  # type: ignore[arg-type]
    for n in range(8):
        target = {"kind": "employee", "employee_id": f"e{n}"}
        await office.item(f"i{n}", deal_id=None, client=f"+7916123450{n}", target=target)
    await office.run()
    assert len(office.pbx.orders) > 1, "one look is enough for several"
