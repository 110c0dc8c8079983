"""What changed in the CRM, from all that is told to what consumers make of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise
from typing import Any

import asyncpg

from crm.entity_changes import EntityChange
from crm.news import changed_fields
from crm.port import CrmEvent, Observed
from crm.sync.changes import apply_webhook
from crm.sync.sync import Sync
from gateway.crm_events.job import CrmEventJob
from gateway.store.crm_events.work import EventRow, aside_events, put_back, register
from routing.settings import NumberPolicy
from runtime.database.pool import Conn
from tests.fakes.crm import FakeCrm
from tests.integration.crm.sync_bench import Clock, contact, deal
from tests.waiting import until


async def events(pool: asyncpg.Pool) -> list[tuple[Any, ...]]:
    rows = await pool.fetch(
        "SELECT what, entity_id, old_value, new_value, by_user, first_told_by FROM crm_event ORDER BY event_id"
    )
    return [tuple(row) for row in rows]


def webhook(clock: Clock, stage: str, old: str) -> Observed:
    return Observed(
        kind="deal",
        id="50",
        at=clock(),
        values={"stage": f"1/{stage}"},
        is_changed=frozenset(["stage"]),
        before={"stage": f"1/{old}"},
    )


async def told(pool: asyncpg.Pool, account: str, observed: Observed) -> None:
    change = EntityChange(kind="deal", id="50", what="stage", at=observed.at, pipeline_id="1")
    change_to = observed.values["stage"].partition("/")[2]
    await apply_webhook(
        pool,
        account,
        [EntityChange(**{**_fields(change), "stage_id": change_to})],
        NumberPolicy(),
        [observed],
    )


def _fields(change: EntityChange) -> dict[str, Any]:
    return {name: getattr(change, name) for name in EntityChange.__dataclass_fields__}


def moved(crm: FakeCrm, clock: Clock, id: str, before: str, after: str) -> None:
    event = CrmEvent(
        id=id,
        kind="stage_changed",
        at=clock().replace(microsecond=0),
        entity_kind="deal",
        entity_id="50",
        by_user="7",
        before=f"1/{before}",
        after=f"1/{after}",
    )
    crm.feed.append(event)


def the_deal(clock: Clock, stage: str) -> Any:
    return deal(50, 1, stage_id=stage, updated_at=clock())


async def test_one_move_told_four_times_is_one_event_and_the_feed_says_who(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock, account: str
) -> None:
    crm.seed(contact(1), the_deal(clock, "10"))
    await sync.load()
    clock.tick(5)
    crm.seed(the_deal(clock, "20"))
    await told(pool, account, webhook(clock, "20", "10"))
    await told(pool, account, webhook(clock, "20", "10"))
    assert await events(pool) == [("stage_changed", "50", "1/10", "1/20", None, "webhook")]
    moved(crm, clock, "e1", "10", "20")
    await sync.poll_once()
    await sync.poll_once()
    assert await events(pool) == [("stage_changed", "50", "1/10", "1/20", "7", "webhook")]


async def test_there_and_back_between_two_polls_is_told_by_the_feed(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(contact(1), the_deal(clock, "10"))
    await sync.load()
    clock.tick(5)
    moved(crm, clock, "e1", "10", "20")
    clock.tick(5)
    moved(crm, clock, "e2", "20", "10")
    crm.seed(the_deal(clock, "10"))
    await sync.poll_once()
    assert [row[2:4] for row in await events(pool)] == [("1/10", "1/20"), ("1/20", "1/10")]


async def _with_moves(
    sync: Sync, crm: FakeCrm, clock: Clock, pool: asyncpg.Pool, account: str, stages: list[str]
) -> None:
    """One webhook for each step through `stages`, the first of which the deal is in."""
    for before, after in pairwise(stages):
        clock.tick(5)
        await told(pool, account, webhook(clock, after, before))


class Heard:
    """A consumer that keeps what it was given; `fails_on`: this value is too much for it."""

    def __init__(self, fails_on: str = "") -> None:
        self.values: list[str] = []
        self.fails_on = fails_on

    async def __call__(self, conn: Conn, event: EventRow) -> None:
        if event.new == self.fails_on:
            raise ValueError("too much")
        self.values.append(event.new)


async def _work(pool: asyncpg.Pool, job: CrmEventJob, account: str) -> None:
    async with pool.acquire() as conn:
        await job.sweep(conn)
    await job.run(account, "deal:50")


async def test_a_consumer_added_later_begins_where_it_was_added(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock, account: str
) -> None:
    crm.seed(contact(1), the_deal(clock, "10"))
    await sync.load()
    early, late = Heard(), Heard()
    first = CrmEventJob(pool, {"early": early})
    await _work(pool, first, account)
    await _with_moves(sync, crm, clock, pool, account, ["10", "20"])
    both = CrmEventJob(pool, {"early": early, "late": late})
    await _work(pool, both, account)
    await _with_moves(sync, crm, clock, pool, account, ["20", "30"])
    await _work(pool, both, account)
    assert early.values == ["1/20", "1/30"]
    assert late.values == ["1/30"]


async def test_what_a_consumer_cannot_work_on_is_set_aside_and_stops_nobody(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock, account: str
) -> None:
    crm.seed(contact(1), the_deal(clock, "10"))
    await sync.load()
    weak, strong = Heard(fails_on="1/20"), Heard()
    job = CrmEventJob(pool, {"weak": weak, "strong": strong}, most_tries=3, pause=timedelta())
    async with pool.acquire() as conn:
        await register(conn, ["weak", "strong"])
    await _with_moves(sync, crm, clock, pool, account, ["10", "20", "30"])
    await _work(pool, job, account)
    await _work(pool, job, account)
    assert strong.values == ["1/20", "1/30"]
    assert weak.values == ["1/30"]
    rows = await pool.fetch("SELECT consumer, tries, is_aside, error FROM crm_event_work")
    assert [tuple(row) for row in rows] == [("weak", 3, True, "ValueError: too much")]
    async with pool.acquire() as conn:
        await job.sweep(conn)
    assert (job.status.backlog.waiting, job.status.backlog.aside) == (0, 1)
    async with pool.acquire() as conn:
        [aside] = await aside_events(conn, account)
        assert (aside.consumer, aside.what, aside.new, aside.error) == (
            "weak",
            "stage_changed",
            "1/20",
            "ValueError: too much",
        )
        assert await put_back(conn, account, [aside.event_id + 1000]) == 0
        assert await put_back(conn, account, [aside.event_id]) == 1
    weak.fails_on = ""
    await _work(pool, job, account)
    assert weak.values == ["1/30", "1/20"]
    async with pool.acquire() as conn:
        assert await aside_events(conn, account) == []


async def test_a_stage_that_we_set_ourselves_starts_nothing(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock, account: str
) -> None:
    crm.seed(contact(1), the_deal(clock, "10"))
    await sync.load()
    heard = Heard()
    job = CrmEventJob(pool, {"heard": heard})
    await _work(pool, job, account)
    await pool.execute(
        'INSERT INTO effect (account_id, effect_key, decision_id, client, lane, what, "order", state, sent_at)'
        " VALUES ($1, 'k', 'd', '+79000000001', 1, 'update_entity', $2, 'done', $3)",
        account,
        {"do": "update_entity", "target": {"kind": "deal", "id": "50"}, "stage_id": "20"},
        clock() + timedelta(seconds=5),
    )
    await _with_moves(sync, crm, clock, pool, account, ["10", "20", "30"])
    await _work(pool, job, account)
    assert heard.values == ["1/30"]
    assert await pool.fetchval("SELECT count(*) FROM crm_event WHERE is_ours") == 1


async def test_a_custom_field_that_changes_is_one_event_that_says_what_it_held(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(contact(1), deal(50, 1, updated_at=clock(), fields='{"7":"3 rooms"}'))
    await sync.load()
    clock.tick(5)
    crm.seed(deal(50, 1, updated_at=clock(), fields='{"7":"2 rooms","9":"yes"}'))
    await sync.poll_once()
    await sync.poll_once()
    [event] = await events(pool)
    assert event == ("fields_changed", "50", '{"7":"3 rooms"}', '{"7":"2 rooms","9":"yes"}', None, "poll")
    assert changed_fields(event[2], event[3]) == {"7": ("3 rooms", "2 rooms"), "9": ("", "yes")}


async def test_fields_that_we_filled_in_ourselves_start_nothing_and_one_beside_them_does(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock, account: str
) -> None:
    crm.seed(contact(1), deal(50, 1, updated_at=clock(), fields="{}"))
    await sync.load()
    heard = Heard()
    job = CrmEventJob(pool, {"heard": heard})
    await _work(pool, job, account)
    await pool.execute(
        'INSERT INTO effect (account_id, effect_key, decision_id, client, lane, what, "order", state, sent_at)'
        " VALUES ($1, 'k', 'd', '+79000000001', 1, 'update_entity', $2, 'done', $3)",
        account,
        {"do": "update_entity", "target": {"kind": "deal", "id": "50"}, "fields": {"7": "call"}},
        clock() + timedelta(seconds=5),
    )
    for fields in ('{"7":"call"}', '{"7":"call","9":"by hand"}'):
        clock.tick(5)
        crm.seed(deal(50, 1, updated_at=clock(), fields=fields))
        await sync.poll_once()
    await _work(pool, job, account)
    assert heard.values == ['{"7":"call","9":"by hand"}']


async def test_two_workers_with_one_subject_give_a_change_to_its_consumer_once(
    pool: asyncpg.Pool, clock: Clock, account: str
) -> None:
    given: list[str] = []
    may_go_on = asyncio.Event()

    async def slow(_conn: Conn, event: EventRow) -> None:
        given.append(event.new)
        await may_go_on.wait()

    jobs = [CrmEventJob(pool, {"slow": slow}) for _ in range(2)]
    async with pool.acquire() as conn:
        await jobs[0].sweep(conn)
    await told(pool, account, webhook(clock, "20", "10"))
    works = [asyncio.create_task(job.run(account, "deal:50")) for job in jobs]
    waits = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"

    async def second_is_there() -> bool:
        return len(given) > 1 or await pool.fetchval(waits)

    await until(second_is_there, "the second waits for the first, or does the same")
    may_go_on.set()
    await asyncio.gather(*works)
    assert given == ["1/20"]
