"""One seed's world: a PBX that tells its calls badly, the job, the writer and a moody CRM, all on one virtual clock."""

from __future__ import annotations

import random
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from itertools import count

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
from gateway.pbx.connection import Connection
from gateway.pbx.push_format import parse_event
from routing.client import EntityKind
from routing.matrix.model import Matrix
from routing.matrix.presets import recommended
from routing.settings import AccountSettings, CallPolicy, CasePolicy
from routing.staff import Employee, Staff
from tests.chaos.facts import CallFacts, facts_of
from tests.chaos.pbx import Accepted
from tests.chaos.tenants import Tenant
from tests.chaos.traffic import EXTENSIONS, LINE, PlannedCall, PlannedEvent, plan
from tests.fakes.crm import FakeCrm
from tests.fakes.effects import FakeEffects
from tests.fakes.lease import FakeLease
from tests.unit.simulation.more_traffic import with_more
from tests.unit.simulation.office import Core, Office

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
SENIORS = ("boss", "102")
SETTINGS = AccountSettings(
    calls=CallPolicy(settle_seconds=2, lost_hangup_minutes=5),
    cases=CasePolicy(escalate_minutes=4, seniors=SENIORS),
)
STAFF = Staff.of(
    [
        Employee(id="boss", name="Старший", crm_user_id="1", extensions=("100",), is_senior=True),
        *(Employee(id=x, name=f"Менеджер {x}", crm_user_id=x, extensions=(x,)) for x in EXTENSIONS),
    ]
)
TENANT = Tenant(account="a", share=1.0, skews={"generic": 0.0, "branch": 300.0, "plain": None})
MATRIX = recommended()
WRITES = (
    "create_contacts",
    "create_deals",
    "create_deals_with_contacts",
    "attach_calls",
    "create_tasks",
    "change_tasks",
    "add_notes",
)
READS = ("page", "notes", "tasks")


class Killed(BaseException):
    """kill -9 of the writer's process while a request is under way."""


class World:
    """calls: how many are planned. has_faults: the CRM is moody and writers are killed. core: what the job works by.
    matrix: the recommended one; with one that waits, another integration makes the entities of half of the clients."""

    def __init__(
        self,
        seed: int,
        calls: int = 6,
        *,
        has_faults: bool = True,
        core: Core | None = None,
        matrix: Matrix = MATRIX,
    ) -> None:
        self.random = random.Random(seed)
        self.seconds = 0.0
        self.crm = FakeCrm(clock=self.now)
        self.effects = FakeEffects()
        self.office = Office(self.effects, matrix, STAFF, SETTINGS, self.now, core)
        self.planned = with_more(plan(seed, 40.0, calls, (TENANT,)), random.Random(seed + 1))
        self.accepted: list[Accepted] = []
        self.kills = 0
        self._know_clients()
        self.arrivals: dict[str, float] = {}
        if any(table.waits_for_entities for table in matrix.tables.values()):
            self.arrivals = self._plan_arrivals()
        self.arrived: set[str] = set()
        self.writer = self._new_writer()
        if has_faults:
            self._plan_faults()

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    @property
    def facts(self) -> list[CallFacts]:
        return facts_of(self.accepted)

    async def live(self) -> None:
        """Everything is told, then time passes until nothing is left to do."""
        for at, call, event in sorted(self._messages(), key=lambda m: (m[0], m[1].key, m[2].at)):
            await self._pass_time(until=at)
            self._tell(call, event)
        for _ in range(3000):
            if self._is_at_rest():
                return
            await self._pass_time(until=self.seconds + self.random.choice([0.3, 2, 20, 60]))
        raise AssertionError("it never comes to rest")

    def _is_at_rest(self) -> bool:
        is_idle = not self.office.due() and self.office.next_due is None
        return is_idle and self.effects.is_settled and len(self.arrived) == len(self.arrivals)

    # --- telling -----------------------------------------------------------------------------------------------

    def _messages(self) -> list[tuple[float, PlannedCall, PlannedEvent]]:
        """(when a gateway accepts it at last, call, event), repetitions included."""
        return [
            (event.sent_at + self._delay(), call, event)
            for call in self.planned
            for event in call.events
            if not event.is_lost
            for _ in range(event.copies)
        ]

    def _delay(self) -> float:
        """A gateway or the database may be away: the PBX tries again."""
        return self.random.choice([0.0, 0.0, 0.0, 0.0, 0.2, 1.0, 6.0])

    def _tell(self, call: PlannedCall, event: PlannedEvent) -> None:
        fields = dict(event.fields)
        skew = fields.pop("_skew", None)
        told_at = None if skew is None else START + timedelta(seconds=event.at + skew)
        if told_at is not None:
            fields["at"] = told_at.isoformat()
        happened = START + timedelta(seconds=event.at)
        accepted = Accepted(call, event, happened, self.now(), told_at, 0, 1, False)
        is_repeated = any(a.event is event for a in self.accepted)
        self.accepted.append(accepted)
        if not is_repeated:
            events = parse_event(fields, "", self.now(), CONNECTION)
            self.office.tell(call.key, call.number, call.connection, events)

    # --- working -----------------------------------------------------------------------------------------------

    async def _pass_time(self, until: float) -> None:
        while True:
            await self._turn()
            if self.seconds >= until:
                return
            self.seconds = min(until, self.seconds + self.random.choice([0.1, 0.5, 3.0, 30.0]))

    async def _turn(self) -> None:
        """Workers and the writer in any order; each may be away just now."""
        self._let_others_create()
        for part in self.random.sample(["jobs", "writer"], 2):
            if self.random.random() < 0.25:
                continue
            if part == "jobs":
                for client in self.office.due():
                    if self.random.random() < 0.9:
                        self.office.work(client)
            else:
                await self._write()

    async def _write(self) -> None:
        try:
            works = []
            while work := await self.writer.next_work():
                works.append(work)
            self.random.shuffle(works)
            for number, work in enumerate(works):
                try:
                    await self.writer.do(work)
                except Killed:
                    del works[number + 1 :]
                    raise
        except Killed:
            self.kills += 1
            self.writer = self._new_writer()
            await self.writer.recover_in_flight()

    def _new_writer(self) -> Writer:
        return Writer(
            self.crm,
            self.effects,
            "a",
            FakeLease(),
            self._catch_up,
            settings=WriterSettings(catch_up_seconds=0, backfill_catch_up_seconds=0),
            now=self.now,
            random=self.random.random,
        )

    async def _catch_up(self, lane: Lane, kinds: Collection[EntityKind]) -> bool:
        self.effects.learn([e for kind in kinds for e in self.crm.all(kind)])
        return False

    # --- arranging ---------------------------------------------------------------------------------------------

    def _know_clients(self) -> None:
        """Those whose numbers the plan takes from the sample contacts."""
        ids = count(1)
        numbers = {c.number for c in self.planned if c.number and c.number.startswith("+7900")}
        for number in sorted(numbers):
            new = str(next(ids))
            contact = CrmEntity(kind="contact", id=new, numbers=(number,), owner_id="101", created_at=START)
            self.crm.seed(contact)
            self.effects.learn([contact])

    def _plan_arrivals(self) -> dict[str, float]:
        """When another integration makes contact and deal of a client: soon after the first call is over."""
        first_end: dict[str, float] = {}
        for call in self.planned:
            if call.number and not call.number.startswith("+7900"):
                first_end.setdefault(call.number, max(e.at for e in call.events if e.name != "recording"))
        chosen = [number for number in first_end if self.random.random() < 0.5]
        return {number: first_end[number] + self.random.uniform(0.5, 20) for number in chosen}

    def _let_others_create(self) -> None:
        due = [n for n, at in self.arrivals.items() if at <= self.seconds and n not in self.arrived]
        for number in due:
            self.arrived.add(number)
            id = f"9{number[-7:]}{number[2:4]}"
            now = self.now()
            contact = CrmEntity(
                kind="contact", id=id, numbers=(number,), owner_id="103", created_at=now, updated_at=now
            )
            deal = CrmEntity(
                kind="deal", id=f"8{id}", contact_ids=(id,), owner_id="103", created_at=now, updated_at=now
            )
            self.crm.seed(contact, deal)
            self.effects.learn([contact, deal])

    def _plan_faults(self) -> None:
        for _ in range(self.random.randint(0, 8)):
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


CONNECTION = Connection(
    account_id="a", id="pbx", name="pbx", kind="generic", secret_hash="", lines=("+" + LINE,)
)
