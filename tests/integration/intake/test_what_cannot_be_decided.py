"""Applied, or on the desk with a reason: impossible times, decisions that fail, cases that cannot be handed on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from gateway.calls.client_job import ClientJob
from gateway.calls.queue import Jobs
from routing.calls.model import Disposition, EventKind
from routing.matrix.model import Matrix
from routing.matrix.presets import recommended
from runtime.database.pool import Conn
from tests.fakes.matrices import PublishedMatrix
from tests.integration.intake.office import ACCOUNT, CLIENT, START, Office, a_call, an_event, an_office

_NEVER_SET = [
    datetime.min.replace(tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2005, 6, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, tzinfo=UTC),
]


class _Mendable(PublishedMatrix):
    """Fails as long as it is broken."""

    is_broken = True

    async def at(self, conn: Conn, account_id: str, version: int) -> Matrix:
        if self.is_broken:
            raise ArithmeticError("this rule divides by nothing")
        return await super().at(conn, account_id, version)


async def _working_by(office: Office, dsn: str, matrices: PublishedMatrix) -> None:
    """Start one worker that decides by these."""
    job = ClientJob(office.pool, matrices, now=office.clock)
    office.jobs = [Jobs(dsn, office.pool, job, concurrency=2, sweep_seconds=0.05, now=office.clock)]
    await office.start()


@pytest.mark.parametrize("at", _NEVER_SET)
async def test_a_clock_that_was_never_set_costs_the_time_only(office: Office, at: datetime) -> None:
    await office.tell(an_event(EventKind.STARTED, at=at))
    office.clock.forward(seconds=20)
    await office.tell(an_event(EventKind.ENDED, at=at, cause=Disposition.NO_ANSWER))
    await office.settle()
    assert (await office.call())["started_at"] == START
    assert [(c["state"], c["opened_at"]) for c in await office.cases()] == [("open", START)]
    told = await office.rows("SELECT state, spoilt FROM inbox")
    assert told == [{"state": "applied", "spoilt": ["at"]}] * 2
    await office.tell_all(a_call("c2", at=office.clock(), answered_by="101"))
    await office.settle()
    assert [c["state"] for c in await office.cases()] == ["closed"]


async def test_a_length_that_cannot_be_is_not_told(office: Office) -> None:
    summary = an_event(EventKind.SUMMARY, party="101", talk_seconds=99_999_999_999_999, wait_seconds=-4)
    await office.tell_all([*a_call(answered_by="101"), summary])
    await office.settle()
    call = await office.call()
    assert (call["disposition"], call["is_over"]) == ("answered", True)
    assert await office.rows("SELECT spoilt FROM inbox WHERE spoilt IS NOT NULL") == [
        {"spoilt": ["talk_seconds", "wait_seconds"]}
    ]
    assert await office.rows("SELECT 1 FROM inbox WHERE state <> 'applied'") == []


async def test_a_call_whose_end_cannot_be_decided_is_set_aside_and_tried_again_when_a_person_says_so(
    pool: asyncpg.Pool, database_url: str
) -> None:
    office = await an_office(pool, database_url)
    matrices = _Mendable(recommended())
    async with office.inbox:
        await _working_by(office, database_url, matrices)
        await office.tell_all(a_call())
        for _ in range(6):
            await office.settle(seconds=400)
        assert await office.rows("SELECT state FROM inbox WHERE state <> 'applied'") == []
        call = await office.call()
        assert (call["failures"], call["failed_moment"], call["due_at"]) == (4, "missed", None)
        assert call["failure"] == "event-unprocessable: ArithmeticError: this rule divides by nothing"
        assert call["aside_at"] is not None
        assert await office.cases() == []
        matrices.is_broken = False
        await office.pool.execute("UPDATE call SET due_at = $1", office.clock())
        await office.settle()
        assert [c["state"] for c in await office.cases()] == ["open"]
        assert (await office.call())["aside_at"] is None
        await office.stop()


async def test_a_case_that_cannot_be_handed_on_costs_no_call_of_its_client(office: Office) -> None:
    await office.tell_all(a_call())
    await office.settle()
    broken = """UPDATE missed_case SET target = '{"kind": "moon"}', escalate_at = $1"""
    await office.pool.execute(broken, office.clock() - timedelta(seconds=1))
    await office.tell(an_event(EventKind.STARTED, key="c2", at=office.clock()))
    await office.idle()
    assert await office.rows("SELECT state FROM inbox WHERE call_key = 'c2'") == [{"state": "applied"}]
    for _ in range(6):
        await office.settle(seconds=400)
    case = (await office.cases())[0]
    assert (case["failures"], case["escalate_at"]) == (4, None)
    assert case["failure"].startswith("event-unprocessable: cannot be read at target.kind")
    assert case["aside_at"] is not None


async def test_a_message_without_number_after_a_dead_one_is_applied_and_nobody_chases_it(
    office: Office,
) -> None:
    await office.tell(an_event(EventKind.SUMMARY, cause=Disposition.NO_ANSWER))
    await office.idle()
    await office.pool.execute("UPDATE inbox SET state = 'dead', error = 'x'")
    await office.pool.execute("DELETE FROM call")
    await office.tell(an_event(EventKind.RECORDING, client=None, recording="https://pbx/1"))
    await office.settle(seconds=60)
    assert [r["state"] for r in await office.rows("SELECT state FROM inbox ORDER BY event_id")] == [
        "dead",
        "applied",
    ]
    done = sum(jobs.status.done for jobs in office.jobs)
    await asyncio.sleep(2)
    assert sum(jobs.status.done for jobs in office.jobs) - done <= 1


async def test_clients_whose_job_fails_are_asked_for_less_and_less_and_hide_no_other_accounts(
    office: Office,
) -> None:
    sweeper = Jobs("", office.pool, office.jobs[0]._job, now=office.clock)
    late = START - timedelta(minutes=1)
    await office.stop()
    rows = [("a", f"+7900000{i:04d}") for i in range(1500)] + [("b", CLIENT)]
    await office.pool.executemany(
        "INSERT INTO inbox (account_id, connection_id, dedupe_key, call_key, client, received_at, raw, events)"
        " VALUES ($1, 'c', sha256(convert_to($2, 'UTF8')), $2, $2, $3, '', '[]')",
        [(account, client, late) for account, client in rows],
    )
    assert await sweeper.sweep() == 1000
    assert await _queued(office, "b") == 1
    found = []
    for _ in range(20):
        await office.pool.execute("DELETE FROM procrastinate_jobs")  # as jobs do that fail
        await sweeper.sweep()
        found.append(await _queued(office, "b"))
        office.clock.forward(seconds=1)
    assert 3 <= sum(found) <= 7
    assert ACCOUNT not in {"a", "b"}


async def _queued(office: Office, account: str) -> int:
    return int(
        await office.pool.fetchval(
            "SELECT count(*) FROM procrastinate_jobs WHERE lock LIKE $1", f"{account} %"
        )
    )
