"""The sync against a CRM in memory: loads, polls, events, webhooks, and what goes wrong."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crm.errors import CrmForbidden, CrmThrottled, CrmUnavailable
from crm.port import CrmEntity, CrmEvent, CrmUser, Lane
from crm.store.cursors import feed_states
from crm.store.entries import candidates_of
from crm.store.metadata import pipelines_of, users_of
from crm.sync import Sync, apply_webhook
from crm.sync_changes import EntityChange
from crm.sync_load import LoadProgress, load_progress, load_step, restart_load
from crm.sync_recheck import recheck_step
from routing.policy import NumberPolicy
from tests.fakes.crm import FakeCrm

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """The time at the CRM and with us."""

    def __init__(self) -> None:
        self.at = T0

    def __call__(self) -> datetime:
        return self.at

    def tick(self, seconds: float = 30) -> datetime:
        self.at += timedelta(seconds=seconds)
        return self.at


def number(i: int) -> str:
    return f"+7900{i:07}"


def contact(i: int, **fields: Any) -> CrmEntity:
    fields = {"numbers": (number(i),), "owner_id": "11", "updated_at": T0 - timedelta(days=1), **fields}
    return CrmEntity(kind="contact", id=str(i), name=f"Contact {i}", **fields)


def deal(i: int, *contacts: int, **fields: Any) -> CrmEntity:
    fields = {"owner_id": "12", "updated_at": T0 - timedelta(days=1), "is_open": True, **fields}
    return CrmEntity(kind="deal", id=str(i), contact_ids=tuple(map(str, contacts)), pipeline_id="1", **fields)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def crm(clock: Clock) -> FakeCrm:
    return FakeCrm(clock=clock)


@pytest.fixture
async def sync(crm: FakeCrm, clock: Clock, pool: asyncpg.Pool, account: str) -> Sync:
    return Sync(crm, pool, account, NumberPolicy(), now=clock)


async def found(pool: asyncpg.Pool, i: int) -> list[tuple[str, str, str]]:
    async with pool.acquire() as conn:
        wanted = int(number(i))
        return [(c.kind, c.id, c.owner) for c in (await candidates_of(conn, "a", [wanted]))[wanted]]


def tell(
    crm: FakeCrm, clock: Clock, kind: Any, ref: tuple[Any, str], other: Any = None, *, late: int = 0
) -> None:
    """late: seconds between the time that the event carries and its appearing in the feed."""
    event_id = f"e{len(crm.feed):06}"
    crm.feed.append(
        CrmEvent(
            id=event_id,
            kind=kind,
            at=clock() - timedelta(seconds=late),
            entity_kind=ref[0],
            entity_id=ref[1],
            by_user=None,
            other=other,
        )
    )


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
        (500, "contact"),
        (600, "company"),
        (601, "deal"),
        (603, "lead"),
        (604, None),
    ]
    assert await found(pool, 7) == [("contact", "7", "11"), ("deal", "1001", "12")]
    assert await found(pool, 8) == [("contact", "8", "11")]
    assert await found(pool, 9) == [("contact", "9", "11"), ("lead", "ab", "14")]
    assert await found(pool, 700) == [("company", "2000", "15")]


async def test_a_killed_load_goes_on_where_it_stood(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(*(contact(i) for i in range(1, 601)))
    crm.fail("page", CrmUnavailable("away"), after=2)
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
    await asyncio.wait_for(feed.until(lambda: feed.directory("a").agreed_at == T0), 5)
    async with pool.acquire() as conn:
        states = {s.feed: s.last_error for s in await feed_states(conn, "a")}
    assert states["unsorted"] == "crm-forbidden: not for you"


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


# --- the feed of events


async def test_a_deletion_is_taken_from_the_feed_of_events(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(contact(1), deal(50, 1))
    await sync.load()
    clock.tick()
    crm.remove("deal", "50")
    await sync.poll_once()
    assert await found(pool, 1) == [("contact", "1", "11")]
    assert crm.count("by_ids") == 0  # nothing has to be asked for a plain deletion


async def test_a_restored_entity_comes_back_with_its_links(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(contact(1), deal(50, 1))
    await sync.load()
    clock.tick()
    crm.remove("deal", "50")
    await sync.poll_once()
    clock.tick()
    crm.seed(deal(50, 1))  # its time of change stays as it was
    tell(crm, clock, "restored", ("deal", "50"))
    await sync.poll_once()
    assert await found(pool, 1) == [("contact", "1", "11"), ("deal", "50", "12")]
    clock.tick(10)
    await sync.poll_once()  # the deletion lies in the overlap and must not count twice
    assert await found(pool, 1) == [("contact", "1", "11"), ("deal", "50", "12")]


async def test_a_merge_without_any_deletion_event_leaves_only_the_survivor(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(contact(1), contact(2), deal(50, 2))
    await sync.load()
    clock.tick()
    crm.seed(contact(1, numbers=(number(1), number(2))), replace(contact(2), is_deleted=True), deal(50, 1))
    tell(crm, clock, "merged", ("contact", "1"))
    tell(crm, clock, "linked", ("deal", "50"), ("contact", "1"))
    await sync.poll_once()
    assert await found(pool, 1) == await found(pool, 2) == [("contact", "1", "11"), ("deal", "50", "12")]


async def test_links_and_unlinks_are_followed_from_either_side(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(contact(1), contact(2), deal(50))
    await sync.load()
    clock.tick()
    crm.seed(deal(50, 1))
    tell(crm, clock, "linked", ("contact", "1"), ("deal", "50"))
    await sync.poll_once()
    assert await found(pool, 1) == [("contact", "1", "11"), ("deal", "50", "12")]
    clock.tick()
    crm.seed(deal(50, 2))
    tell(crm, clock, "unlinked", ("deal", "50"), ("contact", "1"))
    await sync.poll_once()
    assert await found(pool, 1) == [("contact", "1", "11")]
    assert await found(pool, 2) == [("contact", "2", "11"), ("deal", "50", "12")]


async def test_an_entity_created_with_an_old_date_is_found_through_its_event(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(contact(1))
    await sync.load()
    await sync.poll_once()
    clock.tick()
    crm.seed(contact(2, updated_at=T0 - timedelta(days=300)))
    tell(crm, clock, "added", ("contact", "2"))
    await sync.poll_once()
    assert await found(pool, 2) == [("contact", "2", "11")]


async def test_events_are_handed_on_once_and_in_order(
    crm: FakeCrm, pool: asyncpg.Pool, clock: Clock, account: str
) -> None:
    heard: list[str] = []

    async def hear(events: Any) -> None:
        heard.extend(e.id for e in events)

    sync = Sync(crm, pool, account, NumberPolicy(), now=clock, on_events=hear)
    await sync.load()
    for _ in range(250):
        clock.tick(0.5)
        tell(crm, clock, "stage_changed", ("deal", "50"))
    await sync.poll_once()
    await sync.poll_once()
    clock.tick(1)
    tell(crm, clock, "call", ("contact", "1"))
    await sync.poll_once()
    assert heard == [f"e{i:06}" for i in range(251)]


async def told_by_the_thousand(crm: FakeCrm, clock: Clock, seconds: int = 60) -> list[int]:
    """Contacts with an old date, forty events of creation in each second; the ids."""
    ids = list(range(1000, 1000 + 40 * seconds))
    for i in ids:
        crm.seed(contact(i, updated_at=T0 - timedelta(days=300)))
        tell(crm, clock, "added", ("contact", str(i)))
        if i % 40 == 39:
            clock.tick(1)
    return ids


async def test_while_thousands_are_created_deletions_come_at_once_and_the_rest_later_a_few_pages_at_a_time(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(contact(1), contact(2))
    await sync.load()
    await sync.poll_once()
    ids = await told_by_the_thousand(crm, clock)
    crm.remove("contact", "1")
    tell(crm, clock, "deleted", ("contact", "1"))
    before = crm.count("events")
    await sync.poll_once()
    assert await found(pool, 1) == []
    assert crm.count("events") - before <= 5 + 1
    assert await found(pool, ids[0]) == []  # the oldest are still to come
    for _ in range(12):
        clock.tick()
        before = crm.count("events")
        await sync.poll_once()
        assert crm.count("events") - before <= 1 + 3 * 5 + 1
    for i in ids:
        assert await found(pool, i) == [("contact", str(i), "11")]


async def test_an_account_that_has_caught_up_with_a_flood_is_polled_with_one_request_again(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    await sync.load()
    await sync.poll_once()
    await told_by_the_thousand(crm, clock, seconds=20)
    for _ in range(14):
        clock.tick()
        tell(crm, clock, "added", ("contact", "1000"))
        await sync.poll_once()
    before = crm.count("events")
    clock.tick()
    await sync.poll_once()
    assert crm.count("events") - before == 1
    crm.seed(contact(2, updated_at=T0 - timedelta(days=300)))
    tell(crm, clock, "added", ("contact", "2"))
    await sync.poll_once()
    assert await found(pool, 2) == [("contact", "2", "11")]


async def test_while_it_still_pours_a_poll_takes_two_requests_and_deletions_come(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(contact(1))
    await sync.load()
    await sync.poll_once()
    for _ in range(4):
        ids = await told_by_the_thousand(crm, clock, seconds=30)
        before = crm.count("events")
        await sync.poll_once()
        assert crm.count("events") - before == 2
    assert await found(pool, ids[0]) == []
    crm.remove("contact", "1")
    tell(crm, clock, "deleted", ("contact", "1"))
    await sync.poll_once()
    assert await found(pool, 1) == []
    clock.tick(5000)  # it never ended, as it were: after an hour it is read all the same
    await told_by_the_thousand(crm, clock, seconds=5)
    for _ in range(15):
        await sync.poll_once()
    assert await found(pool, ids[0]) == [("contact", str(ids[0]), "11")]


@given(
    bursts=st.lists(st.tuples(st.integers(0, 900), st.integers(1, 50)), min_size=1, max_size=6),
    skew=st.integers(-300, 300),
)
@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_whatever_the_bursts_and_the_clocks_every_event_is_heard(
    pool: asyncpg.Pool, account: str, bursts: list[tuple[int, int]], skew: int
) -> None:
    """skew: seconds that the CRM's clock is ahead of ours."""
    clock, heard = Clock(), set[str]()
    crm = FakeCrm(clock=clock)

    async def hear(events: Any) -> None:
        heard.update(e.id for e in events)

    async with pool.acquire() as conn:
        await conn.execute("DELETE FROM sync_cursor")
    ours = lambda: clock() - timedelta(seconds=skew)  # noqa: E731
    sync = Sync(crm, pool, account, NumberPolicy(), now=ours, on_events=hear)
    tell(crm, clock, "changed", ("deal", "1"))
    await sync.poll_once()
    first = len(crm.feed)
    clock.tick(max(0, -skew) + 61)
    for events, seconds in bursts:
        for i in range(events):
            kind = ("added", "linked", "deleted", "call")[i % 4]
            tell(crm, clock, kind, ("contact", "1"), ("deal", "5"), late=i * 7 % 59 if i % 10 == 3 else 0)
            if i % max(1, events // seconds) == 0:
                clock.tick(1)
        await sync.poll_once()
        clock.tick(30)
    for _ in range(60):
        if heard >= {e.id for e in crm.feed[first:]}:
            return
        clock.tick(30)
        await sync.poll_once()
    missing = sorted({e.id for e in crm.feed[first:]} - heard)
    raise AssertionError(f"never heard: {len(missing)}, e.g. {missing[:3]}")


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
    async with asyncio.timeout(5):
        while await found(pool, 1) != [("contact", "1", "11"), ("deal", "50", "12")]:
            await asyncio.sleep(0.01)
        while await pool.fetchval("SELECT count(*) FROM directory_reread"):
            await asyncio.sleep(0.01)
    run.cancel()


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


async def test_catching_up_says_whether_webhooks_had_told_of_changes_as_late(
    sync: Sync, crm: FakeCrm, clock: Clock
) -> None:
    crm.seed(contact(1))
    await sync.load()
    assert not await sync.catch_up(Lane.REALTIME, ("contact",), max_age=0)  # no webhook ever came
    at = clock.tick()
    crm.seed(contact(2, updated_at=at))
    await sync.apply_webhook([EntityChange(kind="contact", id="2", what="added", at=at, name="New")])
    assert await sync.catch_up(Lane.REALTIME, ("contact",), max_age=0)
    crm.seed(contact(3, updated_at=clock.tick(6)))  # of which no webhook tells
    assert not await sync.catch_up(Lane.REALTIME, ("contact",), max_age=0)
    assert await sync.catch_up(Lane.REALTIME, ("company",), max_age=0)
    crm.seed(contact(4, updated_at=clock() + timedelta(days=1)))  # a client of the CRM may set any time
    await sync.apply_webhook(
        [EntityChange(kind="contact", id="5", what="added", at=clock.tick(), name="New")]
    )
    assert await sync.catch_up(Lane.REALTIME, ("contact",), max_age=0)


async def test_a_directory_that_cannot_be_brought_up_to_date_says_so(sync: Sync, crm: FakeCrm) -> None:
    await sync.load()
    crm.fail("page", CrmThrottled("slow down", 1.0))
    with pytest.raises(CrmThrottled):
        await sync.catch_up(Lane.REALTIME)


async def test_a_load_that_was_asked_for_again_leaves_the_directory_complete(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock, feed: Any
) -> None:
    crm.seed(*(contact(i) for i in range(1, 601)))
    await sync.load()
    async with pool.acquire() as conn:
        await restart_load(conn, "a")
    crm.fail("page", CrmUnavailable("away"), times=50, after=4)  # the deltas pass, the load does not
    clock.tick()
    run = asyncio.create_task(Sync(crm, pool, "a", NumberPolicy(), now=clock, poll_seconds=0.05).run())
    await asyncio.wait_for(feed.until(lambda: feed.directory("a").agreed_at == clock.at), 10)
    assert feed.directory("a").is_complete
    run.cancel()


async def test_a_webhooks_reread_does_not_wait_for_a_poll_that_hangs(
    sync: Sync, crm: FakeCrm, pool: asyncpg.Pool, clock: Clock
) -> None:
    crm.seed(contact(1))
    await sync.load()
    crm.hold("events")
    run = asyncio.create_task(sync.run())
    async with asyncio.timeout(5):
        while not crm.count("events"):
            await asyncio.sleep(0.01)
        crm.seed(deal(50, 1, updated_at=clock.tick()))
        await sync.apply_webhook([EntityChange(kind="deal", id="50", what="added", at=clock())])
        while len(await found(pool, 1)) != 2:
            await asyncio.sleep(0.01)
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
    await asyncio.wait_for(feed.until(lambda: feed.directory("a").agreed_at == T0), 10)
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
    await asyncio.wait_for(feed.until(lambda: feed.directory("a").agreed_at is not None), 10)
    async with pool.acquire() as conn:
        states = {s.feed: s for s in await feed_states(conn, "a")}
    assert states["metadata"].last_error == "ValueError: a bug of ours"
    assert states["events"].last_error is None  # it has succeeded since
    assert sync.health.failures == {"metadata": 1, "events": 1}
    assert not run.done()
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
