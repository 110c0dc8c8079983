"""An outage of three days over midnights and the end of summer time, 2,000 calls, some of them returned: what the
reactivation makes of it. What must come out is worked out here from the calls alone."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from crm.effects import backfill
from crm.effects.store.work import PgEffects
from crm.effects.writer import Writer, WriterSettings
from crm.lane import Lane
from crm.store.directory import apply_entities
from gateway.store.admin import accounts
from routing.client import EntityKind
from routing.client_work.call import call_id_of
from routing.settings import NumberPolicy
from tests.fakes.crm import FakeCrm
from tests.fakes.lease import FakeLease
from tests.integration.intake.office import ACCOUNT, Office, a_call, an_office

BEGAN = datetime(2026, 10, 23, 10, tzinfo=UTC)  # Friday noon in Berlin
ENDED = datetime(2026, 10, 26, 10, tzinfo=UTC)  # Monday 11:00; clocks went back on Sunday at 03:00
NOW = ENDED + timedelta(minutes=30)
WINDOW = datetime(2026, 10, 23, 22, tzinfo=UTC)  # Saturday 00:00 in Berlin, still summer time
CALLS = 2000
HOUR = timedelta(hours=1)  # the recommended matrix's deadline for calling back, of working time


@dataclass(frozen=True, slots=True)
class Told:
    key: str
    number: str
    at: datetime
    direction: str
    is_answered: bool

    @property
    def is_in_window(self) -> bool:
        return self.at >= WINDOW

    @property
    def is_missed(self) -> bool:
        return self.direction == "inbound" and not self.is_answered


def the_calls() -> list[Told]:
    """In order, never two at once; a quarter of the missed ones is returned later."""
    dice = random.Random(2026)
    step = (ENDED - BEGAN) / (CALLS + 1)
    calls: list[Told] = []
    for i in range(CALLS):
        at = BEGAN + step * (i + 1)
        waiting = [c for c in calls[-60:] if c.is_missed]
        if waiting and dice.random() < 0.15:
            calls.append(Told(f"c{i}", dice.choice(waiting).number, at, "outbound", dice.random() < 0.8))
        else:
            number = f"+7916{dice.randint(1, 900):07d}"
            calls.append(Told(f"c{i}", number, at, "inbound", dice.random() < 0.4))
    return calls


async def told_and_decided(office: Office, calls: Sequence[Told]) -> None:
    """Two hours at a time, as it happened; nothing can be sent."""
    hours, left = timedelta(hours=2), list(calls)
    while left:
        until = left[0].at.replace(minute=0, second=0, microsecond=0) + hours
        now = [c for c in left if c.at < until]
        left = left[len(now) :]
        office.clock.now = until
        await asyncio.gather(*(_tell(office, c) for c in now))
        office.clock.forward(seconds=15)  # missed calls are settled
        await asyncio.gather(
            *(office.jobs[0]._job.run(ACCOUNT, number) for number in sorted({c.number for c in now}))
        )


async def _tell(office: Office, call: Told) -> None:
    by = "101" if call.is_answered else None
    await office.tell_all(
        a_call(call.key, at=call.at, client=call.number, answered_by=by, direction=call.direction)  # type: ignore[arg-type]
    )


@dataclass
class Reactivated:
    office: Office
    crm: FakeCrm

    async def run(self) -> backfill.BackfillProgress:
        """The operator says "send what was stored", and time passes until that is done."""
        clock = self.office.clock
        writer = Writer(
            self.crm,
            PgEffects(self.office.pool, ACCOUNT, NumberPolicy),
            ACCOUNT,
            FakeLease(),
            self._catch_up,
            settings=WriterSettings(backfill_catch_up_seconds=0),
            feed=backfill.BackfillFeed(self.office.pool, ACCOUNT, now=clock),
            now=clock,
            random=lambda: 0.5,
        )
        async with self.office.pool.acquire() as conn:
            await backfill.start(conn, ACCOUNT, clock())
        for _ in range(200):
            await writer.drain()
            async with self.office.pool.acquire() as conn:
                progress = await backfill.progress(conn, ACCOUNT)
            if progress.state == "done":
                return progress
            clock.forward(seconds=5)
        raise AssertionError(f"never done: {progress}")

    async def _catch_up(self, lane: Lane, kinds: Collection[EntityKind]) -> bool:
        found = [e for kind in kinds for e in self.crm.all(kind)]
        async with self.office.pool.acquire() as conn, conn.transaction():
            await apply_entities(conn, ACCOUNT, found, NumberPolicy())
        return False


@pytest.fixture
async def after(pool: asyncpg.Pool, database_url: str) -> Reactivated:
    office = await an_office(pool, database_url)
    async with pool.acquire() as conn:
        await conn.execute("UPDATE account SET time_zone = 'Europe/Berlin'")
        await accounts.set_account_state(conn, ACCOUNT, "off")
    office.inbox.start()
    await told_and_decided(office, the_calls())
    await office.inbox.stop()
    office.clock.now = NOW
    async with pool.acquire() as conn:
        # The database's own clock is not ours to move.
        await conn.execute(
            "UPDATE effect e SET created_at = d.at FROM decision d WHERE d.account_id = e.account_id"
            " AND d.decision_id = e.decision_id"
        )
        await accounts.set_account_state(conn, ACCOUNT, "on")
    return Reactivated(office, FakeCrm(clock=office.clock))


async def test_after_three_days_come_the_right_calls_and_tasks_of_exactly_the_window(
    after: Reactivated,
) -> None:
    by_number: dict[str, list[Told]] = defaultdict(list)
    for call in the_calls():
        by_number[call.number].append(call)
    assert sum(1 for c in the_calls() if c.direction == "outbound" and c.is_answered) > 200, (
        "some were returned"
    )
    await after.run()

    crm = after.crm
    contacts = Counter(n for c in crm.all("contact") for n in c.numbers)
    assert contacts == {n: 1 for n, calls in by_number.items() if _needs_contact(calls)}
    assert len(crm.all("deal")) == len(contacts)
    assert _open_tasks(crm) == {n: 1 for n, calls in by_number.items() if _waits(calls)}
    due = {t.due_at for t in crm.all_tasks() if not t.is_completed}
    assert all(NOW + HOUR <= at < NOW + 2 * HOUR for at in due), (
        "an hour of work from now, wherever it was night then"
    )
    _notes_are_right(crm, by_number)

    requests = len(crm.requests)
    await after.run()
    assert [r for r in crm.requests[requests:] if r.method != "page"] == [], "a second run changes nothing"


def _needs_contact(calls: Sequence[Told]) -> bool:
    """One who rang in the window, or who was rung in it after he had rung before."""
    first = next((i for i, c in enumerate(calls) if c.direction == "inbound"), len(calls))
    return any(c.is_in_window and (c.direction == "inbound" or c.is_answered) for c in calls[first:])


def _waits(calls: Sequence[Told]) -> bool:
    """He called in vain in the window, and nobody has talked with him since."""
    last_talk = max((c.at for c in calls if c.is_answered), default=BEGAN)
    return any(c.is_missed and c.is_in_window and c.at > last_talk for c in calls)


def _open_tasks(crm: FakeCrm) -> Mapping[str, int]:
    contacts = {c.id: c.numbers[0] for c in crm.all("contact")}
    numbers = {d.id: contacts[d.contact_ids[0]] for d in crm.all("deal")} | contacts
    return Counter(numbers[t.target_id] for t in crm.all_tasks() if not t.is_completed and t.target_id)


def _notes_are_right(crm: FakeCrm, by_number: Mapping[str, Sequence[Told]]) -> None:
    """Each answered call of the window once, and the first missed one of a new client; with the time of the call."""
    written = {order.uniq: order for order in crm.calls.values()}
    assert len(written) == len(crm.all_notes()), "a note was doubled"
    expected = {}
    for calls in by_number.values():
        first = next((i for i, c in enumerate(calls) if c.direction == "inbound"), len(calls))
        for i, call in enumerate(calls):
            has_note = call.is_answered and i >= first if call.direction == "outbound" else call.is_answered
            if call.is_in_window and (has_note or (call.is_missed and i == first)):
                expected[call_id_of(ACCOUNT, "pbx", call.key)] = call.at
    assert {uniq: order.at for uniq, order in written.items()} == expected
