"""Calls on both sides of a trial: which side a client's open case is on, and what both came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from routing.matrix.versions.trial import TrialOfCall
from runtime.database.pool import Conn

_LONGEST_CALL = timedelta(days=1)

_CALLS = """
SELECT (trial->>'is_on_trial')::boolean AS is_on_trial, count(*) AS calls, count(DISTINCT client) AS clients,
    count(*) FILTER (WHERE answered_at IS NOT NULL) AS answered,
    count(*) FILTER (WHERE is_over AND answered_at IS NULL AND direction = 'inbound') AS missed,
    count(*) FILTER (WHERE is_over AND answered_at IS NULL AND direction <> 'inbound') AS not_reached
FROM call WHERE account_id = $1 AND started_at >= $3 AND (trial->>'version')::bigint = $2 GROUP BY 1
"""

_EFFECTS = """
SELECT (c.trial->>'is_on_trial')::boolean AS is_on_trial, e.what, count(*) FILTER (WHERE e.state = 'done') AS done,
    count(*) FILTER (WHERE e.state = 'dead') AS failed,
    count(*) FILTER (WHERE e.state IN ('waiting', 'sending', 'unknown', 'held')) AS waiting
FROM call c JOIN effect e USING (account_id, call_id)
WHERE c.account_id = $1 AND c.started_at >= $3 AND (c.trial->>'version')::bigint = $2 GROUP BY 1, 2 ORDER BY 2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideFigures:
    """One side's calls so far. missed: of those who called us; not_reached: of those whom we called. done, failed, waiting:
    changes in the CRM, by kind of order."""

    calls: int = 0
    clients: int = 0
    answered: int = 0
    missed: int = 0
    not_reached: int = 0
    done: Mapping[str, int] = field(default_factory=dict)
    failed: Mapping[str, int] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrialFigures:
    on_trial: SideFigures
    published: SideFigures


async def trial_of_open_case(conn: Conn, account_id: str, client: str) -> TrialOfCall | None:
    """Return the side of the call that opened the client's open case."""
    found = await conn.fetchval(
        "SELECT c.trial FROM missed_case m JOIN call c ON c.account_id = m.account_id AND c.call_id = m.case_id"
        " WHERE m.account_id = $1 AND m.client = $2 AND m.state = 'open'",
        account_id,
        client,
    )
    return TrialOfCall.model_validate(found) if found else None


async def figures_of_trial(conn: Conn, account_id: str, version: int, begun_at: datetime) -> TrialFigures:
    """Return what the calls of both sides came to. begun_at: of the trial; calls that ran already then count too."""
    asked = (account_id, version, begun_at - _LONGEST_CALL)
    calls = {row["is_on_trial"]: dict(row) for row in await conn.fetch(_CALLS, *asked)}
    effects = await conn.fetch(_EFFECTS, *asked)
    sides: list[SideFigures] = []
    for side in (True, False):
        counted = {name: n for name, n in calls.get(side, {}).items() if name != "is_on_trial"}
        rows = [row for row in effects if row["is_on_trial"] is side]
        done, failed, waiting = (
            {row["what"]: row[name] for row in rows if row[name]} for name in ("done", "failed", "waiting")
        )
        sides.append(SideFigures(**counted, done=done, failed=failed, waiting=waiting))
    return TrialFigures(*sides)
