"""The sync's feed of events against a CRM in memory: what only events tell, and floods of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import asyncpg
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from crm.lane import Lane
from crm.sync.events import poll_events
from crm.sync.sync import Sync
from routing.settings import NumberPolicy
from tests.fakes.crm import FakeCrm
from tests.integration.crm.sync_bench import T0, Clock, contact, deal, found, number, tell


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
    sync = Sync(crm, pool, account, NumberPolicy(), now=clock)

    async def poll() -> None:
        heard.extend(e.id for e in await poll_events(sync.source, Lane.SYNC))

    await sync.load()
    for _ in range(250):
        clock.tick(0.5)
        tell(crm, clock, "stage_changed", ("deal", "50"))
    await poll()
    await poll()
    clock.tick(1)
    tell(crm, clock, "message", ("contact", "1"))
    await poll()
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
    async with pool.acquire() as conn:
        await conn.execute("DELETE FROM sync_cursor")
        await conn.execute("DELETE FROM crm_event")
    ours = lambda: clock() - timedelta(seconds=skew)  # noqa: E731
    sync = Sync(crm, pool, account, NumberPolicy(), now=ours)

    async def poll() -> None:
        heard.update(e.id for e in await poll_events(sync.source, Lane.SYNC))

    tell(crm, clock, "changed", ("deal", "1"))
    await poll()
    first = len(crm.feed)
    clock.tick(max(0, -skew) + 61)
    for events, seconds in bursts:
        for i in range(events):
            kind = ("added", "linked", "deleted", "message")[i % 4]
            tell(crm, clock, kind, ("contact", "1"), ("deal", "5"), late=i * 7 % 59 if i % 10 == 3 else 0)
            if i % max(1, events // seconds) == 0:
                clock.tick(1)
        await poll()
        clock.tick(30)
    for _ in range(60):
        if heard >= {e.id for e in crm.feed[first:]}:
            return
        clock.tick(30)
        await poll()
    missing = sorted({e.id for e in crm.feed[first:]} - heard)
    raise AssertionError(f"never heard: {len(missing)}, e.g. {missing[:3]}")
