"""A phone rings whose owner is not there: schedules, presence and turns as a gateway knows them, through HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import asyncpg
import pytest

from crm.port import CrmEntity
from crm.store.directory import apply_entities
from crm.store.marks import watch_marks
from gateway.at_work import AtWork
from gateway.configuration import Configuration
from gateway.decisions.recompute import recompute
from gateway.lookup.people import ReachablePeople
from gateway.store.admin import accounts
from gateway.store.admin.matrices import MatrixStore
from gateway.store.admin.schedules import save_schedule
from gateway.store.admin.staff import replace_staff
from gateway.store.decisions.decisions import decision
from gateway.store.distribution.ledgers import ledgers_of, save_ledgers
from gateway.store.distribution.templates import remove_template, save_template
from routing.distribution.ledger import EMPTY, pick
from routing.distribution.template import DistributionTemplate, TemplateHours, TemplateMember
from routing.schedules.model import Schedule, WorkPlan
from routing.settings import LookupPolicy, NumberPolicy, OnePersonPolicy
from routing.staff import Employee
from runtime.database import channels
from runtime.database.listen import Listener
from runtime.lifecycle import background
from tests.integration.pbx.running_gateway import (
    ACCOUNT,
    PEOPLE,
    Running,
    add_connection,
    prepare,
    running_gateway,
)
from tests.waiting import until

KNOWN = "79001234567"
BEARER = {"Authorization": "Bearer demo"}
BORIS = Employee(id="boris", name="Борис", crm_user_id="13", extensions=("103",))
VERA = Employee(id="vera", name="Вера", crm_user_id="14", extensions=("104",))
DAY_AND_NIGHT = dict.fromkeys(range(1, 8), (("00:00", "24:00"),))
NEVER: dict[int, Any] = dict.fromkeys(range(1, 8), ())
SALES = DistributionTemplate(
    name="sales",
    employees=tuple(TemplateMember(employee_id=p) for p in ("boris", "vera", "away")),
    working_time=TemplateHours(mode="individual", schedule="shifts"),
)


@pytest.fixture
async def office(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Running]:
    await prepare(pool)
    async with pool.acquire() as conn, conn.transaction():
        await replace_staff(conn, ACCOUNT, (*PEOPLE, BORIS, VERA))
        await save_template(conn, ACCOUNT, SALES, "olga")
    await work(pool, anna=NEVER, boris=DAY_AND_NIGHT, vera=DAY_AND_NIGHT)
    await add_connection(pool, "generic", "generic")
    async with running_gateway(pool, database_url) as running:
        yield running


async def work(pool: asyncpg.Pool, **people: dict[int, Any]) -> None:
    plans = {person: WorkPlan(hours=hours) for person, hours in people.items()}
    async with pool.acquire() as conn, conn.transaction():
        await save_schedule(conn, ACCOUNT, "shifts", Schedule(people=plans), "olga")


async def change(office: Running, **fields: Any) -> None:
    async with office.pool.acquire() as conn:
        now = (await accounts.account(conn, ACCOUNT)).settings
        await accounts.save_settings(conn, ACCOUNT, now.model_copy(update=fields))


async def asked(office: Running, **params: str) -> dict[str, Any]:
    _, _, body = await office.ask("generic", params={"phone": KNOWN, **params}, headers=BEARER)
    answer: dict[str, Any] = json.loads(body)
    return answer


async def rings(office: Running, *addresses: str) -> dict[str, Any]:
    """Return the answer that rings these, as soon as there is one."""
    found: dict[str, Any] = {}

    async def is_so() -> bool:
        found.update(await asked(office))
        return [target["address"] for target in found["targets"]] == list(addresses)

    await until(is_so, f"a lookup that rings {addresses}, the last: {found}")
    return found


async def test_without_the_setting_nobody_is_passed_over(office: Running) -> None:
    answer = await rings(office, "101")
    assert (answer["outcome"], answer["reason"]) == ("manager", "contact_owner")
    assert answer["targets"] == [{"kind": "extension", "address": "101", "ring_seconds": 20}]


async def test_an_owner_off_shift_gives_way_to_the_template_in_the_ledgers_order(office: Running) -> None:
    await change(office, lookup=LookupPolicy(availability="skip", schedule="shifts", template="sales"))
    answer = await rings(office, "103", "104")
    assert (answer["outcome"], answer["reason"], answer["responsible"]) == (
        "group",
        "owner_unavailable",
        None,
    )
    assert answer["entity"]["id"] == "5001"
    async with office.pool.acquire() as conn, conn.transaction():
        _, after = pick(EMPTY, {"boris": 1, "vera": 1})
        await save_ledgers(conn, ACCOUNT, "sales", {"": after})
    await rings(office, "104", "103")


async def test_a_question_moves_no_ledger(office: Running) -> None:
    await change(office, lookup=LookupPolicy(availability="skip", schedule="shifts", template="sales"))
    await rings(office, "103", "104")
    for _ in range(20):
        await asked(office)
    async with office.pool.acquire() as conn:
        assert await ledgers_of(conn, ACCOUNT, "sales") == {}
    assert await office.rows("SELECT 1 FROM distribution_item") == []


async def test_who_comes_on_shift_is_rung_again(office: Running) -> None:
    await change(office, lookup=LookupPolicy(availability="skip", schedule="shifts", template="sales"))
    await rings(office, "103", "104")
    await work(office.pool, anna=DAY_AND_NIGHT, boris=DAY_AND_NIGHT, vera=DAY_AND_NIGHT)
    assert (await rings(office, "101"))["reason"] == "contact_owner"
    await work(office.pool, anna=NEVER, boris=NEVER, vera=DAY_AND_NIGHT)
    await rings(office, "104")


async def test_who_stands_in_no_schedule_is_rung(office: Running) -> None:
    """What is not known silences no phone."""
    await work(office.pool, boris=DAY_AND_NIGHT)
    await change(office, lookup=LookupPolicy(availability="skip", schedule="shifts"))
    await change(office, lookup=LookupPolicy(availability="skip", schedule="no such schedule"))
    await rings(office, "101")


async def test_who_is_away_is_rung_for_a_moment_where_the_setting_says_so(office: Running) -> None:
    policy = LookupPolicy(availability="ring_first", ring_away_seconds=7, schedule="shifts", template="sales")
    await change(office, lookup=policy)
    answer = await rings(office, "101", "103", "104")
    assert answer["targets"][0] == {
        "kind": "extension",
        "address": "101",
        "ring_seconds": 7,
        "is_away": True,
    }
    _, _, text = await office.ask("generic", params={"phone": KNOWN, "format": "text"}, headers=BEARER)
    assert text == b"103", "a PBX that rings one address rings somebody who is there"


async def test_a_template_that_is_removed_gives_way_to_the_scheme(office: Running) -> None:
    await change(office, lookup=LookupPolicy(availability="skip", schedule="shifts", template="sales"))
    await rings(office, "103", "104")
    async with office.pool.acquire() as conn, conn.transaction():
        await remove_template(conn, ACCOUNT, "sales")
    answer = await rings(office)
    assert (answer["outcome"], answer["reason"]) == ("scheme", "owner_unavailable")


async def test_a_client_for_one_person_is_rung_at_that_person(office: Running) -> None:
    await change(office, one_person=OnePersonPolicy(clients={f"+{KNOWN}": "vera"}))
    answer = await rings(office, "104")
    assert (answer["outcome"], answer["reason"]) == ("manager", "only_this_person")


async def test_a_client_with_a_tag_is_rung_at_the_one_person_of_that_tag(office: Running) -> None:
    vip = CrmEntity(kind="contact", id="5001", owner_id="11", numbers=(f"+{KNOWN}",), tags=("VIP", "x"))
    await change(office, one_person=OnePersonPolicy(tags={"vip": "vera"}))
    async with office.pool.acquire() as conn, conn.transaction():
        assert await watch_marks(conn, ACCOUNT, ["tag:vip"])
        await apply_entities(conn, ACCOUNT, [vip], NumberPolicy())
    answer = await rings(office, "104")
    assert (answer["outcome"], answer["reason"]) == ("manager", "only_this_person")
    async with office.pool.acquire() as conn, conn.transaction():
        await apply_entities(conn, ACCOUNT, [replace(vip, tags=None, name="by webhook")], NumberPolicy())
    await rings(office, "104")  # a webhook tells of no tags
    async with office.pool.acquire() as conn, conn.transaction():
        await apply_entities(conn, ACCOUNT, [replace(vip, tags=("x",))], NumberPolicy())
    await rings(office, "101")


async def test_explain_names_everybody_and_the_decision_can_be_computed_again(office: Running) -> None:
    await change(office, lookup=LookupPolicy(availability="skip", schedule="shifts", template="sales"))
    decision_id = (await rings(office, "103", "104"))["decision_id"]
    await office.until("SELECT 1 FROM decision WHERE decision_id = $1", decision_id)
    async with office.pool.acquire() as conn:
        row = await decision(conn, ACCOUNT, decision_id)
        told = [
            (s["facts"]["employee"], s["because"], s["facts"].get("away"))
            for s in row.steps
            if s["facts"].get("employee")
        ]
        assert told == [
            ("anna", "owner_unavailable", "off_shift"),
            ("anna", "deputy_missing", None),
            ("away", "not_in_schedule", None),
            ("boris", "could_get_it", None),
            ("vera", "could_get_it", None),
        ]
        again = await recompute(conn, MatrixStore(), row)
    assert again.is_same, again


class _Counted(ReachablePeople):
    rounds = 0

    async def refresh(self, now: datetime) -> None:
        self.rounds += 1
        assert self.rounds < 50, "it goes round without a pause, and nothing else has a turn"
        await super().refresh(now)


async def test_a_turn_in_an_account_that_asks_for_nobody_stops_no_gateway(
    pool: asyncpg.Pool, database_url: str
) -> None:
    await prepare(pool)
    listener = Listener(database_url)
    configuration = Configuration(pool, listener)
    people = _Counted(pool, configuration, AtWork())
    async with background(listener.run(), configuration.run(), people.run()) as failed:
        await until(lambda: people.rounds > 0, "it runs")
        await pool.execute("SELECT pg_notify($1, $2)", channels.TURNS, ACCOUNT)
        before = people.rounds
        await until(lambda: people.rounds >= before + 2, "it has heard of the turn and goes on", seconds=10)
        assert not failed.done()
