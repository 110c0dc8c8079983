"""A reactivation after an outage: the right calls of the window, the right tasks, once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import ceil

import asyncpg
import pytest

from crm.effects import backfill, order
from crm.effects.store.held_days import done_by_kind, held_days, progress_by_day
from crm.lane import Lane
from crm.port import CrmEntity
from crm.store.directory import apply_entities
from routing.client import EntityKind, Ref
from routing.effects import ChangeTask, CreateContact, CreateDeal, CreateTask, Effect
from routing.settings import NumberPolicy
from tests.fakes.crm import FakeCrm
from tests.integration.crm.writer_bench import WriterBench, a_note, new_call

TODAY = datetime(2026, 3, 4, 9, tzinfo=UTC)  # noon in Moscow


class Outage(WriterBench):
    """Calls during an outage, in virtual time; then `reactivate` and `run_backfill`."""

    async def account(self, state: str = "off") -> None:
        await self.pool.execute(
            "INSERT INTO account (account_id, name, base_url, webhook_secret, time_zone, state)"
            " VALUES ('a', 'A', 'http://x', 's', 'Europe/Moscow', $1)"
            " ON CONFLICT (account_id) DO UPDATE SET state = $1",
            state,
        )

    async def call(
        self,
        call: str,
        client: str,
        at: datetime,
        *,
        answered: bool = False,
        direction: str = "inbound",
        ahead: timedelta = timedelta(0),
    ) -> None:
        """ahead: what the clock of the PBX that told of it is ahead of ours."""
        await self.pool.execute(
            "INSERT INTO call (account_id, call_id, connection_id, call_key, client, direction, disposition, is_over,"
            " started_at, facts, clock_offset) VALUES ('a', $1, 'p', $1, $2, $3, $4, true, $5, '{}', $6)",
            call,
            client,
            direction,
            "answered" if answered else "no_answer",
            at + ahead,
            -ahead,
        )

    async def missed(self, call: str, client: str, at: datetime, *, ahead: timedelta = timedelta(0)) -> None:
        """A missed call of a new client, decided while nothing could be sent."""
        await self.call(call, client, at, ahead=ahead)
        self.now = at
        effects = [
            e.model_copy(update={"order": e.order.model_copy(update={"purpose": "call_back"})})
            if isinstance(e.order, CreateTask)
            else e
            for e in new_call(call, client, at)
        ]
        await self.order(*effects, client=client, held=True)

    async def wrote(self, message: str, client: str, at: datetime, *, held: bool = True) -> None:
        """Somebody wrote in a messenger: a contact and a deal without a call."""
        self.now = at
        contact = Effect(
            key=f"chat:c:{message}:contact",
            order=CreateContact(
                name="Клиент", number=client if client.startswith("+") else "", owner_id=None
            ),
        )
        deal = CreateDeal(name="Сделка", contact=Ref(kind="contact", effect=contact.key), owner_id=None)
        await self.order(contact, Effect(key=f"chat:c:{message}:deal", order=deal), client=client, held=held)

    async def start(self, now: datetime = TODAY) -> backfill.BackfillProgress:
        await self.account("on")
        self.now = now
        feeder = backfill.BackfillFeed(self.pool, "a", now=lambda: self.now)
        self.writer = self.new_writer(feed=feeder)
        async with self.pool.acquire() as conn:
            return await backfill.start(conn, "a", now)

    async def progress(self) -> backfill.BackfillProgress:
        async with self.pool.acquire() as conn:
            return await backfill.progress(conn, "a")


@pytest.fixture
async def outage(pool: asyncpg.Pool) -> Outage:
    crm = FakeCrm()
    outage = Outage(pool, crm)
    crm._clock = lambda: outage.now
    await outage.account()
    return outage


def number(i: int) -> str:
    return f"+7916{i:07d}"


@pytest.mark.parametrize(
    ("zone", "now", "start"),
    [
        ("Europe/Moscow", datetime(2026, 3, 4, 9, tzinfo=UTC), datetime(2026, 3, 1, 21, tzinfo=UTC)),
        ("Europe/Moscow", datetime(2026, 3, 4, 20, 59, tzinfo=UTC), datetime(2026, 3, 1, 21, tzinfo=UTC)),
        ("Europe/Moscow", datetime(2026, 3, 4, 21, 0, tzinfo=UTC), datetime(2026, 3, 2, 21, tzinfo=UTC)),
        # Clocks went forward on 29 March 2026 in Berlin: midnight of the 28th is still winter time.
        ("Europe/Berlin", datetime(2026, 3, 30, 10, tzinfo=UTC), datetime(2026, 3, 27, 23, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 10, 26, 10, tzinfo=UTC), datetime(2026, 10, 23, 22, tzinfo=UTC)),
        ("UTC", datetime(2026, 1, 1, tzinfo=UTC), datetime(2025, 12, 30, tzinfo=UTC)),
    ],
)
def test_the_window_is_today_and_the_two_days_before_in_the_accounts_zone(
    zone: str, now: datetime, start: datetime
) -> None:
    assert backfill.window_of(now, zone).since == start


async def test_the_preview_says_what_the_run_then_does(outage: Outage) -> None:
    for i in range(60):
        await outage.missed(f"c{i}", number(i), TODAY - timedelta(hours=2, minutes=-i))
    await outage.call("back", number(0), TODAY - timedelta(minutes=30), answered=True, direction="outbound")
    await outage.missed("old", number(99), TODAY - timedelta(days=3))
    async with outage.pool.acquire() as conn:
        plan = await backfill.preview(conn, "a", TODAY)
    assert (plan.calls, plan.contacts, plan.deals, plan.notes) == (60, 60, 60, 60)
    assert (plan.tasks, plan.tasks_not_needed, plan.older_calls) == (59, 1, 1)
    await outage.start()
    await outage.settle()
    assert len(outage.crm.all("contact")) == len(outage.crm.all("deal")) == len(outage.crm.all_notes()) == 60
    assert len(outage.crm.all_tasks()) == 59
    assert len(outage.crm.requests) + outage.kinds_caught_up <= plan.requests
    assert (await outage.progress()).state == "done"


async def test_clients_of_messengers_who_waited_are_counted_beside_the_calls(outage: Outage) -> None:
    await outage.missed("c1", number(1), TODAY - timedelta(hours=3))
    await outage.wrote("m1", number(2), TODAY - timedelta(hours=2))
    await outage.wrote("m2", "tg:7", TODAY - timedelta(hours=1))
    await outage.wrote("old", number(3), TODAY - timedelta(days=5))
    async with outage.pool.acquire() as conn:
        plan = await backfill.preview(conn, "a", TODAY)
    assert (plan.calls, plan.clients, plan.contacts) == (1, 2, 3)
    begun = await outage.start()
    assert (begun.clients_total, begun.clients_settled) == (2, 0)
    await outage.wrote("live", number(2), TODAY, held=False)
    await outage.settle()
    done = await outage.progress()
    assert (done.state, done.calls_settled, done.clients_settled, done.clients_total) == ("done", 1, 2, 2)


async def test_what_is_older_than_the_window_is_kept_and_marked_as_not_sent(outage: Outage) -> None:
    await outage.missed("old", number(1), datetime(2026, 3, 1, 20, 59, tzinfo=UTC))  # 23:59 the day before
    await outage.missed("new", number(2), datetime(2026, 3, 1, 21, 0, tzinfo=UTC))  # midnight in Moscow
    run = await outage.start()
    await outage.settle()
    states = await outage.states()
    assert {s for k, s in states.items() if k.startswith("old")} == {"expired"}
    assert {s for k, s in states.items() if k.startswith("new")} == {"done"}
    async with outage.pool.acquire() as conn:
        rows = await backfill.report(conn, "a", run.run_id)
    assert [(r.call_id, r.outcome) for r in rows] == [("old", "too_old"), ("new", "sent")]


async def test_an_older_contact_is_made_when_a_call_of_the_window_needs_it(outage: Outage) -> None:
    await outage.missed("old", number(1), TODAY - timedelta(days=4))
    await outage.call("new", number(1), TODAY - timedelta(hours=1))
    deal = Ref(kind="deal", effect="old:deal")
    await outage.order(
        Effect(key="new:note", order=a_note("new", number(1), deal)), client=number(1), held=True
    )
    await outage.start()
    await outage.settle()
    states = await outage.states()
    assert states["new:note"] == states["old:deal"] == states["old:contact"] == "done"
    assert states["old:note"] == states["old:task"] == "expired"


async def test_no_task_for_a_missed_call_that_was_returned_or_repeated_with_success(outage: Outage) -> None:
    await outage.missed("returned", number(1), TODAY - timedelta(hours=5))
    await outage.missed("repeated", number(2), TODAY - timedelta(hours=5))
    await outage.missed("tried", number(3), TODAY - timedelta(hours=5))
    await outage.missed("after", number(4), TODAY - timedelta(hours=5))
    await outage.call("r", number(1), TODAY - timedelta(hours=4), answered=True, direction="outbound")
    await outage.call("i", number(2), TODAY - timedelta(hours=4), answered=True)
    await outage.call("t", number(3), TODAY - timedelta(hours=4), answered=False, direction="outbound")
    await outage.call("b", number(4), TODAY - timedelta(hours=6), answered=True)
    await outage.start()
    await outage.settle()
    states = await outage.states()
    assert {k: s for k, s in states.items() if k.endswith("task")} == {
        "returned:task": "skipped",
        "repeated:task": "skipped",
        "tried:task": "done",
        "after:task": "done",
    }
    assert len(outage.crm.all_notes()) == 4


async def test_whether_a_client_was_reached_since_is_seen_though_clocks_of_pbxs_differ(
    outage: Outage,
) -> None:
    hours = timedelta(hours=1)
    await outage.missed("after", number(1), TODAY - 5 * hours)
    await outage.call("b", number(1), TODAY - 6 * hours, answered=True, ahead=3 * hours)
    await outage.missed("returned", number(2), TODAY - 5 * hours, ahead=3 * hours)
    await outage.call("r", number(2), TODAY - 4 * hours, answered=True)
    await outage.start()
    await outage.settle()
    states = await outage.states()
    assert {k: s for k, s in states.items() if k.endswith("task")} == {
        "after:task": "done",
        "returned:task": "skipped",
    }
    made = (await outage.row("returned:deal"))["order"]["created_at"]
    assert datetime.fromisoformat(made) == TODAY - 5 * hours


async def test_a_live_call_back_before_the_backfill_leaves_no_task_at_all(outage: Outage) -> None:
    await outage.missed("c1", number(1), TODAY - timedelta(hours=5))
    await outage.account("on")
    outage.now = TODAY - timedelta(minutes=5)
    await outage.call("live", number(1), outage.now, answered=True, direction="outbound")
    done = ChangeTask(task="c1:task", is_completed=True)
    note = a_note("live", number(1), Ref(kind="deal", effect="c1:deal"))
    await outage.order(
        Effect(key="live:done", order=done), Effect(key="live:note", order=note), client=number(1)
    )
    await outage.writer.drain()
    states = await outage.states()
    assert (states["c1:deal"], states["live:note"], states["live:done"]) == ("done", "done", "held")
    await outage.start()
    await outage.settle()
    assert outage.crm.all_tasks() == []
    states = await outage.states()
    assert states["c1:task"] == states["live:done"] == "skipped"
    assert len(outage.crm.all("deal")) == 1
    assert len(outage.crm.all_notes()) == 2


async def test_switching_an_account_off_holds_what_waits(outage: Outage) -> None:
    await outage.account("on")
    await outage.order(*new_call("c1", number(1)), client=number(1))
    await outage.account("off")
    async with outage.pool.acquire() as conn:
        assert await order.hold(conn, "a") == 4
    await outage.account("on")
    assert await outage.writer.drain() == 0


async def test_deadlines_count_from_now_and_entities_carry_the_time_of_the_call(outage: Outage) -> None:
    at = TODAY - timedelta(hours=20)
    await outage.missed("c1", number(1), at)
    await outage.start()
    await outage.settle()
    (task,) = outage.crm.all_tasks()
    assert task.due_at == TODAY + timedelta(minutes=15)
    for key in ("c1:contact", "c1:deal"):
        order = (await outage.row(key))["order"]
        assert datetime.fromisoformat(order["created_at"]) == at


async def test_a_client_entered_by_hand_during_the_outage_is_not_doubled(outage: Outage) -> None:
    await outage.missed("c1", number(1), TODAY - timedelta(hours=20))
    outage.crm.seed(
        CrmEntity(kind="contact", id="7", numbers=("8 916 000-00-01",), updated_at=TODAY),
        CrmEntity(
            kind="deal", id="8", contact_ids=("7",), created_at=TODAY - timedelta(hours=19), updated_at=TODAY
        ),
    )
    await outage.start()
    await outage.settle()
    assert [c.id for c in outage.crm.all("contact")] == ["7"]
    assert [d.id for d in outage.crm.all("deal")] == ["8"]
    assert [(t.target_kind, t.target_id) for t in outage.crm.all_tasks()] == [("deal", "8")]


async def test_a_second_run_changes_nothing(outage: Outage) -> None:
    await outage.missed("c1", number(1), TODAY - timedelta(hours=1))
    real = (await outage.start()).run_id
    await outage.settle()
    before = len(outage.crm.requests)
    run = await outage.start(TODAY + timedelta(hours=1))
    assert run.calls_total == 0
    await outage.settle()
    await outage.writer.drain()
    assert len(outage.crm.requests) == before
    latest = await outage.progress()
    assert (latest.run_id, latest.state, latest.calls_settled) == (real, "done", 1)
    async with outage.pool.acquire() as conn:
        told = await backfill.latest_progress(conn, ["a"])
        assert told["a"].run_id == real
        assert [c.call_id for c in await backfill.report(conn, "a", real)] == ["c1"]


async def test_what_was_counted_a_moment_ago_is_told_until_the_run_changes(outage: Outage) -> None:
    await outage.missed("c1", number(1), TODAY - timedelta(hours=1))
    run = (await outage.start()).run_id
    counts = {"settled": 7, "effects_done": 8, "effects_open": 9, "effects_dead": 1, "effects_skipped": 2}

    async def kept(minutes: int) -> None:
        await outage.pool.execute(
            "UPDATE backfill_run SET counts = $2, counted_until = now() + $3::interval WHERE run_id = $1",
            run,
            {**counts, "state": "running"},
            timedelta(minutes=minutes),
        )

    await kept(minutes=1)
    assert (await outage.progress()).calls_settled == 7
    await kept(minutes=-1)
    assert (await outage.progress()).effects_open == 4
    await kept(minutes=1)
    async with outage.pool.acquire() as conn:
        assert (await backfill.pause(conn, "a", outage.now)).calls_settled == 0


async def test_pause_resume_and_stop(outage: Outage) -> None:
    for i in range(120):
        await outage.missed(f"c{i}", number(i), TODAY - timedelta(hours=1))
    await outage.start()
    work = await outage.writer.next_work()
    assert work is not None
    await outage.writer.do(work)
    async with outage.pool.acquire() as conn:
        await backfill.pause(conn, "a", outage.now)
        asked = len(outage.crm.requests)
        await outage.writer.drain()
        assert len(outage.crm.requests) == asked
        seen = await backfill.progress(conn, "a")
        assert (seen.state, seen.effects_done, seen.calls_total) == ("paused", 100, 120)
        with pytest.raises(backfill.RunIsOpen):
            await backfill.start(conn, "a", outage.now)
        await backfill.resume(conn, "a", outage.now)
        work = await outage.writer.next_work()
        assert work is not None
        await outage.writer.do(work)
        stopped = await backfill.stop(conn, "a", outage.now)
        assert stopped.state == "stopped"
        asked = len(outage.crm.requests)
        await outage.writer.drain()
        assert len(outage.crm.requests) == asked
        with pytest.raises(backfill.NoSuchRun):
            await backfill.resume(conn, "a", outage.now)
    await outage.start()
    await outage.settle()
    assert len(outage.crm.all("contact")) == len(outage.crm.all_tasks()) == len(outage.crm.all_notes()) == 120


async def test_an_account_that_is_not_connected_cannot_backfill_and_discarding_sends_nothing(
    outage: Outage,
) -> None:
    await outage.missed("c1", number(1), TODAY - timedelta(hours=1))
    async with outage.pool.acquire() as conn:
        with pytest.raises(backfill.AccountNotOn):
            await backfill.start(conn, "a", TODAY)
        assert await backfill.discard(conn, "a", "not wanted") == 4
    await outage.start()
    await outage.settle()
    assert outage.crm.all("contact") == []


async def test_live_effects_overtake_a_running_backfill(outage: Outage) -> None:
    for i in range(200):
        await outage.missed(f"c{i}", number(i), TODAY - timedelta(hours=1))
    await outage.start()
    work = await outage.writer.next_work()
    assert work is not None
    assert work.lane == Lane.BACKFILL
    await outage.order(*new_call("live", number(999)), client=number(999))
    live = await outage.writer.next_work()
    assert live is not None
    assert live.lane == Lane.EVENTS
    await outage.writer.do(live)
    await outage.writer.do(work)


@pytest.mark.slow
async def test_killed_anywhere_it_goes_on_and_2000_calls_need_about_the_fewest_requests(
    outage: Outage,
) -> None:
    calls = 2000
    async with outage.pool.acquire() as conn, conn.transaction():
        real, outage.pool = outage.pool, _One(conn)  # type: ignore[assignment,arg-type]
        for i in range(calls):
            await outage.missed(f"c{i}", number(i), TODAY - timedelta(days=1) + timedelta(seconds=i))
        outage.pool = real
    await outage.start()

    async def catch_up(lane: Lane, kinds: Collection[EntityKind]) -> bool:
        """By what is new, as the real one: a request each."""
        outage.kinds_caught_up += len(kinds)
        latest = [e for kind in kinds for e in outage.crm.all(kind)[-600:]]
        async with outage.pool.acquire() as conn, conn.transaction():
            await apply_entities(
                conn, "a", [replace(e, updated_at=outage.now) for e in latest], NumberPolicy()
            )
        return False

    outage.catch_up = catch_up  # type: ignore[method-assign]
    feeder = backfill.BackfillFeed(outage.pool, "a", now=lambda: outage.now)
    chance = random.Random(5)
    kills = 0
    outage.writer = outage.new_writer(feed=feeder)
    while (await outage.progress()).state != "done":
        works = []
        while work := await outage.writer.next_work():
            works.append(asyncio.create_task(outage.writer.do(work)))
            if len(works) == 4:
                break
        if kills < 5 and works and chance.random() < 0.5:
            kills += 1
            await asyncio.sleep(chance.random() * 0.02)
            for task in works:
                task.cancel()
            await asyncio.gather(*works, return_exceptions=True)
            outage.writer = outage.new_writer(feed=feeder)
            await outage.writer.recover_in_flight()
            outage.pass_time(46)
        await asyncio.gather(*works, return_exceptions=True)
        outage.pass_time(max(1, len(works)) / 6)
    assert kills == 5
    crm = outage.crm
    assert (
        len(crm.all("contact"))
        == len(crm.all("deal"))
        == len(crm.all_notes())
        == len(crm.all_tasks())
        == calls
    )
    writes = sum(1 for r in crm.requests if r.method.startswith(("create", "attach")))
    reads = len(crm.requests) - writes + outage.kinds_caught_up
    bound = ceil(calls / 50) + 2 * ceil(calls / 250)
    print(f"writes {writes}, reads {reads}, bound {bound}")
    assert writes <= 1.5 * bound
    assert reads <= 0.5 * bound + 5 * 4 * 3  # the looks after five kills apart


class _One:
    """A pool of one connection that is in use already."""

    def __init__(self, conn: asyncpg.Connection) -> None:
        self._conn = conn

    def acquire(self) -> _One:
        return self

    async def __aenter__(self) -> asyncpg.Connection:
        return self._conn

    async def __aexit__(self, *args: object) -> None:
        return None

    async def execute(self, *args: object) -> object:
        return await self._conn.execute(*args)  # type: ignore[arg-type]


async def test_single_days_can_be_chosen_and_each_is_counted(outage: Outage) -> None:
    """Yesterday is left out: nothing of it is sent, and it is kept as not sent."""
    for i, days_ago in enumerate((2, 1, 1, 0)):
        await outage.missed(f"c{i}", number(i), TODAY - timedelta(days=days_ago, hours=1))
    today = TODAY.date()
    async with outage.pool.acquire() as conn:
        days = await held_days(conn, "a")
        assert [(d.day, d.calls) for d in days] == [
            (today - timedelta(days=2), 1),
            (today - timedelta(days=1), 2),
            (today, 1),
        ]
        chosen = {today, today - timedelta(days=2)}
        preview = await backfill.preview(conn, "a", TODAY, dates=chosen)
        assert (preview.calls, preview.older_calls) == (2, 2)
        await outage.account("on")
        run = await backfill.start(conn, "a", TODAY, dates=chosen)
        feeder = backfill.BackfillFeed(outage.pool, "a", now=lambda: TODAY)
        await outage.new_writer(feed=feeder).drain()
        report = await backfill.report(conn, "a", run.run_id)
        assert [r.outcome for r in report] == ["sent", "too_old", "too_old", "sent"]
        assert [tuple(d)[1:] for d in await progress_by_day(conn, "a", run.run_id)] == [
            (1, 1),
            (2, 2),
            (1, 1),
        ]
        assert (await done_by_kind(conn, "a", run.run_id))["create_contact"] == 2
