"""Effects leave by system: each executor takes, looks into and ends what is its own, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from crm.effects.dead_letters import items
from crm.effects.model import EffectOutcome
from crm.effects.order import order
from crm.effects.store.work import PgEffects
from crm.lane import Lane
from routing.effects import CreateContact, Effect
from routing.settings import NumberPolicy
from runtime.database.pool import Conn
from runtime.effects.executor import Executor
from runtime.effects.store import EffectQueue, Result, TakenEffect

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
NUMBER = "+79161234567"
LIVE = (Lane.REALTIME, Lane.EVENTS, Lane.SYNC)


class Messenger:
    """A system that keeps what it was sent. silent: keys whose answer is lost; broken: dies before it answers."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool, self.sent, self.state_when_sent = pool, list[str](), list[str]()
        self.silent, self.refused, self.is_broken = set[str](), set[str](), False

    async def send(self, effect: TakenEffect) -> Result:
        state = await self.pool.fetchval("SELECT state FROM effect WHERE effect_key = $1", effect.key)
        self.state_when_sent.append(state)  # read by another session: intent was committed
        if effect.key in self.refused:
            return Result(state="dead", code="refused")
        self.sent.append(effect.key)
        if self.is_broken:
            raise KeyboardInterrupt
        if effect.key in self.silent:
            return Result(state="unknown", code="time-out", next_try_at=NOW)
        return Result(state="done", id=f"id-{effect.key}")

    async def verify(self, effect: TakenEffect) -> Result:
        if effect.key in self.sent:
            return Result(state="done", id=f"id-{effect.key}")
        return Result(state="waiting")


@pytest.fixture
async def conn(pool: asyncpg.Pool) -> AsyncIterator[Conn]:
    async with pool.acquire() as connection:
        yield connection


@pytest.fixture
def messenger(pool: asyncpg.Pool) -> Messenger:
    return Messenger(pool)


@pytest.fixture
def executor(pool: asyncpg.Pool, messenger: Messenger) -> Executor:
    return Executor(EffectQueue(pool, "a", "sms"), messenger, lambda: NOW)


@pytest.fixture
def crm(pool: asyncpg.Pool) -> PgEffects:
    return PgEffects(pool, "a", NumberPolicy)


async def messages(conn: Conn, *keys: str, after: tuple[str, ...] = ()) -> None:
    await conn.executemany(
        'INSERT INTO effect (account_id, effect_key, decision_id, client, lane, what, "order", after, system)'
        " VALUES ('a', $1, 'd', $3, 1, 'send_sms', '{}', $2, 'sms')",
        [(key, list(after), NUMBER) for key in keys],
    )


async def contact(conn: Conn, key: str = "contact") -> None:
    wanted = Effect(key=key, order=CreateContact(name="Client", number=NUMBER))
    await order(
        conn, account_id="a", decision_id="d", call_id="c", client=NUMBER, lane=Lane.EVENTS, effects=[wanted]
    )


async def states(conn: Conn) -> dict[str, str]:
    return {r[0]: r[1] for r in await conn.fetch("SELECT effect_key, state FROM effect ORDER BY seq")}


async def end(crm: PgEffects, key: str, state: Any) -> None:
    (taken,) = await crm.take([key], NOW)
    await crm.record([EffectOutcome(key=key, attempt=taken.attempt, state=state, crm_id="7")], [], NOW)


async def test_executors_of_two_systems_leave_each_others_effects_alone(
    conn: Conn, crm: PgEffects, executor: Executor, messenger: Messenger
) -> None:
    await messages(conn, "sms")
    await contact(conn)
    assert [row.key for row in await crm.ready(NOW, LIVE, 10)] == ["contact"]
    assert await crm.take(["sms"], NOW) == []
    assert await executor.drain() == 1
    assert messenger.sent == ["sms"]
    assert await states(conn) == {"sms": "done", "contact": "waiting"}


async def test_intent_is_committed_before_the_request_and_the_outcome_after_it(
    conn: Conn, executor: Executor, messenger: Messenger
) -> None:
    await messages(conn, "one", "two")
    await executor.drain()
    assert messenger.state_when_sent == ["sending", "sending"]
    assert await states(conn) == {"one": "done", "two": "done"}


async def test_what_was_sent_without_an_answer_is_looked_for_and_not_sent_again(
    conn: Conn, executor: Executor, messenger: Messenger
) -> None:
    messenger.silent = {"lost"}
    await messages(conn, "lost")
    await executor.drain()
    assert await states(conn) == {"lost": "unknown"}
    await executor.drain()
    assert await states(conn) == {"lost": "done"}
    assert messenger.sent == ["lost"]


async def test_a_successor_looks_into_what_was_being_sent_of_its_own_system_only(
    conn: Conn, crm: PgEffects, executor: Executor, messenger: Messenger
) -> None:
    await contact(conn)
    await messages(conn, "sms", "next")
    await crm.take(["contact"], NOW)
    messenger.is_broken = True
    with pytest.raises(KeyboardInterrupt):
        await executor.drain()
    messenger.is_broken = False
    assert await executor.recover_in_flight(NOW) == 1
    assert (await states(conn))["contact"] == "sending"
    await executor.drain()
    assert messenger.sent == ["sms", "next"]
    assert await states(conn) == {"contact": "sending", "sms": "done", "next": "done"}


async def test_a_message_waits_for_the_contact_that_it_needs(
    conn: Conn, crm: PgEffects, executor: Executor, messenger: Messenger
) -> None:
    await contact(conn)
    await messages(conn, "sms", after=("contact",))
    assert await executor.drain() == 0
    await end(crm, "contact", "done")
    assert await executor.drain() == 1
    assert messenger.sent == ["sms"]


async def test_a_message_falls_with_the_contact_that_it_needs(
    conn: Conn, crm: PgEffects, executor: Executor, messenger: Messenger
) -> None:
    await contact(conn)
    await messages(conn, "sms", after=("contact",))
    await messages(conn, "reply", after=("sms",))
    await end(crm, "contact", "dead")
    assert await states(conn) == {"contact": "dead", "sms": "dead", "reply": "dead"}
    assert {(item.key, item.system) for item in await items(conn, "a")} == {
        ("contact", "crm"),
        ("sms", "sms"),
        ("reply", "sms"),
    }


async def test_switching_off_the_account_holds_every_system(conn: Conn, executor: Executor) -> None:
    from crm.effects.order import hold

    await contact(conn)
    await messages(conn, "sms")
    assert await hold(conn, "a") == 2
    assert await executor.drain() == 0


async def test_ten_thousand_waiting_messages_cost_the_crm_nothing(conn: Conn, crm: PgEffects) -> None:
    from crm.effects.store import work

    await contact(conn)
    await conn.execute("ANALYZE effect")
    before = await _buffers(conn, work._READY)
    await messages(conn, *(f"sms{n}" for n in range(10_000)))
    await conn.execute("ANALYZE effect")
    after = await _buffers(conn, work._READY)
    assert after <= before + 20
    assert [row.key for row in await crm.ready(NOW, LIVE, 1000)] == ["contact"]
    await end(crm, "contact", "done")
    assert await crm.recover_in_flight(NOW + timedelta(minutes=1)) == 0
    assert (
        await conn.fetchval("SELECT count(*) FROM effect WHERE state = 'waiting' AND attempts = 0") == 10_000
    )


async def _buffers(conn: Conn, query: str) -> int:
    """Pages that the query reads."""
    explained = await conn.fetchval(
        f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}", "a", [int(lane) for lane in LIVE], NOW, 1000
    )
    plan = explained[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


async def test_the_late_outcome_of_an_attempt_that_was_given_up_changes_nothing(
    conn: Conn, crm: PgEffects
) -> None:
    await contact(conn)
    (first,) = await crm.take(["contact"], NOW)
    await crm.recover_in_flight(NOW)  # by who took its process for dead, looked, and sends it again
    await crm.record([EffectOutcome(key="contact", attempt=first.attempt, state="waiting")], [], NOW)
    (second,) = await crm.take(["contact"], NOW)
    for late in ("waiting", "dead", "unknown"):
        await crm.record([EffectOutcome(key="contact", attempt=first.attempt, state=late)], [], NOW)
        assert await states(conn) == {"contact": "sending"}
    await crm.record(
        [EffectOutcome(key="contact", attempt=second.attempt, state="done", crm_id="7")], [], NOW
    )
    assert await states(conn) == {"contact": "done"}


async def test_the_same_for_what_is_sent_to_another_system(pool: asyncpg.Pool, conn: Conn) -> None:
    queue = EffectQueue(pool, "a", "sms")
    await messages(conn, "one")
    (first,) = await queue.take(NOW, 10)
    await queue.recover_in_flight(NOW)
    await queue.record(first, Result(state="waiting"), NOW)
    (second,) = await queue.take(NOW, 10)
    for late in ("waiting", "dead", "unknown"):
        await queue.record(first, Result(state=late), NOW)
        assert await states(conn) == {"one": "sending"}
    await queue.record(second, Result(state="done", id="7"), NOW)
    assert await states(conn) == {"one": "done"}
