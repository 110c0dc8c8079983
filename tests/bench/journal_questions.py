"""What pages, the API, the writer and the clients' jobs ask of the journal: the real functions, by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol, TypeAlias

import asyncpg

from crm.effects import dead_letters
from crm.effects.store.work import PgEffects, accounts_with_work
from crm.lane import Lane
from gateway.calls.client_job import ClientJob
from gateway.decisions.explain import explain
from gateway.health.status import installation_status
from gateway.store.admin import personal_data
from gateway.store.calls import calls, missed_calls
from gateway.store.calls.journal import CallFilter, count_of, page_of
from gateway.store.decisions import decisions
from gateway.store.desk.entries import KINDS, aside_rows, counts_of
from gateway.store.intake import inbox
from routing.calls.model import CallEvent, EventKind
from routing.matrix.presets import recommended
from routing.settings import NumberPolicy
from runtime.database.pool import Conn
from tests.bench.journal_rows import BIG, CONNECTION, OFTEN
from tests.fakes.matrices import PublishedMatrix


class Pool(Protocol):
    def acquire(self) -> AbstractAsyncContextManager[Conn]: ...


Question: TypeAlias = Callable[[Any], Awaitable[object]]
"""Asked of a pool."""

_NOW = datetime.now(UTC)
_MONTH = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Sample:
    """One call in the middle of the journal, with its client, and an open case's."""

    call_id: str
    decision_id: str
    client: str
    case_id: str


async def sample_of(pool: asyncpg.Pool, calls_stored: int) -> Sample:
    number = calls_stored // 2 + 1
    number += 3 if number % 10 == 3 else 0
    row = await pool.fetchrow(
        "SELECT call_id, client, moments->>'end' AS decision_id FROM call WHERE account_id = $1 AND connection_id = $2"
        " AND call_key = $3",
        BIG,
        CONNECTION,
        f"k{number}",
    )
    assert row is not None
    case_id = await pool.fetchval(
        "SELECT case_id FROM missed_case WHERE account_id = $1 AND state = 'open' LIMIT 1", BIG
    )
    return Sample(row["call_id"], row["decision_id"], row["client"], case_id)


def _asked(of: Callable[..., Awaitable[object]], *args: Any, **named: Any) -> Question:
    async def ask(pool: Pool) -> object:
        async with pool.acquire() as conn:
            return await of(conn, *args, **named)

    return ask


def read_questions(sample: Sample) -> Mapping[str, Question]:
    """What is shown to people and programs."""
    month = CallFilter(since=_NOW - _MONTH)
    return {
        "status": partial(installation_status, now=_NOW),
        "status of one account": partial(installation_status, now=_NOW, account_id=BIG),
        "calls: a page of the last month": _asked(page_of, BIG, month, towards="newer", limit=100),
        "calls: a page further on": _asked(
            page_of, BIG, month, towards="newer", place=(_NOW - timedelta(days=5), "x"), limit=100
        ),
        "calls: of a client": _asked(page_of, BIG, CallFilter(clients=(sample.client,)), limit=100),
        "calls: of who called most": _asked(
            page_of, BIG, CallFilter(since=month.since, clients=(OFTEN,)), limit=100
        ),
        "calls: all of who called most": _asked(page_of, BIG, CallFilter(clients=(OFTEN,)), limit=100),
        "calls: by id": _asked(calls.call, BIG, sample.call_id),
        **_journal_questions(),
        "decisions: by id": _asked(explain, sample.decision_id),
        "decisions: by id, account known": _asked(explain, sample.decision_id, BIG),
        "decisions: of a call": _asked(explain, sample.call_id),
        "decisions: list of a call": _asked(decisions.decisions_of_call, BIG, sample.call_id),
        "decisions: one": _asked(decisions.decision, None, sample.decision_id),
        "decisions: of a client": _asked(decisions.decisions_of_client, BIG, sample.client),
        "decisions: of who called most": _asked(decisions.decisions_of_client, BIG, OFTEN),
        "decisions: latest": _asked(decisions.latest_decisions, BIG),
        "decisions: latest of a kind": _asked(decisions.latest_decisions, BIG, kind="lookup"),
        "decisions: of a kind that nobody has": _asked(decisions.latest_decisions, BIG, kind="case"),
        "cases: open": _asked(missed_calls.open_cases, BIG),
        "cases: open of one owner": _asked(missed_calls.open_cases, BIG, owner_id="7"),
        "cases: overdue": _asked(missed_calls.overdue_cases, BIG, _NOW),
        "cases: of a client": _asked(missed_calls.cases_of_client, BIG, sample.client),
        "cases: by id": _asked(missed_calls.case, BIG, sample.case_id),
        "cases: figures of a week": _asked(
            missed_calls.case_figures, BIG, since=_NOW - timedelta(days=7), now=_NOW
        ),
        "desk": _asked(aside_rows, BIG, KINDS),
        "desk: counts": _asked(counts_of, BIG),
        "desk: effects": _asked(dead_letters.items, BIG),
    }


def _journal_questions() -> Mapping[str, Question]:
    """A tenth of the journal by each kind of filter; what nobody has is the dearest to look for."""
    since = _NOW - timedelta(days=18)
    asked = {
        "newest": CallFilter(since=since),
        "of a person": CallFilter(since=since, employee="person7"),
        "of a person who took no call": CallFilter(since=since, employee="nobody", addresses=("999",)),
        "missed": CallFilter(since=since, result="missed"),
        "by the end of a number": CallFilter(since=since, client_end="9999999"),
        "of a line that nobody calls": CallFilter(since=since, line="+74950000000"),
        "of a reason that never was": CallFilter(since=since, reason="owner_unmapped"),
        "of changes that were given up": CallFilter(since=since, writes="dead"),
        "of changes that wait": CallFilter(since=since, writes="waiting"),
    }
    pages = {f"journal: {name}": _asked(page_of, BIG, wanted) for name, wanted in asked.items()}
    return {**pages, "journal: how many": _asked(count_of, BIG, CallFilter(since=since))}


def work_questions() -> Mapping[str, Question]:
    """What workers ask all the time, whatever there is to do."""

    async def accounts(conn: Conn) -> object:
        return await accounts_with_work(conn, [BIG])

    return {
        "writer: what is ready": ready(),
        "writer: what is unclear": lambda pool: _effects(pool).unverified(_NOW, 250),
        "writer: when something is due": lambda pool: _effects(pool).next_due(_NOW),
        "writers: who has work": _asked(accounts),
        "client jobs: who is overdue": _asked(
            inbox.overdue, received_before=_NOW - timedelta(seconds=15), now=_NOW
        ),
    }


def upkeep_questions() -> Mapping[str, Question]:
    """What upkeep asks every ten minutes where there is nothing to do any more."""
    before = _NOW - timedelta(days=3000)
    return {
        "upkeep: old messages": _asked(inbox.delete_older_than, before),
        "upkeep: old decisions": _asked(decisions.delete_older_than, BIG, before),
        "upkeep: what was sent, emptied": _asked(personal_data.empty_raw, BIG, before, limit=5000),
        "upkeep: calls emptied": _asked(
            personal_data.empty_calls, BIG, before, frozenset({"number"}), limit=5000
        ),
        "upkeep: decisions emptied": _asked(personal_data.drop_decisions, BIG, before, limit=5000),
        "upkeep: effects emptied": _asked(personal_data.empty_effects, BIG, before, limit=5000),
        "upkeep: cases emptied": _asked(personal_data.empty_cases, BIG, before, limit=5000),
    }


def _effects(pool: Any) -> PgEffects:
    return PgEffects(pool, BIG, NumberPolicy)


def ready() -> Question:
    """As one writer asks for it before each request, of all lanes."""
    writers: list[PgEffects] = []

    async def ask(pool: Any) -> object:
        if not writers:
            writers.append(_effects(pool))
        return await writers[0].ready(datetime.now(UTC), tuple(Lane), 1000)

    return ask


async def run_job(pool: Any, client: str) -> object:
    """Take up a client's new message: reading, deciding and writing, in one transaction."""
    return await ClientJob(pool, PublishedMatrix(recommended())).run(BIG, client)


async def tell_missed_call(conn: Conn, client: str, key: str) -> None:
    """Store what a PBX would have told: a call that nobody answered."""
    at = datetime.now(UTC) - timedelta(minutes=2)
    kinds: tuple[dict[str, Any], ...] = (
        {"kind": EventKind.STARTED},
        {"kind": EventKind.ENDED, "cause": "no_answer"},
    )
    for place, fields in enumerate(kinds):
        event = CallEvent(
            call_key=key, at=at + timedelta(seconds=20 * place), direction="inbound", client=client, **fields
        )
        await conn.execute(
            "INSERT INTO inbox (account_id, connection_id, dedupe_key, call_key, client, received_at, raw, events)"
            " VALUES ($1, $2, sha256($3::bytea), $4, $5, $6, '', $7::jsonb)",
            BIG,
            CONNECTION,
            f"{key} {place}".encode(),
            key,
            client,
            at,
            [event.model_dump(mode="json")],
        )
