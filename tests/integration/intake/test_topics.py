"""Whatever changes a call, a case, an effect or waiting work tells it, once for each transaction and topic."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from crm.effects import backfill, dead_letters
from crm.effects.model import EffectOutcome
from crm.effects.store.work import PgEffects
from gateway.calls.client_job import ClientJob
from gateway.store.admin import accounts
from gateway.store.intake import inbox
from routing.matrix.model import Matrix
from routing.matrix.presets import recommended
from routing.settings import NumberPolicy
from runtime.database import channels
from runtime.database.changes import EVERYTHING, Change, Changes
from runtime.database.listen import Listener
from runtime.database.pool import Conn
from tests.fakes.matrices import PublishedMatrix
from tests.integration.intake.office import ACCOUNT, CLIENT, Office, a_call, an_office
from tests.waiting import until

_END = "the end"


class Told:
    """What is told on the channel of changes, by a listener that knows nothing of ours."""

    def __init__(self, pool: asyncpg.Pool, listening: asyncpg.Connection) -> None:
        self._pool, self._texts = pool, list[str]()
        self._listening = listening

    async def begin(self) -> None:
        await self._listening.add_listener(channels.CHANGES, self._hear)

    def _hear(self, _conn: object, _pid: int, _channel: str, payload: object) -> None:
        self._texts.append(str(payload))

    async def since(self) -> dict[str, int]:
        """How often each text was told since the last question. Notifications come in the order of their commits."""
        await self._pool.execute("SELECT pg_notify($1, $2)", channels.CHANGES, _END)
        await until(lambda: _END in self._texts, "everything told so far was heard")
        texts, self._texts = self._texts, []
        return dict(Counter(texts) - Counter([_END]))


@pytest.fixture
async def told(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Told]:
    listening = await asyncpg.connect(database_url)
    heard = Told(pool, listening)
    await heard.begin()
    yield heard
    await listening.close()


@pytest.fixture
async def quiet(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Office]:
    """No workers: jobs run when a test says so."""
    made = await an_office(pool, database_url)
    async with made.inbox:
        yield made


def _job(office: Office) -> ClientJob:
    return ClientJob(office.pool, PublishedMatrix(recommended()), now=office.clock)


async def test_messages_that_share_a_commit_are_one_change_of_work(quiet: Office, told: Told) -> None:
    before = quiet.inbox.status.batches
    await asyncio.gather(*(quiet.tell(a_call(f"c{n}", client=f"+7916000{n:04d}")[0]) for n in range(30)))
    batches = quiet.inbox.status.batches - before
    assert await told.since() == {f"{ACCOUNT} work": batches}
    assert batches < 30
    await quiet.tell(a_call("c1", client="+79160000001")[0])
    assert await told.since() == {}, "a duplicate changes nothing"


async def test_a_clients_job_tells_each_topic_once(quiet: Office, told: Told) -> None:
    await quiet.tell_all([*a_call("c1"), *a_call("c2")])
    await told.since()
    await _job(quiet).run(ACCOUNT, CLIENT)
    assert await told.since() == {f"{ACCOUNT} calls": 1, f"{ACCOUNT} work": 1}
    quiet.clock.forward(seconds=60)
    await _job(quiet).run(ACCOUNT, CLIENT)
    assert len(await quiet.cases()) == 1
    assert len(await quiet.effects()) > 1
    assert await told.since() == {f"{ACCOUNT} {topic}": 1 for topic in ("calls", "cases", "effects")}
    await _job(quiet).run(ACCOUNT, CLIENT)
    assert await told.since() == {}, "nothing was left to do"


class BreaksAtTheSecondCall(PublishedMatrix):
    asked = 0

    async def current(self, *args: Any) -> Matrix:
        self.asked += 1
        if self.asked == 2:
            raise asyncpg.InternalClientError("in the middle of the job")
        return await super().current(*args)


async def test_what_is_rolled_back_is_not_told(quiet: Office, told: Told) -> None:
    await quiet.tell_all([*a_call("c1"), *a_call("c2")])
    await told.since()
    breaks = BreaksAtTheSecondCall(recommended())
    with pytest.raises(asyncpg.InternalClientError):
        await ClientJob(quiet.pool, breaks, now=quiet.clock).run(ACCOUNT, CLIENT)
    assert breaks.asked == 2
    assert await told.since() == {}
    await _missed_call(quiet)
    await told.since()
    async with _rolled_back(quiet.pool) as conn:
        await conn.execute("UPDATE inbox SET state = 'dead'")
        await conn.execute("UPDATE call SET facts = facts")
        await conn.execute("UPDATE effect SET state = 'done'")
        await conn.execute("UPDATE missed_case SET state = 'closed'")
    assert await told.since() == {}


@asynccontextmanager
async def _rolled_back(pool: asyncpg.Pool) -> AsyncIterator[Conn]:
    async with pool.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        yield conn
        await transaction.rollback()


async def test_outcomes_of_effects_are_told_once_for_a_request_and_the_sending_is_not(
    quiet: Office, told: Told
) -> None:
    await _missed_call(quiet)
    await told.since()
    now, store = quiet.clock(), PgEffects(quiet.pool, ACCOUNT, NumberPolicy)
    keys = [row["effect_key"] for row in await quiet.effects()]
    sent = await store.take(keys, now)
    assert len(sent) > 1
    assert await told.since() == {}
    outcomes = [
        EffectOutcome(key=effect.key, attempt=effect.attempt, state="dead" if effect is sent[0] else "done")
        for effect in sent
    ]
    await store.record(outcomes, [], now)
    assert await told.since() == {f"{ACCOUNT} effects": 1}


async def _missed_call(office: Office) -> None:
    await office.tell_all(a_call())
    await _job(office).run(ACCOUNT, CLIENT)
    office.clock.forward(seconds=60)
    await _job(office).run(ACCOUNT, CLIENT)


async def test_what_people_order_is_told_too(quiet: Office, told: Told) -> None:
    await _missed_call(quiet)
    await told.since()
    async with quiet.pool.acquire() as conn:
        await conn.execute("UPDATE effect SET state = 'dead' WHERE what = 'create_contact'")
        await conn.execute("UPDATE inbox SET state = 'dead'")
        await told.since()
        await dead_letters.retry(conn, ACCOUNT)
        assert await told.since() == {f"{ACCOUNT} effects": 1}
        async with conn.transaction():
            await inbox.retry_dead(conn, ACCOUNT)
        assert await told.since() == {f"{ACCOUNT} work": 1}
        await accounts.set_account_state(conn, ACCOUNT, "off", "a person")
        assert await told.since() == {f"{ACCOUNT} findings": 1}
        await conn.execute("UPDATE effect SET state = 'held'")
        await accounts.set_account_state(conn, ACCOUNT, "on", "a person")
        await told.since()
        await backfill.start(conn, ACCOUNT, quiet.clock())
        assert (await told.since())[f"{ACCOUNT} effects"] == 1
        await backfill.pause(conn, ACCOUNT, quiet.clock())
        assert await told.since() == {f"{ACCOUNT} effects": 1}


async def test_readers_of_another_account_hear_nothing(quiet: Office, database_url: str) -> None:
    async with quiet.pool.acquire() as conn:
        await accounts.add_account(conn, account_id="other", name="Other", base_url="http://127.0.0.1:1")
    listener = Listener(database_url)
    running = asyncio.create_task(listener.run())
    hub = Changes(listener)
    heard: dict[str, list[Change]] = {"other": [], ACCOUNT: []}

    async def follow(account_id: str) -> None:
        with hub.reader(account_id) as reader:
            async for change in reader:
                heard[account_id].append(change)

    following = [asyncio.create_task(follow(account_id)) for account_id in heard]
    await until(lambda: all(changes == [EVERYTHING] for changes in heard.values()), "both are listened to")
    await _missed_call(quiet)
    wanted = {Change(ACCOUNT, topic) for topic in ("calls", "cases", "effects", "work")}
    await until(lambda: wanted <= set(heard[ACCOUNT]), "its own reader hears of everything")
    assert heard["other"] == [EVERYTHING]
    for task in (*following, running):
        task.cancel()
    await asyncio.gather(*following, running, return_exceptions=True)
