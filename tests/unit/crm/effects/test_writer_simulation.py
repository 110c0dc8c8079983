"""The writer through random faults, crashes and neighbours, with a virtual clock: every effect happens exactly once or
sits on the desk, and nothing is left over."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import pytest

from crm.effects.writer import Writer, WriterSettings
from crm.errors import (
    CrmBlocked,
    CrmError,
    CrmOutcomeUnknown,
    CrmThrottled,
    CrmTooLarge,
    CrmUnavailable,
    CrmUnpaid,
)
from crm.lane import Lane
from crm.port import CrmEntity
from routing.client import EntityKind, Ref
from routing.effects import AttachCall, ChangeTask, CreateContact, CreateDeal, CreateTask, Effect
from tests.fakes.crm import FakeCrm
from tests.fakes.effects import FakeEffects
from tests.fakes.lease import FakeLease

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
WRITES = (
    "create_contacts",
    "create_deals",
    "create_deals_with_contacts",
    "attach_calls",
    "attach_calls_by_number",
    "create_tasks",
    "change_tasks",
)
READS = ("page", "notes", "tasks")


class Killed(BaseException):
    """kill -9 of the writer's process, at the worst moment."""


class World:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = START
        self.crm = FakeCrm(clock=lambda: self.now)
        self.effects = FakeEffects()
        self.writer = self.new_writer()
        self.refused: set[str] = set()

    def new_writer(self) -> Writer:
        return Writer(
            self.crm,
            self.effects,
            "a",
            FakeLease(),
            self.catch_up,
            settings=WriterSettings(catch_up_seconds=0, backfill_catch_up_seconds=0),
            now=lambda: self.now,
            random=self.random.random,
        )

    async def catch_up(self, lane: Lane, kinds: Collection[EntityKind]) -> bool:
        self.effects.learn([e for kind in kinds for e in self.crm.all(kind)])
        return False

    def order_calls(self) -> None:
        for i in range(self.random.randint(1, 25)):
            number = f"+7916000{self.random.randint(1, 12):04d}"
            lane = self.random.choice([Lane.EVENTS, Lane.BACKFILL])
            effects = call_effects(f"c{i}", number, self.now)
            self.effects.order(number, lane, self.now, *effects)
            if self.random.random() < 0.1:
                bad = self.random.choice(effects)
                self.crm.refuse(bad.key, "NotSupportedChoice", "responsible_user_id")
                self.refused.add(bad.key)

    def plan_faults(self) -> None:
        for _ in range(self.random.randint(0, 12)):
            errors: list[BaseException] = [
                CrmOutcomeUnknown("lost"),
                CrmOutcomeUnknown("500"),
                CrmTooLarge("504"),
                CrmThrottled("429", self.random.choice([None, 3.0])),
                CrmBlocked("html"),
                CrmUnpaid("402"),
                CrmUnavailable("no connection"),
                Killed(),
            ]
            error = self.random.choice(errors)
            is_doubtful = isinstance(error, Killed) or (
                isinstance(error, CrmError) and error.is_outcome_unknown
            )
            method = self.random.choice(WRITES if self.random.random() < 0.8 else READS)
            self.crm.fail(
                method,
                error,  # type: ignore[arg-type]
                has_effect=is_doubtful and method in WRITES and self.random.random() < 0.6,
                after=self.random.randint(0, 3),
            )

    def meddle(self) -> None:
        """Somebody enters a client by hand."""
        number = f"8916000{self.random.randint(1, 12):04d}"
        if not any(number[1:] in n for c in self.crm.all("contact") for n in c.numbers):
            new = str(500 + self.random.randint(0, 400))
            self.crm.seed(CrmEntity(kind="contact", id=new, numbers=(number,), created_at=self.now))

    async def live(self) -> None:
        for _ in range(2000):
            if self.random.random() < 0.02:
                self.meddle()
            try:
                await self.work()
            except Killed:
                self.writer = self.new_writer()
                await self.writer.recover_in_flight()
            if self.effects.is_settled:
                return
            self.now += timedelta(seconds=self.random.choice([0.3, 5, 60]))
        raise AssertionError("it never comes to rest")

    async def work(self) -> None:
        """As many pieces at once as the writer gives out, ended in any order."""
        works = []
        while work := await self.writer.next_work():
            works.append(work)
        self.random.shuffle(works)
        killed = False
        for work in works:
            try:
                if not killed:
                    await self.writer.do(work)
            except Killed:
                killed = True
        if killed:
            raise Killed


def call_effects(call: str, number: str, at: datetime) -> tuple[Effect, ...]:
    contact, deal = Ref(kind="contact", effect=f"{call}:contact"), Ref(kind="deal", effect=f"{call}:deal")
    note = AttachCall(
        target=deal, uniq=call, direction="inbound", number=number, at=at, talk_seconds=0, status="no_answer"
    )
    task = CreateTask(target=deal, owner_id="1", text=f"Call back {call}", due_at=at + timedelta(minutes=15))
    return (
        Effect(key=f"{call}:contact", order=CreateContact(name=number, number=number)),
        Effect(key=f"{call}:deal", order=CreateDeal(name=f"Call {number}", contact=contact)),
        Effect(key=f"{call}:note", order=note),
        Effect(key=f"{call}:task", order=task),
        Effect(key=f"{call}:done", order=ChangeTask(task=f"{call}:task", is_completed=True)),
    )


def check(world: World) -> None:
    rows = world.effects.rows
    assert {r.state for r in rows.values()} <= {"done", "dead"}
    for key, row in rows.items():
        assert row.state == "done" or key in world.refused or row.code == "dependency", (key, row.code)
    numbers = Counter(
        "".join(c for c in n if c.isdigit())[-10:] for e in world.crm.all("contact") for n in e.numbers
    )
    assert max(numbers.values(), default=0) <= 1, "a contact was doubled"
    deals = Counter(d.contact_ids for d in world.crm.all("deal"))
    assert max(deals.values(), default=0) <= 1, "a deal was doubled"
    done = {k for k, r in rows.items() if r.state == "done"}
    notes = Counter(n.uniq for n in world.crm.all_notes())
    tasks = Counter(t.text.rpartition(" ")[2] for t in world.crm.all_tasks())
    assert notes == Counter(k.partition(":")[0] for k in done if k.endswith(":note"))
    assert tasks == Counter(k.partition(":")[0] for k in done if k.endswith(":task"))
    completed = {t.text.rpartition(" ")[2] for t in world.crm.all_tasks() if t.is_completed}
    assert completed == {k.partition(":")[0] for k in done if k.endswith(":done")}


async def _run(seed: int) -> World:
    world = World(seed)
    world.order_calls()
    world.plan_faults()
    await world.live()
    return world


@pytest.mark.parametrize("first", range(0, 400, 100))
async def test_every_effect_happens_exactly_once_or_sits_on_the_desk(first: int) -> None:
    faults = 0
    for seed in range(first, first + 100):
        world = await _run(seed)
        try:
            check(world)
        except AssertionError as err:
            raise AssertionError(f"seed {seed}: {err}") from err
        faults += sum(1 for row in world.effects.rows.values() if row.unknown_attempts)
    assert faults > 40, "the faults must have fired"


async def test_without_the_look_after_a_lost_answer_the_checker_finds_twins() -> None:
    """The checker can fail: a writer that sends again without looking makes doubles."""
    world = World(1)
    world.effects.order("+79160000001", Lane.EVENTS, START, *call_effects("c1", "+79160000001", START))
    world.crm.fail("create_tasks", CrmOutcomeUnknown("lost"), has_effect=True)
    await world.work()
    await world.work()
    await world.work()
    row = world.effects.rows["c1:task"]
    assert row.state == "unknown"
    row.state = "waiting"
    row.next_try_at = None
    await world.live()
    with pytest.raises(AssertionError):
        check(world)


def test_the_simulation_needs_no_real_time() -> None:
    assert asyncio.run(_run(7)).now > START
