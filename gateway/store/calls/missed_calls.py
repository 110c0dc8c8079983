"""Missed-call cases as rows, and the questions that are asked about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import asyncpg

from routing.missed_calls import Case
from runtime.database.pool import Conn

_SAVE = """
INSERT INTO missed_case (account_id, case_id, client, state, opened_at, last_missed_at, missed_calls, owner_id, target,
    task_text, task_due_at, escalations, escalate_at, changes, closed_at, closed_by_call, closed_by, waited_seconds,
    last_missed_until, closed_note)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
ON CONFLICT (account_id, case_id) DO UPDATE SET state = excluded.state, last_missed_at = excluded.last_missed_at,
    last_missed_until = excluded.last_missed_until, missed_calls = excluded.missed_calls, owner_id = excluded.owner_id, escalations = excluded.escalations,
    escalate_at = excluded.escalate_at, changes = excluded.changes, closed_at = excluded.closed_at,
    closed_by_call = excluded.closed_by_call, closed_by = excluded.closed_by,
    waited_seconds = excluded.waited_seconds, closed_note = excluded.closed_note, failures = 0, failure = NULL, aside_at = NULL
"""

# The CRM may have refused whom the task was ordered for: then whoever got it instead, until a person gives it away.
_CASES = """
SELECT m.*, now.owner FROM missed_case m
LEFT JOIN LATERAL (
    SELECT e.crm_extra->>'owner' AS owner FROM effect e WHERE e.account_id = m.account_id
    AND e.effect_key = ANY('case:' || m.case_id || ':task'
        || ARRAY(SELECT 'case:' || m.case_id || ':change:' || n FROM generate_series(1, m.changes) n))
    AND m.owner_id = ANY(string_to_array(e.crm_extra->>'refused_owners', '; '))
    ORDER BY e.seq DESC LIMIT 1
) instead ON true
CROSS JOIN LATERAL (
    SELECT CASE WHEN instead.owner IS NULL THEN m.owner_id ELSE nullif(instead.owner, '') END AS owner
) now
"""

_FAILED = """
UPDATE missed_case SET failures = failures + 1, failure = $4, escalate_at = $3::timestamptz + ($5::interval[])[failures + 1],
    aside_at = CASE WHEN failures >= cardinality($5::interval[]) THEN $3 END
WHERE account_id = $1 AND client = $2 AND state = 'open'
"""

# Open ones are few, and closed ones are read from their index: how many there ever were costs nothing.
_FIGURES = """
WITH asked AS (SELECT account_id FROM account WHERE $1::text[] IS NULL OR account_id = ANY($1)), open AS (
    SELECT account_id, count(*) AS open, count(*) FILTER (WHERE task_due_at < $3) AS overdue
    FROM missed_case WHERE state = 'open' AND ($1::text[] IS NULL OR account_id = ANY($1)) GROUP BY account_id
)
SELECT account_id, coalesce(open, 0) AS open, coalesce(overdue, 0) AS overdue, closed.closed, closed.median
FROM asked LEFT JOIN open USING (account_id) CROSS JOIN LATERAL (
    SELECT count(*) AS closed, percentile_cont(0.5) WITHIN GROUP (ORDER BY waited_seconds) AS median
    FROM missed_case WHERE account_id = asked.account_id AND closed_at >= $2) AS closed
WHERE open.account_id IS NOT NULL OR closed.closed > 0
"""

_COMPLETED_BY = """
SELECT c.by_user AS id, coalesce(p.name, u.name, c.by_user) AS name
FROM effect e JOIN crm_event c ON c.account_id = e.account_id AND c.entity_kind = 'task' AND c.entity_id = e.crm_id
LEFT JOIN employee p ON p.account_id = e.account_id AND p.crm_user_id = c.by_user
LEFT JOIN crm_user u ON u.account_id = e.account_id AND u.user_id = c.by_user
WHERE e.account_id = $1 AND e.effect_key = $2 AND c.aspect = 'completed' AND c.new_value = '1' AND c.by_user IS NOT NULL
ORDER BY c.at DESC LIMIT 1
"""


_NAME_OF_USER = """
SELECT name FROM (
    SELECT 0 AS place, name FROM employee WHERE account_id = $1 AND crm_user_id = $2
    UNION ALL SELECT 1, name FROM crm_user WHERE account_id = $1 AND user_id = $2
) AS known ORDER BY place LIMIT 1
"""


class CrmPerson(NamedTuple):
    """id: of a user of the CRM. name: of the employee who is that user, else the CRM's, else the id."""

    id: str
    name: str


class NoSuchCase(Exception):
    """No missed-call case of this id."""

    code = "no-such-case"


@dataclass(frozen=True, slots=True)
class CaseFigures:
    """open, overdue: how many now. closed: in the time asked for. median_seconds: working time from the first missed
    call to the talk, of those closed; None when there were none."""

    open: int
    overdue: int
    closed: int
    median_seconds: float | None


NO_CASES = CaseFigures(0, 0, 0, None)


async def save_case(conn: Conn, account_id: str, case: Case) -> None:
    await conn.execute(
        _SAVE,
        account_id,
        case.id,
        case.client,
        case.state,
        case.opened_at,
        case.last_missed_at,
        list(case.missed_calls),
        case.owner_id,
        case.target.model_dump(mode="json") if case.target else None,
        case.task_text,
        case.task_due_at,
        case.escalations,
        case.escalate_at,
        case.changes,
        case.closed_at,
        case.closed_by_call,
        case.closed_by,
        case.waited_seconds,
        case.last_missed_until,
        case.closed_note,
    )


async def client_of_task(conn: Conn, account_id: str, task_id: str) -> tuple[str, str] | None:
    """(client, case id) of the case whose task this is in the CRM; None when it is no case's."""
    row = await conn.fetchrow(
        "SELECT m.client, m.case_id FROM effect e JOIN missed_case m ON m.account_id = e.account_id"
        " AND m.client = e.client AND e.effect_key = 'case:' || m.case_id || ':task'"
        " WHERE e.account_id = $1 AND e.crm_id = $2 AND e.what = 'create_task'",
        account_id,
        task_id,
    )
    return (row["client"], row["case_id"]) if row else None


async def completed_by(conn: Conn, account_id: str, case_id: str) -> CrmPerson | None:
    """Who completed the case's task in the CRM: its feed may tell it after the case was closed."""
    row = await conn.fetchrow(_COMPLETED_BY, account_id, f"case:{case_id}:task")
    return CrmPerson(**row) if row else None


async def crm_person(conn: Conn, account_id: str, user_id: str) -> CrmPerson:
    """Return a user of the CRM by the name that they have here, else there, else by their id."""
    name = await conn.fetchval(_NAME_OF_USER, account_id, user_id)
    return CrmPerson(user_id, name or user_id)


async def open_case(conn: Conn, account_id: str, client: str) -> Case | None:
    row = await conn.fetchrow(
        _CASES + " WHERE m.account_id = $1 AND m.client = $2 AND m.state = 'open'",
        account_id,
        client,
    )
    return _case(row) if row else None


async def is_escalation_due(conn: Conn, account_id: str, client: str, now: datetime) -> bool:
    found: bool = await conn.fetchval(
        "SELECT EXISTS (SELECT 1 FROM missed_case WHERE account_id = $1 AND client = $2 AND state = 'open'"
        " AND escalate_at <= $3)",
        account_id,
        client,
        now,
    )
    return found


async def escalation_failed(
    conn: Conn, account_id: str, client: str, *, now: datetime, error: str, pauses: Sequence[timedelta]
) -> None:
    """Note that the client's open case could not be handed on; tried again after the pause of as many failures, and set
    aside when there are none left."""
    await conn.execute(_FAILED, account_id, client, now, error[:2000], list(pauses))


async def case(conn: Conn, account_id: str, case_id: str) -> Case:
    """Return the case. Raises NoSuchCase."""
    row = await conn.fetchrow(_CASES + " WHERE m.account_id = $1 AND m.case_id = $2", account_id, case_id)
    if row is None:
        raise NoSuchCase(case_id)
    return _case(row)


async def open_cases(
    conn: Conn, account_id: str, *, owner_id: str | None = None, limit: int = 200
) -> list[Case]:
    """Those that wait longest first. owner_id: CRM user who has the task, None = everybody's."""
    rows = await conn.fetch(
        _CASES + " WHERE m.account_id = $1 AND m.state = 'open' AND ($2::text IS NULL OR now.owner = $2)"
        " ORDER BY m.opened_at LIMIT $3",
        account_id,
        owner_id,
        limit,
    )
    return [_case(row) for row in rows]


async def overdue_cases(conn: Conn, account_id: str, now: datetime, *, limit: int = 200) -> list[Case]:
    """Open ones whose task's deadline has passed, longest overdue first."""
    rows = await conn.fetch(
        _CASES + " WHERE m.account_id = $1 AND m.state = 'open' AND m.task_due_at < $2"
        " ORDER BY m.task_due_at LIMIT $3",
        account_id,
        now,
        limit,
    )
    return [_case(row) for row in rows]


async def cases_of_client(conn: Conn, account_id: str, client: str, *, limit: int = 50) -> list[Case]:
    """Newest first."""
    rows = await conn.fetch(
        _CASES + " WHERE m.account_id = $1 AND m.client = $2 ORDER BY m.opened_at DESC LIMIT $3",
        account_id,
        client,
        limit,
    )
    return [_case(row) for row in rows]


async def case_figures(conn: Conn, account_id: str, *, since: datetime, now: datetime) -> CaseFigures:
    """since: cases closed from then on count for the median."""
    found = await case_figures_by_account(conn, [account_id], since=since, now=now)
    return found.get(account_id, NO_CASES)


async def case_figures_by_account(
    conn: Conn, account_ids: Sequence[str] | None, *, since: datetime, now: datetime
) -> dict[str, CaseFigures]:
    """Return the same of these accounts, None = of all, in one query. Accounts without a case are not there."""
    rows = await conn.fetch(_FIGURES, account_ids, since, now)
    return {r["account_id"]: CaseFigures(r["open"], r["overdue"], r["closed"], r["median"]) for r in rows}


async def is_task_unsent(conn: Conn, account_id: str, case: Case) -> bool:
    """Whether the CRM was never told of the case's task; it stays so until the transaction ends."""
    found = await conn.fetchval(
        "SELECT state IN ('waiting', 'held') AND attempts = 0 FROM effect"
        " WHERE account_id = $1 AND effect_key = $2 FOR UPDATE",
        account_id,
        case.task_key,
    )
    return bool(found)


async def is_task_to_be_given(conn: Conn, account_id: str, case: Case) -> bool:
    """Whether an owner whom we have ordered for the task has still to be sent: what the CRM tells till then is overtaken."""
    found: bool = await conn.fetchval(
        "SELECT EXISTS (SELECT 1 FROM effect WHERE account_id = $1 AND effect_key = ANY($2::text[])"
        " AND state IN ('waiting', 'held') AND \"order\"->>'owner_id' IS NOT NULL)",
        account_id,
        [f"case:{case.id}:change:{n}" for n in range(1, case.changes + 1)],
    )
    return found


async def skip_unsent(conn: Conn, account_id: str, case: Case, note: str) -> None:
    """Drop the case's task, of which the CRM was never told, and its changes."""
    await conn.execute(
        "UPDATE effect SET state = 'skipped', done_at = now(), note = $3"
        " WHERE account_id = $1 AND effect_key = ANY($2::text[]) AND state IN ('waiting', 'held') AND attempts = 0",
        account_id,
        [case.task_key, *(f"case:{case.id}:change:{n}" for n in range(1, case.changes + 1))],
        note,
    )


def _case(row: asyncpg.Record) -> Case:
    return Case(
        id=row["case_id"],
        owner_id=row["owner"],
        **{
            name: row[name]
            for name in [
                "client",
                "state",
                "opened_at",
                "last_missed_at",
                "last_missed_until",
                "missed_calls",
                "target",
                "task_text",
                "task_due_at",
                "escalations",
                "escalate_at",
                "changes",
                "closed_at",
                "closed_by_call",
                "closed_by",
                "waited_seconds",
                "closed_note",
            ]
        },
    )


async def was_decided_for(conn: Conn, account_id: str, call_id: str) -> bool:
    """Was a case opened for this missed call, was it counted on one, or was it known that it needs none?"""
    found: bool = await conn.fetchval(
        "SELECT EXISTS (SELECT FROM decision WHERE account_id = $1 AND call_id = $2 AND kind = 'case')"
        " OR EXISTS (SELECT FROM missed_case WHERE account_id = $1 AND $2 = ANY(missed_calls))",
        account_id,
        call_id,
    )
    return found
