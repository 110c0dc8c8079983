"""The sync against a CRM in memory: loads, polls, events, webhooks, and what goes wrong."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import asyncpg
import pytest
from structlog.testing import capture_logs

from crm.entity_changes import EntityChange
from crm.errors import CrmForbidden, CrmThrottled, CrmUnauthorised, CrmUnavailable, CrmUnpaid
from crm.lane import Lane
from crm.port import CrmEntity, CrmUser, Page
from crm.store.cursors import feed_states
from crm.store.directory import apply_entities
from crm.store.metadata import pipelines_of, users_of
from crm.sync.changes import apply_webhook
from crm.sync.feed import Feed
from crm.sync.first_load import LoadProgress, load_progress, load_step, restart_load
from crm.sync.metadata import read_metadata
from crm.sync.recheck import recheck_step
from crm.sync.sync import Sync
from routing.client import EntityKind
from routing.settings import NumberPolicy
from tests.fakes.crm import FakeCrm
from tests.integration.crm.sync_bench import T0, Clock, contact, deal, found, number
from tests.waiting import until

# --- the first load


async def test_the_first_load_reads_everything_and_says_how_far_it_is(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool
) -> None:
    crm.seed(*(contact(i) for i in range(1, 601)), deal(1001, 7), deal(1002, 8, is_open=False))
    crm.seed(CrmEntity(kind="lead", id="ab", numbers=(number(9),), owner_id="14"))
    crm.seed(CrmEntity(kind="company", id="2000", numbers=(number(700),), owner_id="15"))
    seen: list[LoadProgress] = []
    await sync.load(seen.append)
    assert [(p.done, p.kind) for p in seen] == [
        (250, "contact"),
        (600, "company"),
        (601, "deal"),
        (603, "lead"),
        (604, None),
    ]
    assert await found(pool, 7) == [("contact", "7", "11"), ("deal", "1001", "12")]
    assert await found(pool, 8) == [("contact", "8", "11")]
    assert await found(pool, 9) == [("contact", "9", "11"), ("lead", "ab", "14")]
    assert await found(pool, 700) == [("company", "2000", "15")]


async def test_a_long_load_says_how_much_and_how_long_is_left(sync: Sync, crm: FakeCrm) -> None:
    crm.seed(*(contact(i) for i in range(1, 6001)), *(deal(i, i - 10000) for i in range(10001, 13001)))
    seen: list[LoadProgress] = []
    await sync.load(seen.append)
    known = [progress for progress in seen if progress.total is not None]
    assert known[0].done < 4000
    assert all(0.85 * 9000 < (progress.total or 0) < 1.15 * 9000 for progress in known)
    assert all(progress.seconds_left is not None for progress in known)
    assert {progress.kind for progress in known} >= {"contact", "deal"}
    assert (seen[-1].done, seen[-1].is_done, seen[-1].seconds_left) == (9000, True, None)


async def test_a_short_load_asks_for_nothing_but_its_pages(sync: Sync, crm: FakeCrm) -> None:
    crm.seed(*(contact(i) for i in range(1, 601)))
    await sync.load()
    asked = [int(a.keys[1]) for a in crm.requests if a.method == "page" and a.keys[0] == "contact"]
    assert asked == [1, 2, 3]


async def test_a_killed_load_goes_on_where_it_stood(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(*(contact(i) for i in range(1, 601)))
    crm.fail("page", CrmUnavailable("away"), after=2, times=2)
    with pytest.raises(CrmUnavailable):
        await sync.load()
    async with pool.acquire() as conn:
        assert await load_progress(conn, "a") == LoadProgress(500, "contact", False)
    asked = len(crm.requests)
    successor = Sync(crm, pool, "a", NumberPolicy(), now=clock)
    assert (await successor.load()).done == 600
    assert next(a.keys for a in crm.requests[asked:] if a.method == "page") == ("contact", "3")
    assert await found(pool, 600) == [("contact", "600", "11")]


async def test_what_changes_during_the_load_is_not_missed(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(*(contact(i) for i in range(1, 301)))
    await load_step(sync.source)
    crm.seed(contact(3, owner_id="19", updated_at=clock.tick()))
    await sync.load()
    assert await found(pool, 3) == [("contact", "3", "11")]
    await sync.poll_once()
    assert await found(pool, 3) == [("contact", "3", "19")]


async def test_a_load_can_be_asked_for_again(sync: Sync, crm: FakeCrm, pool: asyncpg.Pool) -> None:
    crm.seed(contact(1))
    await sync.load()
    crm.seed(contact(1, owner_id="13"))  # changed, but with its old time: no poll shows it
    await sync.poll_once()
    assert await found(pool, 1) == [("contact", "1", "11")]
    async with pool.acquire() as conn:
        await restart_load(conn, "a")
    await sync.load()
    assert await found(pool, 1) == [("contact", "1", "13")]


async def test_a_user_who_may_not_see_unsorted_gets_all_the_rest(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock, feed: Any
) -> None:
    crm.seed(contact(1))
    crm.fail("page", CrmForbidden("not for you"), after=3)  # contacts, companies, deals, then Unsorted
    assert (await sync.load()).is_done
    crm.fail("page", CrmForbidden("not for you"), after=3)
    await sync.poll_once()
    await asyncio.wait_for(feed.until(lambda: feed.directory("a").in_sync_at == T0), 5)
    async with pool.acquire() as conn:
        states = {s.feed: s.last_error for s in await feed_states(conn, "a")}
    assert states["unsorted"] == "crm-forbidden: not for you"


async def test_an_unpaid_account_is_told_once_and_not_by_each_feed(sync: Sync, crm: FakeCrm) -> None:
    for method in ("page", "users", "events", "pipelines", "account"):
        crm.fail(method, CrmUnpaid("402"), times=20)
    with capture_logs() as lines:
        running = asyncio.create_task(sync.run())
        try:
            await until(lambda: len(sync.health.last_errors) >= 3, "several feeds have failed", seconds=10)
        finally:
            running.cancel()
    assert [line["log_level"] for line in lines if line["event"] == "sync-failed"] == ["error"]


# --- polls


async def test_a_changed_owner_and_number_arrive_by_the_poll_alone(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(contact(1), deal(50, 1))
    await sync.load()
    crm.seed(contact(1, owner_id="13", numbers=(number(2), number(3)), updated_at=clock.tick()))
    await sync.poll_once()
    assert await found(pool, 1) == []
    assert await found(pool, 2) == await found(pool, 3) == [("contact", "1", "13"), ("deal", "50", "12")]


async def test_a_poll_stops_at_what_it_has_seen(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(*(contact(i) for i in range(1, 1001)))
    await sync.load()
    before = crm.count("page")
    await sync.poll_once()
    assert crm.count("page") - before == 4  # contacts, companies, deals, unsorted: one page each
    for i in range(1, 601):
        crm.seed(contact(i, owner_id="13", updated_at=clock.tick(0.1)))
    before = crm.count("page")
    await sync.poll_once()
    assert crm.count("page") - before == 6
    assert await found(pool, 1) == [("contact", "1", "13")]


async def test_entities_changed_while_pages_are_read_are_not_missed(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(*(contact(i) for i in range(1, 601)))
    await sync.load()
    for i in range(1, 601):
        crm.seed(contact(i, owner_id="13", updated_at=clock.tick(0.1)))
    gate = crm.hold("page")
    poll = asyncio.create_task(sync.poll_once())
    await asyncio.sleep(0.05)
    for i in (2, 300, 599):  # they move to the top of a list that is being read
        crm.seed(contact(i, owner_id="14", updated_at=clock.tick(0.1)))
    gate.set()
    await poll
    await sync.poll_once()
    wanted = {i: "14" if i in (2, 300, 599) else "13" for i in range(1, 601)}
    assert {i: (await found(pool, i))[0][2] for i in wanted} == wanted


async def test_a_time_in_the_future_does_not_hide_later_changes(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(contact(1), contact(2))
    await sync.load()
    crm.seed(contact(1, owner_id="13", updated_at=T0 + timedelta(days=300)))
    await sync.poll_once()
    crm.seed(contact(2, owner_id="14", updated_at=clock.tick()))
    await sync.poll_once()
    assert await found(pool, 1) == [("contact", "1", "13")]
    assert await found(pool, 2) == [("contact", "2", "14")]


async def test_several_changes_in_one_second_all_arrive(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(contact(1), contact(2))
    await sync.load()
    crm.seed(contact(1, owner_id="13", updated_at=clock.tick()))
    await sync.poll_once()
    crm.seed(contact(2, owner_id="14", updated_at=clock()))
    await sync.poll_once()
    assert await found(pool, 2) == [("contact", "2", "14")]


async def test_a_lead_that_was_accepted_or_declined_leaves_the_answer(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(CrmEntity(kind="lead", id="ab", numbers=(number(1),), owner_id="14"))
    await sync.load()
    await sync.poll_once()
    assert await found(pool, 1) == [("lead", "ab", "14")]
    crm.seed(
        CrmEntity(kind="lead", id="ab", is_deleted=True),
        contact(1, updated_at=clock.tick()),
        deal(50, 1, updated_at=clock()),
    )
    await sync.poll_once()
    assert await found(pool, 1) == [("contact", "1", "11"), ("deal", "50", "12")]


async def test_a_lead_hidden_at_the_border_of_two_pages_is_not_taken_for_gone(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool
) -> None:
    crm.seed(*(CrmEntity(kind="lead", id=str(i), numbers=(number(i),)) for i in range(1, 302)))
    await sync.load()
    gates = [crm.hold("page") for _ in range(5)]  # three deltas, then two pages of leads
    poll = asyncio.create_task(sync.poll_once())
    for gate in gates[:4]:
        await asyncio.sleep(0.02)
        gate.set()
    await asyncio.sleep(0.05)
    crm.seed(CrmEntity(kind="lead", id="3", is_deleted=True))  # number 251 slides to the page that was read
    gates[4].set()
    await poll
    assert await found(pool, 251) == [("lead", "251", "")]
    await sync.poll_once()
    assert await found(pool, 3) == []


# --- webhooks


async def test_a_webhooks_owner_counts_at_once_and_an_older_one_does_not(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(contact(1), deal(50, 1))
    await sync.load()
    asked = len(crm.requests)
    first, second = clock.tick(1), clock.tick(1)
    await sync.apply_webhook([EntityChange(kind="deal", id="50", what="owner", at=second, owner_id="19")])
    await sync.apply_webhook([EntityChange(kind="deal", id="50", what="owner", at=first, owner_id="18")])
    assert await found(pool, 1) == [("contact", "1", "11"), ("deal", "50", "19")]
    assert len(crm.requests) == asked


async def test_of_changes_that_come_together_in_the_wrong_order_the_latest_counts(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(contact(1), deal(50, 1))
    await sync.load()
    first, second, third = clock.tick(1), clock.tick(1), clock.tick(1)
    await sync.apply_webhook([EntityChange(kind="deal", id="50", what="owner", at=second, owner_id="17")])
    await sync.apply_webhook(
        [
            EntityChange(kind="deal", id="50", what="owner", at=third, owner_id="19"),
            EntityChange(kind="deal", id="50", what="owner", at=first, owner_id="18"),
        ]
    )
    assert await found(pool, 1) == [("contact", "1", "11"), ("deal", "50", "19")]


async def test_a_webhook_that_closes_or_deletes_a_deal_counts_at_once(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(contact(1), deal(50, 1), deal(51, 1))
    await sync.load()
    at = clock.tick(1)
    await sync.apply_webhook(
        [
            EntityChange(kind="deal", id="50", what="stage", at=at, pipeline_id="1", stage_id="142"),
            EntityChange(kind="deal", id="51", what="deleted"),
        ]
    )
    assert await found(pool, 1) == [("contact", "1", "11")]


async def test_a_new_contact_of_a_webhook_is_known_before_the_crm_is_asked(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    await sync.load()
    change = EntityChange(
        kind="contact",
        id="7",
        what="added",
        at=clock.tick(1),
        name="New",
        owner_id="11",
        numbers=("8 900 0000007",),
    )
    taken = await apply_webhook(pool, "a", [change], NumberPolicy())
    assert taken.to_reread == ()
    assert await found(pool, 7) == [("contact", "7", "11")]


async def test_a_new_deal_of_a_webhook_is_read_for_its_contacts(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(contact(1))
    await sync.load()
    at = clock.tick(1)
    crm.seed(deal(50, 1, updated_at=at))
    run = asyncio.create_task(sync.run())
    taken = await sync.apply_webhook([EntityChange(kind="deal", id="50", what="added", at=at, owner_id="12")])
    assert taken.to_reread == (("deal", "50"),)

    async def is_read() -> bool:
        return await found(pool, 1) == [("contact", "1", "11"), ("deal", "50", "12")]

    await until(is_read, "the deal with its contact is in the directory", seconds=5)
    nothing_left = "SELECT NOT EXISTS (SELECT 1 FROM directory_reread)"
    await until(lambda: pool.fetchval(nothing_left), "nothing is to be read again", seconds=5)
    run.cancel()


async def test_what_is_known_changes_at_once_and_a_new_deal_waits_for_its_creator_to_write_it_down(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(contact(1), deal(50, 1))
    await sync.load()
    at = clock.tick(1)
    seen: list[list[tuple[str, str, str]]] = []

    async def written_down() -> None:
        seen.append(await found(pool, 1))
        async with pool.acquire() as conn, conn.transaction():
            await apply_entities(conn, "a", [deal(51, 1)], NumberPolicy())

    asked = len(crm.requests)
    changes = [
        EntityChange(kind="deal", id="51", what="added", at=at, owner_id="12"),
        EntityChange(kind="deal", id="50", what="owner", at=at, owner_id="19"),
    ]
    await sync.apply_webhooks(changes, written_down)
    assert seen == [[("contact", "1", "11"), ("deal", "50", "19")]]
    assert await pool.fetchval("SELECT count(*) FROM directory_reread") == 0
    assert {("deal", "50", "19"), ("deal", "51", "12")} <= set(await found(pool, 1))
    await sync.apply_webhooks(changes[1:], written_down)
    assert (len(seen), len(crm.requests)) == (1, asked)


# --- the writer's question


async def test_catching_up_costs_three_requests_and_none_when_just_done(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(contact(1))
    await sync.load()
    crm.seed(contact(2, updated_at=clock.tick()))
    before = len(crm.requests)
    await sync.catch_up(Lane.REALTIME)
    assert await found(pool, 2) == [("contact", "2", "11")]
    assert [a.lane for a in crm.requests[before:]] == [Lane.REALTIME] * 3
    await sync.catch_up(Lane.REALTIME, max_age=60)
    assert len(crm.requests) == before + 3


async def test_catching_up_believes_no_poll_of_a_moment_ago(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(contact(1))
    await sync.load()
    await sync.poll_once()
    crm.seed(contact(2, updated_at=clock.tick()))  # by hand, after the poll
    await sync.catch_up(Lane.REALTIME, ["contact"])
    assert await found(pool, 2) == [("contact", "2", "11")]


async def test_catching_up_says_whether_webhooks_had_told_of_changes_as_late(
    sync: Sync, crm: FakeCrm, clock: Clock
) -> None:
    crm.seed(contact(1))
    await sync.load()
    assert not await sync.catch_up(Lane.REALTIME, ["contact"], max_age=0)  # no webhook ever came
    at = clock.tick()
    crm.seed(contact(2, updated_at=at))
    await sync.apply_webhook([EntityChange(kind="contact", id="2", what="added", at=at, name="New")])
    assert await sync.catch_up(Lane.REALTIME, ["contact"], max_age=0)
    crm.seed(contact(3, updated_at=clock.tick(6)))  # of which no webhook tells
    assert not await sync.catch_up(Lane.REALTIME, ["contact"], max_age=0)
    assert await sync.catch_up(Lane.REALTIME, ["company"], max_age=0)
    crm.seed(contact(4, updated_at=clock() + timedelta(days=1)))  # a client of the CRM may set any time
    await sync.apply_webhook(
        [EntityChange(kind="contact", id="5", what="added", at=clock.tick(), name="New")]
    )
    assert await sync.catch_up(Lane.REALTIME, ["contact"], max_age=0)


async def test_a_directory_that_cannot_be_brought_up_to_date_says_so(sync: Sync, crm: FakeCrm) -> None:
    await sync.load()
    crm.fail("page", CrmThrottled("slow down", 1.0))
    with pytest.raises(CrmThrottled):
        await sync.catch_up(Lane.REALTIME)


class CrmWithoutContacts(FakeCrm):
    """Their changes are told, their list by id is not."""

    async def page(
        self, kind: EntityKind, lane: Lane, *, page: int = 1, newest: Literal["updated", "id"] | None = None
    ) -> Page[CrmEntity]:
        if kind == "contact" and newest is None:
            raise CrmUnavailable("away")
        return await super().page(kind, lane, page=page, newest=newest)


async def test_a_load_that_was_asked_for_again_leaves_the_directory_complete(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock, feed: Any
) -> None:
    crm.seed(*(contact(i) for i in range(1, 601)))
    await sync.load()
    async with pool.acquire() as conn:
        await restart_load(conn, "a")
    clock.tick()
    only_deltas = CrmWithoutContacts(clock=clock)
    run = asyncio.create_task(
        Sync(only_deltas, pool, "a", NumberPolicy(), now=clock, poll_seconds=0.05).run()
    )
    await asyncio.wait_for(feed.until(lambda: feed.directory("a").in_sync_at == clock.at), 10)
    assert feed.directory("a").is_complete
    run.cancel()


async def test_a_webhooks_reread_does_not_wait_for_a_poll_that_hangs(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(contact(1))
    await sync.load()
    crm.hold("events")
    run = asyncio.create_task(sync.run())
    await until(lambda: crm.count("events"), "the poll hangs", seconds=5)
    crm.seed(deal(50, 1, updated_at=clock.tick()))
    await sync.apply_webhook([EntityChange(kind="deal", id="50", what="added", at=clock())])

    async def is_read() -> bool:
        return len(await found(pool, 1)) == 2

    await until(is_read, "the deal is read all the same", seconds=5)
    run.cancel()


# --- the slow walk


async def test_the_slow_walk_finds_what_vanished_and_what_was_never_seen(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool
) -> None:
    crm.seed(*(contact(i) for i in range(1, 601)), deal(50, 7))
    await sync.load()
    for i in (5, 251, 600):
        crm.seed(replace(contact(i), is_deleted=True))
    crm.seed(contact(700, updated_at=T0 - timedelta(days=99)))
    await sync.poll_once()
    assert await found(pool, 5)
    asked = len(crm.requests)
    while not await recheck_step(sync.source):
        pass
    assert len(crm.requests) - asked <= 3 + 1 + 1 + 3
    assert [await found(pool, i) for i in (5, 251, 600)] == [[], [], []]
    assert await found(pool, 700) == [("contact", "700", "11")]
    assert await found(pool, 7) == [("contact", "7", "11"), ("deal", "50", "12")]
    assert await pool.fetchval("SELECT count(*) FROM directory_entity WHERE kind = 'contact'") == 598


# --- the loop


async def test_the_loop_loads_polls_and_tells_when_it_agreed(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock, feed: Any
) -> None:
    crm.user_list = [CrmUser(id="11", name="Anna", email="anna@example.com", is_active=True)]
    crm.seed(contact(1))
    run = asyncio.create_task(sync.run())
    await asyncio.wait_for(feed.until(lambda: feed.directory("a").in_sync_at == T0), 10)
    assert feed.directory("a").is_complete
    assert [c.id for c in feed.directory("a").find(int(number(1)))] == ["1"]
    async with pool.acquire() as conn:
        assert [u.name for u in await users_of(conn, "a")] == ["Anna"]
        assert [s.id for s in (await pipelines_of(conn, "a"))[0].stages][-1] == "143"
        assert {s.feed for s in await feed_states(conn, "a")} >= {
            "load",
            "events",
            "unsorted",
            "metadata",
            "agreed",
        }
    run.cancel()


async def test_an_error_of_one_feed_is_stored_and_does_not_stop_the_others(
    crm: FakeCrm, pool: asyncpg.Pool, clock: Clock, account: str, feed: Any
) -> None:
    crm.seed(contact(1))
    sync = Sync(crm, pool, account, NumberPolicy(), now=clock, poll_seconds=0.05)
    crm.fail("users", ValueError("a bug of ours"))  # type: ignore[arg-type]
    crm.fail("events", CrmThrottled("slow down"), times=1)
    run = asyncio.create_task(sync.run())
    await asyncio.wait_for(feed.until(lambda: feed.directory("a").in_sync_at is not None), 10)
    async with pool.acquire() as conn:
        states = {s.feed: s for s in await feed_states(conn, "a")}
    assert states["metadata"].last_error == "ValueError: a bug of ours"
    assert states["events"].last_error is None  # it has succeeded since
    assert sync.health.failures == {"metadata": 1, "events": 1}
    assert not run.done()
    run.cancel()


async def test_what_is_asked_seldom_is_asked_again_once_the_crm_lets_another_feed_in(
    crm: FakeCrm, pool: asyncpg.Pool, clock: Clock, account: str, feed: Any
) -> None:
    """Nobody tells of the key: users would be read minutes later."""
    sync = Sync(crm, pool, account, NumberPolicy(), now=clock, poll_seconds=0.05)
    for what in ("users", "events"):
        crm.fail(what, CrmUnauthorised("the key is no good"), times=1)
    crm.user_list = [CrmUser(id="11", name="Anna", email="anna@example.com", is_active=True)]
    run = asyncio.create_task(sync.run())

    async def are_read() -> bool:
        async with pool.acquire() as conn:
            return [u.name for u in await users_of(conn, "a")] == ["Anna"]

    await until(are_read, "users are read")
    run.cancel()


async def test_a_key_that_comes_while_the_crm_refuses_is_tried_at_once(
    crm: FakeCrm, pool: asyncpg.Pool, clock: Clock, account: str
) -> None:
    """It was told of before the answer to the request that went out without it."""
    asked = 0

    async def ask() -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            sync.key_changed()
            raise CrmUnauthorised("no key is stored")

    async def is_asked_again() -> bool:
        return asked == 2

    sync = Sync(crm, pool, account, NumberPolicy(), now=clock, more=[Feed("seldom", 300.0, ask)])
    run = asyncio.create_task(sync.run())
    await until(is_asked_again, "asked again")
    run.cancel()


async def test_a_cancelled_loop_ends_at_once_wherever_it_stands(
    crm: FakeCrm, pool: asyncpg.Pool, clock: Clock, account: str
) -> None:
    crm.seed(*(contact(i) for i in range(1, 301)))
    for attempt in range(60):
        sync = Sync(crm, pool, account, NumberPolicy(), now=clock, poll_seconds=0.01, reread_seconds=0.01)
        run = asyncio.create_task(sync.run())
        await asyncio.sleep(attempt * 0.0013)
        run.cancel()
        done, _ = await asyncio.wait([run], timeout=5)
        assert done, f"still running after {attempt * 1.3} ms"
    async with asyncio.timeout(5):  # and every connection comes back
        while pool.get_size() != pool.get_idle_size():
            await asyncio.sleep(0.01)


async def test_an_open_deal_rings_nobody_while_its_pipeline_is_in_the_archive(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(contact(1), contact(2), deal(50, 1), deal(51, 2, is_open=False, stage_id="142"))
    await sync.load()
    assert await found(pool, 1) == [("contact", "1", "11"), ("deal", "50", "12")]
    in_use = crm.pipeline_list
    crm.pipeline_list = [replace(pipeline, is_archived=True) for pipeline in in_use]
    await read_metadata(sync.source)
    assert await found(pool, 1) == [("contact", "1", "11")]
    crm.seed(deal(50, 1, owner_id="13", updated_at=clock.tick()))
    await sync.poll_once()
    assert await found(pool, 1) == [("contact", "1", "11")]
    crm.pipeline_list = in_use
    await read_metadata(sync.source)
    assert await found(pool, 1) == [("contact", "1", "11"), ("deal", "50", "13")]
    assert await found(pool, 2) == [("contact", "2", "11")]
