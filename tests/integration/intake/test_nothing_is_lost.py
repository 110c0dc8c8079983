"""Killed workers, lost jobs, poison, a database that goes away: what was accepted is applied, what is not is told."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from gateway.calls.queue import Jobs
from gateway.db.embedded import EmbeddedPostgres
from gateway.db.migrate import migrate
from gateway.intake.inbox import Inbox, InboxFull
from gateway.pbx.port import InboxUnavailable, Parsed
from gateway.store.intake import inbox as store
from routing.calls.model import EventKind
from routing.settings import NumberPolicy
from runtime.database.pool import open_pool
from tests.fakes.database_proxy import Proxy
from tests.integration.intake.office import (
    ACCOUNT,
    CLIENT,
    START,
    Office,
    a_call,
    an_event,
    an_office,
)

WHOLE = ["attach_call", "create_contact", "create_deal"]


@pytest.fixture
async def quiet_office(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Office]:
    """Its workers are not started."""
    made = await an_office(pool, database_url)
    made.inbox.start()
    yield made
    await made.stop()
    await made.inbox.stop()


async def test_event_whose_job_was_lost_is_found_by_the_sweep(quiet_office: Office) -> None:
    office = quiet_office
    await office.tell_all(a_call(answered_by="101"))
    await office.pool.execute("DELETE FROM procrastinate_jobs")
    await office.start()
    await asyncio.sleep(0.3)
    assert await office.whats() == []
    office.clock.forward(seconds=20)
    await office.settle()
    assert await office.whats() == WHOLE


async def test_job_of_a_killed_worker_is_taken_up_by_another(quiet_office: Office) -> None:
    office = quiet_office
    await office.tell_all(a_call(answered_by="101"))
    dead = await office.pool.fetchval(
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute') RETURNING id"
    )
    taken = await office.pool.fetchval(
        "SELECT count(*) FROM procrastinate_fetch_job_v2(ARRAY['clients'], $1) f WHERE f.id IS NOT NULL", dead
    )
    assert taken == 1
    await office.start()
    await office.idle()
    assert await office.whats() == WHOLE


async def test_poison_goes_to_the_desk_and_the_clients_other_events_are_applied(quiet_office: Office) -> None:
    office = quiet_office
    started, answered, ended = a_call(answered_by="101")
    await office.tell_all([started, answered, ended])
    # What no adapter lets through: an event of another format, and one that belongs to another call.
    for n, events in enumerate(
        ['[{"kind": "exploded"}]', '[{"kind":"rang","call_key":"other","at":"2026-03-02T09:00:00Z"}]']
    ):
        await office.pool.execute(
            "INSERT INTO inbox (account_id, connection_id, dedupe_key, call_key, client, received_at, raw, events)"
            " VALUES ($1, 'pbx', sha256($2::text::bytea), 'c1', $3, $4, '', $2::text::jsonb)",
            ACCOUNT,
            events,
            CLIENT,
            START,
        )
        assert n < 2
    await office.start()
    await office.settle()
    assert await office.whats() == WHOLE
    async with office.pool.acquire() as conn:
        dead = await store.dead_letters(conn, ACCOUNT)
    assert len(dead) == 2
    assert all(d["error"].startswith("event-unprocessable: ") for d in dead)
    assert len(await office.rows("SELECT 1 FROM inbox WHERE state = 'applied'")) == 3


async def test_dead_event_can_be_tried_again_or_put_aside(quiet_office: Office) -> None:
    office = quiet_office
    await office.pool.execute(
        "INSERT INTO inbox (account_id, connection_id, dedupe_key, call_key, client, received_at, raw, events)"
        " VALUES ($1, 'pbx', '\\x01', 'c1', $2, $3, '', '[{}]')",
        ACCOUNT,
        CLIENT,
        START,
    )
    office.clock.forward(seconds=20)
    await office.start()
    await office.settle()
    async with office.pool.acquire() as conn, conn.transaction():
        (dead,) = await store.dead_letters(conn, ACCOUNT)
        assert await store.retry_dead(conn, ACCOUNT, [dead["event_id"]]) == 1
    await office.idle()
    async with office.pool.acquire() as conn:
        assert await store.ignore_dead(conn, ACCOUNT, dead["event_id"], "made by hand")
        assert await store.dead_letters(conn, ACCOUNT) == []


async def test_message_that_the_database_cannot_hold_does_not_fail_its_neighbours(office: Office) -> None:
    odd = an_event(EventKind.STARTED, "k\0ey", params={"utm_source": "a\0b", "path": "c:\\u0000"})
    good = [e for n in range(5) for e in a_call(f"g{n}", client=f"+7916000000{n}")]
    answers = await asyncio.gather(*(office.tell(e) for e in [*good, odd]))
    assert all(not a.duplicate for a in answers)
    assert len(await office.rows("SELECT 1 FROM inbox")) == len(good) + 1
    assert len(await office.rows("SELECT 1 FROM inbox WHERE events->0->'params'->>'path' = 'c:\\u0000'")) == 1


async def test_same_message_twice_in_one_batch_is_one_row_and_one_duplicate(office: Office) -> None:
    event = an_event(EventKind.STARTED)
    answers = await asyncio.gather(*(office.tell(event) for _ in range(8)))
    assert sorted(a.duplicate for a in answers) == [False] + [True] * 7
    assert len({a.event_id for a in answers}) == 1
    late = await office.tell(event)
    assert (late.duplicate, late.event_id) == (True, answers[0].event_id)


async def test_ping_is_answered_without_row_or_job(quiet_office: Office) -> None:
    office = quiet_office
    parsed = Parsed(canonical="ping", events=())
    accepted = await office.inbox.accept(office.connection, parsed, b"ping", START, NumberPolicy())
    assert (accepted.duplicate, accepted.event_id) == (False, None)
    assert await office.rows("SELECT 1 FROM inbox") == []


async def test_message_that_speaks_of_two_calls_is_two_rows_and_both_or_none(quiet_office: Office) -> None:
    office = quiet_office
    parsed = Parsed(
        canonical="both", events=(an_event(EventKind.STARTED, "a"), an_event(EventKind.STARTED, "b"))
    )
    for is_again in (False, True):
        accepted = await office.inbox.accept(office.connection, parsed, b"x", START, NumberPolicy())
        assert accepted.duplicate is is_again
    assert len(await office.rows("SELECT 1 FROM inbox")) == 2


async def test_full_inbox_refuses_instead_of_growing(pool: asyncpg.Pool, quiet_office: Office) -> None:
    office = quiet_office
    small = Inbox(pool, limit=2, seconds=1)
    async with small, pool.acquire() as blocker, blocker.transaction():
        await blocker.execute("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE")
        office.inbox = small
        told = [asyncio.create_task(office.tell(an_event(EventKind.STARTED, f"k{n}"))) for n in range(6)]
        answers = await asyncio.gather(*told, return_exceptions=True)
    assert any(isinstance(a, InboxFull) for a in answers)
    assert all(isinstance(a, InboxUnavailable) for a in answers)


async def test_an_inbox_that_hangs_holds_no_more_than_so_many_bytes(
    pool: asyncpg.Pool, quiet_office: Office
) -> None:
    office = quiet_office
    async with Inbox(pool, most_bytes=3_000, seconds=1.0) as small, pool.acquire() as conn:
        office.inbox = small
        async with conn.transaction():
            await conn.execute("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE")
            told = [asyncio.create_task(office.tell(an_event(EventKind.STARTED, f"k{n}"))) for n in range(30)]
            answers = await asyncio.gather(*told, return_exceptions=True)
        full = sum(isinstance(a, InboxFull) for a in answers)
        assert 20 <= full < 30
        assert not (await office.tell(an_event(EventKind.STARTED, "after"))).duplicate


async def test_a_gateway_whose_clock_is_wrong_stores_times_by_the_databases(
    pool: asyncpg.Pool, quiet_office: Office
) -> None:
    behind = datetime.now(UTC) - timedelta(minutes=10)  # what its clock says now
    message = store.InboxMessage(ACCOUNT, "pbx", b"k", "c1", CLIENT, behind, b"", "[]")
    async with pool.acquire() as conn:
        await store.store(conn, [message], sent_at=behind)
    assert await pool.fetchval("SELECT abs(extract(epoch FROM now() - received_at)) < 5 FROM inbox")


@pytest.fixture
def own_server() -> Iterator[EmbeddedPostgres]:
    with tempfile.TemporaryDirectory(prefix="callmatrix-test-") as folder:
        Path(folder).chmod(0o711)
        server = EmbeddedPostgres(Path(folder), durable=False)
        yield server
        server.stop()


async def test_restart_of_the_database_in_the_middle_loses_nothing(own_server: EmbeddedPostgres) -> None:
    url = await asyncio.to_thread(own_server.start)
    proxy = Proxy(_port(url))
    await proxy.start()
    dsn = url.replace(f":{_port(url)}/", f":{proxy.port}/")
    await migrate(dsn)
    pool = await open_pool(dsn, max_size=5)
    office = await an_office(pool, dsn)
    office.inbox.start()
    await office.start()
    try:
        started, answered, ended = a_call(answered_by="101")
        await office.tell(started)
        parsed = Parsed(canonical=answered.model_dump_json(), events=(answered,))

        proxy.target = None
        await asyncio.to_thread(own_server.stop)
        with pytest.raises(InboxUnavailable):
            await office.inbox.accept(office.connection, parsed, b"", START, NumberPolicy())
        proxy.target = _port(await asyncio.to_thread(own_server.start))

        accepted = await office.inbox.accept(office.connection, parsed, b"", START, NumberPolicy())
        assert accepted.event_id is not None
        await office.tell(ended)
        await office.settle()
        assert await office.whats() == WHOLE
        assert await office.rows("SELECT 1 FROM inbox WHERE state <> 'applied'") == []
    finally:
        await office.stop()
        await office.inbox.stop()
        await proxy.stop()
        pool.terminate()


def _port(url: str) -> int:
    return int(url.rsplit(":", 1)[1].split("/")[0])


async def test_kill_9_of_a_worker_in_the_middle_of_a_job_loses_nothing(
    quiet_office: Office, database_url: str
) -> None:
    office = quiet_office
    office.jobs = [Jobs(database_url, office.pool, office.jobs[0]._job, stalled_seconds=2, now=office.clock)]
    await office.tell_all(a_call(answered_by="101"))
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.intake.hanging_worker",
        database_url,
        stdout=asyncio.subprocess.PIPE,
    )
    assert worker.stdout is not None
    assert await asyncio.wait_for(worker.stdout.readline(), 20) == b"taken\n"
    await office.start()
    worker.kill()
    await worker.wait()
    await office.idle()
    assert await office.whats() == WHOLE
