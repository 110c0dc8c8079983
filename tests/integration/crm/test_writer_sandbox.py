"""The writer, the real adapter and the sandbox over HTTP: every fault ends with everything there exactly once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

import aiohttp
import asyncpg
import pytest

from crm.amocrm.adapter import AmoCrm
from crm.amocrm.transport import Transport
from crm.budget import TAKEOVER_SECONDS
from crm.effects import backfill, order
from crm.effects.store.work import PgEffects
from crm.effects.writer import Writer, WriterSettings
from crm.guarded_budget import GuardedBudget
from crm.lane import Lane
from crm.port import CrmTask
from crm.sandbox.sample_account import DEACTIVATED
from crm.sandbox.seed import manager
from crm.sandbox.server import Sandbox
from crm.sync.sync import Sync
from routing.client import Ref
from routing.effects import AddNote, AttachCall, ChangeNote, CreateContact, CreateDeal, CreateTask, Effect
from routing.settings import NumberPolicy
from runtime.database.lease import Lease, Leases
from tests.fakes.tokens import FixedToken
from tests.integration.crm.writer_bench import a_note, new_call
from tests.waiting import until

_NOTHING_OPEN = "SELECT NOT EXISTS (SELECT 1 FROM effect WHERE state IN ('waiting', 'sending', 'unknown'))"
FAST = WriterSettings(quiet_seconds=0.9, poll_seconds=0.1)


@dataclass
class Shop:
    """An account with everything real but the CRM's owner."""

    sandbox: Sandbox
    pool: asyncpg.Pool
    http: aiohttp.ClientSession
    lease: Lease

    def __post_init__(self) -> None:
        self.token = self.sandbox.token()
        self.stand_ins: dict[str, tuple[str, ...]] = {}
        self.refused_values = 0
        other = FixedToken(self.sandbox.url, self.sandbox.token("reader"))
        self.reader = AmoCrm(self.sandbox.url, other, GuardedBudget(self.lease), self.http)
        self.restart()

    def connected(self, token: str) -> AmoCrm:
        transport = Transport(self.http, write_seconds=0.6, read_seconds=5.0)
        tokens = FixedToken(self.sandbox.url, token)
        budget = GuardedBudget(self.lease)
        budget.pause(TAKEOVER_SECONDS)
        return AmoCrm(self.sandbox.url, tokens, budget, self.http, transport=transport)

    def restart(self) -> None:
        """A new process: nothing in memory."""
        self.crm = self.connected(self.token)
        self.sync = Sync(self.crm, self.pool, "a", NumberPolicy())
        feeder = backfill.BackfillFeed(self.pool, "a")
        self.writer = Writer(
            self.crm,
            PgEffects(self.pool, "a", NumberPolicy),
            "a",
            self.lease,
            self.sync.catch_up,
            settings=FAST,
            feed=feeder,
            stand_ins=lambda user: self.stand_ins.get(user, ()),
            on_refused_value=self._refused_value,
        )

    def _refused_value(self) -> None:
        self.refused_values += 1

    async def order(self, calls: int, lane: Lane = Lane.EVENTS, *, held: bool = False) -> None:
        async with self.pool.acquire() as conn, conn.transaction():
            for i in range(calls):
                number = f"+7916555{i:04d}"
                await order.order(
                    conn,
                    account_id="a",
                    decision_id="d",
                    call_id=f"c{i}",
                    client=number,
                    lane=lane,
                    effects=[_of_nobody(e) for e in new_call(f"c{i}", number, datetime.now(UTC))],
                    held=held,
                )

    async def faults(self, *rules: dict[str, Any]) -> None:
        async with self.http.post(
            f"{self.sandbox.url}/_sandbox/faults", json={"rules": list(rules)}
        ) as reply:
            assert reply.status < 300, await reply.text()

    async def fired(self) -> int:
        async with self.http.get(f"{self.sandbox.url}/_sandbox/faults") as reply:
            return sum(rule["fired"] for rule in (await reply.json())["rules"])

    async def ledger(self) -> list[dict[str, Any]]:
        async with self.http.get(f"{self.sandbox.url}/_sandbox/ledger") as reply:
            return list((await reply.json())["requests"])

    async def _is_over(self, running: asyncio.Task[None], sql: str) -> bool:
        if running.done():
            running.result()
        return bool(await self.pool.fetchval(sql))

    async def settled(self, seconds: float = 60) -> dict[str, int]:
        """Runs the writer until nothing is open; states and how many effects are in each."""
        running = asyncio.create_task(self.writer.run())
        try:
            await until(lambda: self._is_over(running, _NOTHING_OPEN), "no effect is open", seconds=seconds)
        finally:
            self.writer.stop()
            await asyncio.wait_for(running, 10)
        rows = await self.pool.fetch("SELECT state, count(*) AS n FROM effect GROUP BY state")
        return {r["state"]: r["n"] for r in rows}

    async def check(self, calls: int) -> None:
        """Each call's contact, deal, note and task are there once, from the CRM's own data."""
        contacts: Counter[str] = Counter()
        deals: list[str] = []
        for i in range(calls):
            number = f"+7916555{i:04d}"
            found = await self.reader.find_by_number("contact", number, Lane.EVENTS)
            contacts[number] = len(found)
            deals += found[0].deal_ids
        assert set(contacts.values()) == {1}
        assert len(deals) == len(set(deals)) == calls
        notes = await self.reader.notes("deal", deals, Lane.EVENTS)
        assert Counter(n.uniq for n in notes if n.uniq) == {f"c{i}": 1 for i in range(calls)}
        tasks: list[CrmTask] = await self.reader.tasks("deal", deals, Lane.EVENTS)
        assert Counter(t.target_id for t in tasks) == dict.fromkeys(deals, 1)


def _of_nobody(effect: Effect) -> Effect:
    """Without owners: the sandbox's users have ids of its own."""
    order = effect.order
    assert isinstance(order, CreateContact | CreateDeal | CreateTask | AttachCall)
    return effect.model_copy(update={"order": order.model_copy(update={"owner_id": None})})


@pytest.fixture
async def shop(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Shop]:
    await pool.execute(
        "INSERT INTO account (account_id, name, base_url, webhook_secret) VALUES ('a', 'A', 'http://x', 's')"
    )
    async with (
        Sandbox(contacts=3) as sandbox,
        aiohttp.ClientSession() as session,
        Leases(database_url).of("a") as lease,
    ):
        shop = Shop(sandbox, pool, session, lease)
        await shop.sync.load()
        yield shop


async def test_live_calls_of_new_clients_arrive_complete(shop: Shop) -> None:
    await shop.order(3)
    assert await shop.settled() == {"done": 12}
    await shop.check(3)


COMPLEX, NOTES, TASKS = "/api/v4/leads/complex", "/api/v4/leads/notes", "/api/v4/tasks"
FAULTS = ("answer_lost", "reset", "truncate", "500", "502", "504", "hang", "429")
SHORT = [(COMPLEX, fault) for fault in FAULTS] + [(NOTES, "answer_lost"), (TASKS, "answer_lost")]
LONG = [pytest.param(path, f, marks=pytest.mark.slow) for path in (NOTES, TASKS) for f in FAULTS[1:]]


@pytest.mark.parametrize(("path", "fault"), [*SHORT, *LONG])
async def test_a_faulty_write_ends_with_everything_there_once(shop: Shop, path: str, fault: str) -> None:
    await shop.faults({"match": {"method": "POST", "path": path}, "nth": 1, "fault": fault})
    await shop.order(2)
    assert await shop.settled() == {"done": 8}
    assert await shop.fired() == 1
    await shop.faults()
    await shop.check(2)


async def test_a_closed_api_rings_the_alarm_drops_nothing_and_is_not_hammered(shop: Shop) -> None:
    await shop.faults({"match": {"path": "/api/"}, "always": True, "fault": "403"})
    await shop.order(2)
    before = len(await shop.ledger())
    for _ in range(20):
        await shop.writer.drain()
    assert len(await shop.ledger()) - before <= 2
    status = shop.writer.status()
    assert (status.reason, status.is_alarm) == ("crm-blocked", True)
    assert {r["state"] for r in await shop.pool.fetch("SELECT state FROM effect")} == {"waiting"}
    await shop.faults()
    shop.restart()
    assert await shop.settled() == {"done": 8}
    await shop.check(2)


async def test_a_token_that_was_revoked_breaks_the_account_and_holds_its_effects(shop: Shop) -> None:
    shop.token = "not a token"
    shop.restart()
    await shop.order(2)
    assert await shop.settled() == {"held": 8}
    row = await shop.pool.fetchrow("SELECT state, state_reason FROM account")
    assert row is not None
    assert row["state"] == "broken"
    assert row["state_reason"]


async def test_a_backfill_over_http_stays_near_the_lower_bound_and_inside_the_limit(shop: Shop) -> None:
    calls = 300
    await shop.order(calls, held=True)
    before = len(await shop.ledger())
    async with shop.pool.acquire() as conn:
        await backfill.start(conn, "a", datetime.now(UTC) + timedelta(seconds=1))
    running = asyncio.create_task(shop.writer.run())
    over = "SELECT state = 'done' FROM backfill_run"
    await until(lambda: shop._is_over(running, over), "the backfill is over", seconds=100)
    shop.writer.stop()
    await asyncio.wait_for(running, 10)
    requests = (await shop.ledger())[before:]
    writes = [r for r in requests if r["method"] != "GET"]
    bound = ceil(calls / 50) + 2 * ceil(calls / 250)
    assert len(writes) <= 1.5 * bound
    times = sorted(r["at"] for r in await shop.ledger() if r["integration"] == "check")
    assert all(b - a >= 1.0 for a, b in zip(times, times[7:], strict=False))
    states = {r["state"] for r in await shop.pool.fetch("SELECT DISTINCT state FROM effect")}
    assert states == {"done"}


async def test_values_that_the_crm_will_not_have_are_left_out_and_the_call_arrives_complete(
    shop: Shop,
) -> None:
    fields = {f.name: f for f in await shop.reader.fields("deal", Lane.EVENTS)}
    text = next(f.id for f in fields.values() if f.type == "text")
    select = next(f.id for f in fields.values() if f.type == "select")
    number = next(f.id for f in fields.values() if f.type == "numeric")
    bad = {text: "x" * 430, select: "no such choice", number: "many", "99999999": "gone"}
    async with shop.pool.acquire() as conn, conn.transaction():
        for i in range(3):
            client = f"+7916555{i:04d}"
            effects = [_of_nobody(e) for e in new_call(f"c{i}", client, datetime.now(UTC))]
            if i == 1:
                deal = effects[1]
                order_ = deal.order.model_copy(update={"fields": bad, "name": "Call " + "y" * 400})
                effects[1] = deal.model_copy(update={"order": order_})
            await order.order(
                conn, account_id="a", decision_id="d", call_id=f"c{i}", client=client, lane=Lane.EVENTS,
                effects=effects,
            )  # fmt: skip
    assert await shop.settled() == {"done": 12}
    await shop.check(3)
    rows = await shop.pool.fetch("SELECT effect_key, crm_extra->>'left_out' AS out FROM effect")
    left_out = {row["effect_key"]: row["out"] for row in rows if row["out"]}
    assert left_out.keys() == {"c1:deal"}
    assert {told.split(":")[0] for told in left_out["c1:deal"].split("; ")} == bad.keys()


async def test_what_the_crm_will_not_give_to_somebody_who_left_goes_to_whoever_stands_in(shop: Shop) -> None:
    gone, deputy, boss = str(DEACTIVATED), str(manager(101)), str(manager(102))
    async with shop.http.post(
        f"{shop.sandbox.url}/_sandbox/act", json={"do": "deactivate_user", "user": manager(101)}
    ) as reply:
        assert reply.status < 300, await reply.text()
    shop.stand_ins = {gone: (deputy, boss), "7": ()}
    for call, client, owner in (("c0", "+79165550000", gone), ("c1", "+79165550001", "7")):
        effects = [
            e.model_copy(update={"order": e.order.model_copy(update={"owner_id": owner})})
            for e in new_call(call, client, datetime.now(UTC))
        ]
        target = Ref(kind="deal", effect=f"{call}:deal")
        talked = a_note(call, client, target).model_copy(
            update={"owner_id": owner, "answered_by": "Anna", "uniq": f"{call}:talk", "status": "talked"}
        )
        effects.append(Effect(key=f"{call}:talk", order=talked))
        effects.append(Effect(key=f"{call}:text", order=AddNote(target=target, text=call, owner_id=owner)))
        async with shop.pool.acquire() as conn, conn.transaction():
            await order.order(
                conn, account_id="a", decision_id="d", call_id=call, client=client, lane=Lane.EVENTS,
                effects=effects,
            )  # fmt: skip
    assert await shop.settled() == {"done": 12}
    contacts = [
        (await shop.reader.find_by_number("contact", f"+7916555000{i}", Lane.EVENTS))[0] for i in (0, 1)
    ]
    assert contacts[0].owner_id == boss
    deals = [id for contact in contacts for id in contact.deal_ids]
    assert len(deals) == 2
    tasks = {t.target_id: t.owner_id for t in await shop.reader.tasks("deal", deals, Lane.EVENTS)}
    assert tasks[deals[0]] == boss
    assert len(await shop.reader.notes("deal", deals, Lane.EVENTS)) == 6
    rows = {r["effect_key"]: r["crm_extra"] for r in await shop.pool.fetch("SELECT * FROM effect")}
    assert rows["c0:task"]["refused_owners"] == f"{gone}; {deputy}"
    assert rows["c0:task"]["owner"] == boss
    assert {rows[key]["owner"] for key in ("c0:talk", "c1:contact", "c1:task")} == {""}


async def test_a_note_is_rewritten_though_the_answer_is_lost_and_let_go_once_it_is_deleted(
    shop: Shop,
) -> None:
    deal = Ref(kind="deal", effect="c0:deal")

    async def wanted(*effects: Effect) -> None:
        async with shop.pool.acquire() as conn, conn.transaction():
            await order.order(
                conn, account_id="a", decision_id="d", call_id=None, client="+79165550000",
                lane=Lane.EVENTS, effects=effects,
            )  # fmt: skip

    def text(text: str) -> Effect:
        return Effect(key=text, order=ChangeNote(note="note", target=deal, text=text))

    await shop.faults({"match": {"method": "PATCH", "path": NOTES}, "nth": 1, "fault": "answer_lost"})
    await wanted(
        Effect(key="c0:deal", order=CreateDeal(name="Topics")),
        Effect(key="note", order=AddNote(target=deal, text="one")),
    )
    assert await shop.settled() == {"done": 2}
    shop.restart()
    await wanted(text("two"))
    assert await shop.settled() == {"done": 3}
    assert await shop.fired() == 1
    ids = {r["effect_key"]: r["crm_id"] for r in await shop.pool.fetch("SELECT * FROM effect")}
    [note] = await shop.reader.notes("deal", [ids["c0:deal"]], Lane.EVENTS)
    assert (note.id, note.text) == (ids["note"], "two")
    shop.sandbox.state.table("notes").drop(int(note.id))
    shop.restart()
    await wanted(text("three"))
    assert await shop.settled() == {"done": 3, "skipped": 1}
    assert await shop.reader.notes("deal", [ids["c0:deal"]], Lane.EVENTS) == []


async def test_a_trial_that_ended_pauses_the_account_and_payment_brings_everything_once(shop: Shop) -> None:
    profile = shop.sandbox.state.profile
    shop.sandbox.state.profile = profile.changed({"subscription": "trial_ended"})
    await shop.order(5)
    running = asyncio.create_task(shop.writer.run())
    try:
        await until(lambda: shop.writer.status().is_alarm, "the alarm", seconds=20)
        await asyncio.sleep(3)
        states = {r["state"] for r in await shop.pool.fetch("SELECT DISTINCT state FROM effect")}
        assert states == {"waiting"}
        people = [
            await shop.reader.find_by_number("contact", f"+7916555{i:04d}", Lane.EVENTS) for i in range(5)
        ]
        assert people == [[]] * 5, "no contact without its deal"
        asked = [r for r in await shop.ledger() if r["method"] == "POST" and r["status"] == 400]
        assert len(asked) <= 2
    finally:
        shop.writer.stop()
        await asyncio.wait_for(running, 10)
    shop.sandbox.state.profile = profile
    shop.restart()  # the pause is a minute
    assert await shop.settled() == {"done": 20}
    await shop.check(5)
