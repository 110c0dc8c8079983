"""Changes of one second, told in any order and more than once: what is true in the CRM wins."""

from __future__ import annotations

import asyncio

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.entity_changes import EntityChange
from crm.lane import Lane
from crm.port import CrmEntity
from crm.store.entries import delete_directory
from crm.sync.changes import apply_webhook
from crm.sync.polls import poll_rereads
from crm.sync.sync import Sync
from routing.settings import NumberPolicy
from tests.fakes.crm import FakeCrm
from tests.integration.crm.sync_bench import Clock, contact, found

POLICY = NumberPolicy()


def webhook_of(entity: CrmEntity) -> EntityChange:
    return EntityChange(
        kind=entity.kind,
        id=entity.id,
        what="updated",
        at=entity.updated_at,
        name=entity.name,
        owner_id=entity.owner_id,
        numbers=entity.numbers,
    )


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.integers(11, 14)),
        st.tuples(st.just("deliver"), st.integers(0, 5)),
        st.tuples(st.just("poll"), st.just(0)),
        st.tuples(st.just("read again"), st.just(0)),
    ),
    min_size=2,
    max_size=12,
)


@given(steps=STEPS, are_lost=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_the_order_the_truth_of_a_second_wins(
    pool: asyncpg.Pool, account: str, steps: list[tuple[str, int]], are_lost: bool
) -> None:
    """are_lost: webhooks that the steps do not deliver never come; a poll is the last thing in any case."""
    async with pool.acquire() as conn:
        await delete_directory(conn, account)
    clock, crm = Clock(), FakeCrm()
    sync = Sync(crm, pool, account, POLICY, now=clock)
    crm.seed(contact(1, owner_id="10"))
    await sync.load()
    clock.tick()
    truth, told = contact(1, owner_id="10", updated_at=clock()), list[CrmEntity]()
    for what, value in steps:
        match what:
            case "change":
                truth = contact(1, owner_id=str(value), updated_at=clock())
                crm.seed(truth)
                told.append(truth)
            case "deliver" if told:
                await apply_webhook(pool, account, [webhook_of(told[value % len(told)])], POLICY)
            case "poll":
                await sync.poll_once()
            case "read again":
                await poll_rereads(sync.source, Lane.EVENTS)
    crm.seed(truth)
    if not are_lost and told:
        await apply_webhook(pool, account, [webhook_of(entity) for entity in reversed(told)], POLICY)
    await sync.poll_once()
    for _ in range(5):
        if not await poll_rereads(sync.source, Lane.EVENTS):
            break
    assert await found(pool, 1) == [("contact", "1", truth.owner_id)]
    assert await poll_rereads(sync.source, Lane.EVENTS) == 0


async def test_a_webhook_that_comes_again_is_put_right_within_two_seconds(
    pool: asyncpg.Pool, account: str
) -> None:
    """A, then B in the same second; B's webhook came, then A's is repeated minutes later."""
    clock, crm = Clock(), FakeCrm()
    sync = Sync(crm, pool, account, POLICY, poll_seconds=600, now=clock)
    a, b = (contact(1, owner_id=owner, updated_at=clock()) for owner in ("104", "102"))
    crm.seed(a)
    await sync.load()
    crm.seed(b)
    running = asyncio.create_task(sync.run())
    try:
        await sync.apply_webhook([webhook_of(b)])
        await until_owner(pool, "102")
        await sync.apply_webhook([webhook_of(a)])
        await asyncio.sleep(0.3)
        await until_owner(pool, "102")
    finally:
        running.cancel()


async def until_owner(pool: asyncpg.Pool, owner: str) -> None:
    async with asyncio.timeout(2):
        while await found(pool, 1) != [("contact", "1", owner)]:
            await asyncio.sleep(0.02)


async def test_a_deletion_that_was_undone_and_is_told_again_takes_nothing_away(
    pool: asyncpg.Pool, account: str
) -> None:
    clock, crm = Clock(), FakeCrm()
    sync = Sync(crm, pool, account, POLICY, now=clock)
    crm.seed(contact(1))
    await sync.load()
    gone = EntityChange(kind="contact", id="1", what="deleted")
    await apply_webhook(pool, account, [gone], POLICY)
    assert await found(pool, 1) == []
    await poll_rereads(sync.source, Lane.EVENTS)
    assert await found(pool, 1) == [("contact", "1", "11")]


async def test_a_webhook_of_our_own_state_costs_no_request(pool: asyncpg.Pool, account: str) -> None:
    clock, crm = Clock(), FakeCrm()
    sync = Sync(crm, pool, account, POLICY, now=clock)
    crm.seed(contact(1))
    await sync.load()
    taken = await apply_webhook(pool, account, [webhook_of(contact(1))] * 3, POLICY)
    assert taken.to_reread == ()
