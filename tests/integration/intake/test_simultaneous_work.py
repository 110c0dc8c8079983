"""Two works on one client or call at the same moment: the second waits and sees what the first has done.

Keys that make each decision and effect unique hold without locks; what is read, changed and written back as a whole does
not. One work is held up by a trigger just before it writes, the other one comes by.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from crm.port import Observed
from crm.sync.changes import apply_webhook
from gateway.calls.client_job import ClientJob
from gateway.crm_events.job import CrmEventJob
from gateway.crm_events.missed_call_tasks import NAME, follow_missed_call_tasks
from routing.calls.model import Disposition, EventKind
from routing.matrix.presets import recommended
from routing.settings import NumberPolicy
from runtime.database.pool import open_pool
from tests.fakes.matrices import PublishedMatrix
from tests.integration.intake.office import ACCOUNT, CLIENT, DEPUTY, START, Office, a_call, an_event
from tests.waiting import until

_GATE = 4242
_HOLD_UP = f"""
CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('application_name') = 'held up' THEN PERFORM pg_advisory_xact_lock_shared({_GATE}); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER hold_up BEFORE INSERT OR UPDATE ON {{table}} FOR EACH ROW EXECUTE FUNCTION hold_up()
"""
_WAITS = (
    "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    " AND (application_name = 'held up') = $1"
)


@pytest.fixture
async def held_up(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    """Whoever works with it is held up where `_meanwhile` says."""
    pool = await open_pool(database_url, max_size=2, name="held up")
    yield pool
    await asyncio.wait_for(pool.close(), 10)


@asynccontextmanager
async def _gate(office: Office, table: str) -> AsyncIterator[None]:
    """Closed inside."""
    await office.pool.execute(_HOLD_UP.format(table=table))
    async with office.pool.acquire() as keeper:
        await keeper.execute("SELECT pg_advisory_lock($1)", _GATE)
        try:
            yield
        finally:
            await keeper.execute("SELECT pg_advisory_unlock($1)", _GATE)


async def _runs_until_it_waits(
    office: Office, work: Awaitable[Any], *, is_held_up: bool
) -> asyncio.Task[Any]:
    """Begin it; return when it waits for a lock, or is over."""
    task = asyncio.ensure_future(work)

    async def waits() -> bool:
        return task.done() or await office.pool.fetchval(_WAITS, is_held_up)

    await until(waits, "it waits or is over")
    return task


def _job(office: Office, pool: asyncpg.Pool) -> ClientJob:
    return ClientJob(pool, PublishedMatrix(recommended()), now=office.clock)


async def _missed_and_told_to_the_crm(office: Office) -> str:
    """A client with an open case, whose task is in the CRM; the task's id there. Nobody works any more."""
    await office.know_client()
    await office.tell_all(a_call("m1"))
    await office.settle()
    await office.stop()
    await office.pool.execute("UPDATE effect SET state = 'done', crm_id = '900' WHERE what = 'create_task'")
    return "900"


async def _given_away(office: Office, pool: asyncpg.Pool, task: str) -> CrmEventJob:
    """A webhook tells that a person gave the task to the deputy; who is to take that over."""
    followers = {NAME: follow_missed_call_tasks(_job(office, pool))}
    job = CrmEventJob(pool, {}, followers=followers)
    async with office.pool.acquire() as conn:
        await job.sweep(conn)
    given = Observed(
        kind="task",
        id=task,
        at=START + timedelta(minutes=5),
        values={"responsible": DEPUTY.crm_user_id or ""},
        is_changed=frozenset(["responsible"]),
        target=("contact", "501"),
    )
    await apply_webhook(office.pool, ACCOUNT, [], NumberPolicy(), [given])
    return job


async def test_a_missed_call_is_counted_while_a_person_gives_the_task_of_its_case_away(
    office: Office, held_up: asyncpg.Pool
) -> None:
    task = await _missed_and_told_to_the_crm(office)
    follower = await _given_away(office, held_up, task)
    await office.tell_all(a_call("m2", at=START + timedelta(minutes=6)))
    office.clock.forward(minutes=10)
    async with _gate(office, "missed_case"):
        first = await _runs_until_it_waits(office, follower.run(ACCOUNT, "contact:501"), is_held_up=True)
        second = await _runs_until_it_waits(
            office, _job(office, office.pool).run(ACCOUNT, CLIENT), is_held_up=False
        )
    await asyncio.gather(first, second)
    (case,) = await office.cases()
    assert len(case["missed_calls"]) == 2
    assert case["owner_id"] == DEPUTY.crm_user_id


async def test_a_call_keeps_its_client_while_a_message_of_it_without_number_is_worked_on(
    office: Office, held_up: asyncpg.Pool
) -> None:
    await office.stop()
    await office.tell(an_event(EventKind.STARTED, client=None))
    nameless = f"call:{office.connection.id}:c1"
    async with _gate(office, "call"):
        first = await _runs_until_it_waits(
            office, _job(office, held_up).run(ACCOUNT, nameless), is_held_up=True
        )
        await office.tell(an_event(EventKind.ANSWERED, party="101", leg="l1"))
        await office.tell(an_event(EventKind.ENDED, cause=Disposition.ANSWERED))
        second = await _runs_until_it_waits(
            office, _job(office, office.pool).run(ACCOUNT, CLIENT), is_held_up=False
        )
    await asyncio.gather(first, second)
    call = await office.call()
    assert (call["client"], call["disposition"], call["is_over"]) == (CLIENT, "answered", True)
