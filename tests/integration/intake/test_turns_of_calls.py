"""Calls that go where a distribution template says: once, whatever is repeated, runs at the same time or is killed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from gateway.calls.queue import Jobs
from gateway.store.admin.staff import replace_staff
from gateway.store.distribution.ledgers import (
    BookedEntry,
    enter,
    hold_template,
    ledgers_of,
    replayed,
    save_ledgers,
)
from gateway.store.distribution.templates import remove_template, save_template
from routing.distribution.ledger import EMPTY, UNIT, pick
from routing.distribution.template import DistributionTemplate, TemplateMember
from routing.matrix.actions import MakeContact, MakeDeal, MakeTask
from routing.matrix.model import Matrix, MatrixTable
from routing.matrix.presets import recommended
from routing.settings import OnePersonPolicy
from tests.integration.intake.office import ACCOUNT, ANNA, CLIENT, SENIOR, START, Office, a_call, an_office
from tests.paths import ROOT
from tests.waiting import until

BY_SALES: Any = "template:sales"
BORIS = ANNA.model_copy(update={"id": "boris", "name": "Борис", "crm_user_id": "12", "extensions": ("112",)})
VERA = ANNA.model_copy(update={"id": "vera", "name": "Вера", "crm_user_id": "13", "extensions": ("113",)})
SALES = DistributionTemplate(
    name="sales", employees=tuple(TemplateMember(employee_id=p) for p in ("anna", "boris", "vera"))
)


def by_template() -> Matrix:
    """The recommended matrix, with what a new client leaves given by turn."""
    table = recommended().tables["default"]
    missed = (
        MakeContact(responsible=BY_SALES),
        MakeDeal(responsible=BY_SALES),
        MakeTask(text="Перезвонить", purpose="call_back", responsible=BY_SALES),
    )
    cells = {
        **table.cells,
        "inbound.missed.new/end": missed,
        "inbound.missed.known_without_deal/end": missed[2:],
        "inbound.answered.new/answer": missed[:2],
    }
    return Matrix(version=1, tables={"default": MatrixTable(name="t", cells=cells)})


@pytest.fixture
async def quiet_sales(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Office]:
    """Nobody works there yet."""
    made = await an_office(
        pool, database_url, people=(SENIOR, ANNA, BORIS, VERA), matrix=by_template(), workers=3
    )
    async with pool.acquire() as conn, conn.transaction():
        await save_template(conn, ACCOUNT, SALES, "olga")
    made.inbox.start()
    yield made
    await made.stop()
    await made.inbox.stop()


@pytest.fixture
async def sales(quiet_sales: Office) -> Office:
    await quiet_sales.start()
    return quiet_sales


async def owners(office: Office) -> dict[str, set[str]]:
    """By client: whom what was ordered for them goes to."""
    found: dict[str, set[str]] = {}
    for row in await office.rows("SELECT client, \"order\"->>'owner_id' AS owner FROM effect"):
        found.setdefault(row["client"], set()).add(row["owner"])
    return found


async def picks(office: Office) -> list[dict[str, Any]]:
    return await office.rows("SELECT * FROM distribution_journal ORDER BY entry_id")


async def test_a_missed_call_of_a_new_number_goes_where_the_template_says_once(sales: Office) -> None:
    await sales.tell_all(a_call())
    await sales.settle()
    assert await owners(sales) == {CLIENT: {"11"}}
    assert await sales.whats() == ["create_contact", "create_deal", "create_task"]
    [pick] = await picks(sales)
    call = await sales.call()
    assert (pick["winner"], pick["decision_id"]) == ("anna", call["moments"]["missed"])
    [item] = await sales.rows("SELECT * FROM distribution_item")
    assert (item["kind"], item["entity_id"], item["state"], item["employee_id"]) == (
        "call",
        call["call_id"],
        "given",
        "anna",
    )
    await sales.tell_all(a_call())  # told again
    await sales.settle()
    assert len(await picks(sales)) == 1


async def test_each_new_client_is_the_next_one_s_and_the_ledger_sums_to_nothing(sales: Office) -> None:
    numbers = [f"+7916123456{n}" for n in range(9)]
    events = [a_call(f"c{n}", client=number) for n, number in enumerate(numbers)]
    await asyncio.gather(*(sales.tell_all(of_call) for of_call in events))
    await sales.settle()
    given = [next(iter(people)) for people in (await owners(sales)).values()]
    assert sorted(given) == ["11"] * 3 + ["12"] * 3 + ["13"] * 3
    async with sales.pool.acquire() as conn:
        ledgers = await ledgers_of(conn, ACCOUNT, "sales")
        assert sum(ledgers[""].credits.values()) == 0
        assert ledgers[""].number == 9
        assert await replayed(conn, ACCOUNT, "sales") == ledgers
    assert all(abs(credit) < UNIT for credit in ledgers[""].credits.values())


async def test_a_client_who_calls_again_in_vain_stays_with_who_is_to_call_back(sales: Office) -> None:
    await sales.tell_all(a_call())
    await sales.settle()
    await sales.tell_all(a_call("c2", at=START + timedelta(minutes=5)))
    await sales.settle(600)
    assert len(await picks(sales)) == 1
    [case] = await sales.cases()
    assert (case["owner_id"], len(case["missed_calls"])) == ("11", 2)


async def test_who_answered_of_the_template_gets_the_client_and_the_turn(sales: Office) -> None:
    await sales.tell_all(a_call(answered_by="113"))
    await sales.settle()
    assert {o for row in (await owners(sales)).values() for o in row} == {"13"}
    [pick] = await picks(sales)
    assert pick["winner"] == "vera"
    await sales.tell_all(a_call("c2", client="+79160000002", at=START + timedelta(minutes=5)))
    await sales.settle(600)
    assert (await owners(sales))["+79160000002"] == {"11"}


async def test_explain_names_everybody_whom_the_template_considered(sales: Office) -> None:
    await sales.tell_all(a_call())
    await sales.settle()
    [row] = await sales.rows(
        "SELECT steps, inputs FROM decision WHERE reason = 'ordered' AND kind = 'matrix'"
    )
    told = {s["facts"]["employee"]: s["because"] for s in row["steps"] if s["rule"] == "person"}
    assert told == dict.fromkeys(("anna", "boris", "vera"), "could_get_it")
    assert list(row["inputs"]["turns"]["templates"]) == ["sales"]


async def test_a_removed_template_gives_way_to_the_senior_manager(sales: Office) -> None:
    async with sales.pool.acquire() as conn, conn.transaction():
        await remove_template(conn, ACCOUNT, "sales")
    await sales.tell_all(a_call())
    await sales.settle()
    assert await owners(sales) == {CLIENT: {"1"}}
    assert await picks(sales) == []


async def test_who_picks_meanwhile_is_reckoned_with(sales: Office) -> None:
    """Another transaction books the first turn while the call is being decided: it is decided anew with what that left."""
    await sales.tell_all(a_call())
    await sales.idle()
    async with sales.pool.acquire() as conn, conn.transaction():
        held = await hold_template(conn, ACCOUNT, "sales")
        assert held is not None
        settled = asyncio.create_task(sales.settle())
        await _somebody_waits_for_the_template(sales)
        entry, after = pick(EMPTY, {"anna": 1, "boris": 1, "vera": 1})
        await save_ledgers(conn, ACCOUNT, "sales", {"": after})
        await enter(conn, ACCOUNT, "sales", [BookedEntry("other", "other", entry)], START)
    await settled
    assert await owners(sales) == {CLIENT: {"12"}}
    assert [p["winner"] for p in await picks(sales)] == ["anna", "boris"]


async def _somebody_waits_for_the_template(office: Office) -> None:
    async with asyncio.timeout(10):
        while not await office.rows(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%distribution_template%'"
        ):
            await asyncio.sleep(0.02)


async def test_a_client_for_one_person_goes_to_that_person_without_a_turn(sales: Office) -> None:
    await sales.change_settings(one_person=OnePersonPolicy(clients={CLIENT: "vera"}))
    await sales.tell_all(a_call())
    await sales.settle()
    assert await owners(sales) == {CLIENT: {"13"}}
    assert await picks(sales) == []


async def _waits_for_the_template(pool: asyncpg.Pool) -> bool:
    found: bool = await pool.fetchval(
        "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock' AND query LIKE '%FOR UPDATE OF t%')"
    )
    return found


async def test_kill_9_of_a_worker_between_deciding_and_booking_books_the_turn_once(
    quiet_sales: Office, database_url: str
) -> None:
    office = quiet_sales
    await office.tell_all(a_call())
    office.clock.forward(seconds=60)
    async with office.pool.acquire() as conn, conn.transaction():
        assert await hold_template(conn, ACCOUNT, "sales")
        worker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.integration.intake.template_worker"),
            *(database_url, office.clock().isoformat()),
            cwd=ROOT,
        )
        await until(
            lambda: _waits_for_the_template(office.pool), "it has decided, and is to book", seconds=40
        )
        worker.kill()
        await worker.wait()
    assert await picks(office) == []
    office.jobs = [Jobs(database_url, office.pool, office.jobs[0]._job, stalled_seconds=2, now=office.clock)]
    await office.start()
    await office.settle()
    assert await owners(office) == {CLIENT: {"11"}}
    assert [(p["winner"], p["number"]) for p in await picks(office)] == [("anna", 1)]
    assert len(await office.rows("SELECT 1 FROM distribution_item")) == 1
    async with office.pool.acquire() as conn:
        assert (await ledgers_of(conn, ACCOUNT, "sales")) == await replayed(conn, ACCOUNT, "sales")


async def test_who_gets_no_missed_calls_is_left_out_for_new_callers_only(sales: Office) -> None:
    async with sales.pool.acquire() as conn, conn.transaction():
        spared = [p.model_copy(update={"gets_missed_calls": p.id != "anna"}) for p in (ANNA, BORIS, VERA)]
        await replace_staff(conn, ACCOUNT, [SENIOR, *spared])
    await sales.tell_all(a_call())
    await sales.settle()
    assert await owners(sales) == {CLIENT: {"12"}}
    [told] = await sales.rows(
        "SELECT steps FROM decision WHERE kind = 'matrix' AND steps::text LIKE '%no_missed_calls%'"
    )
    assert [s["facts"]["employee"] for s in told["steps"] if s["because"] == "no_missed_calls"] == ["anna"]
