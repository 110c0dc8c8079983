"""Moves of one person's deals, as a whole: begun, paused, ended."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import asyncpg

from routing.shift_change.turns import MoveRun, RunKind
from runtime.database.pool import Conn

ShiftRunState = Literal["running", "paused", "stopped", "broken_off", "done"]
OPEN_STATES: tuple[ShiftRunState, ...] = ("running", "paused")

_COLUMNS = "run_id, kind, employee_id, user_id, state, is_by_hand, ordered_by, since, reason, total, started_at, ended_at"

# What turns on is known from the open ones and, of each person, the latest of each kind.
_LATEST = """
SELECT DISTINCT ON (employee_id, kind) run_id, kind, employee_id, started_at, is_by_hand,
    state IN ('running', 'paused') OR run_id IN (SELECT run_id FROM shift_move WHERE account_id = $1 AND state = 'ordered')
    AS is_open
FROM shift_run WHERE account_id = $1 ORDER BY employee_id, kind, started_at DESC, run_id DESC
"""

_COUNTS = """
SELECT run_id, count(*) FILTER (WHERE kind = 'deal' AND state = 'moved') AS moved,
    count(*) FILTER (WHERE kind = 'deal' AND state = 'left') AS left_out,
    count(*) FILTER (WHERE kind = 'deal' AND state IN ('planned', 'ordered')) AS waiting,
    count(*) FILTER (WHERE kind <> 'deal' AND state = 'moved') AS along
FROM shift_move WHERE account_id = $1 AND run_id = ANY($2) GROUP BY run_id
"""


# Ended early, with requests under way of which nobody knows yet what became of them.
_UNSETTLED = """
SELECT EXISTS (SELECT 1 FROM shift_run r JOIN shift_move m USING (account_id, run_id)
    WHERE r.account_id = $1 AND r.employee_id = $2 AND m.state = 'ordered')
"""


class PersonIsMoved(Exception):
    """A move of this person's deals is running or paused already."""

    code = "shift-run-open"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftRun:
    """total: deals that it lists, None = not listed yet. reason: why it waits, or ended early."""

    run_id: int
    kind: RunKind
    employee_id: str
    user_id: str
    state: ShiftRunState
    is_by_hand: bool
    ordered_by: str
    since: datetime | None
    reason: str
    total: int | None
    started_at: datetime
    ended_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCounts:
    """Deals, and what went along with them."""

    moved: int = 0
    left_out: int = 0
    waiting: int = 0
    along: int = 0


async def begin(
    conn: Conn,
    account_id: str,
    kind: RunKind,
    employee_id: str,
    user_id: str,
    *,
    since: datetime | None = None,
    by: str = "",
    now: datetime,
) -> ShiftRun:
    """by: whoever ordered it, "" = their presence. Raises PersonIsMoved."""
    if await conn.fetchval(_UNSETTLED, account_id, employee_id):
        raise PersonIsMoved(f"the last of {employee_id}'s deals are still on their way")
    try:
        async with conn.transaction():
            row = await conn.fetchrow(
                "INSERT INTO shift_run (account_id, kind, employee_id, user_id, since, is_by_hand, ordered_by, started_at)"  # noqa: S608
                f" VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING {_COLUMNS}",
                account_id,
                kind,
                employee_id,
                user_id,
                since,
                by != "",
                by,
                now,
            )
    except asyncpg.UniqueViolationError as err:
        raise PersonIsMoved(f"deals of {employee_id} are being moved already") from err
    assert row is not None
    return _run(row)


async def run_of(conn: Conn, account_id: str, run_id: int, *, lock: bool = False) -> ShiftRun | None:
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM shift_run WHERE account_id = $1 AND run_id = $2"  # noqa: S608
        + (" FOR UPDATE" if lock else ""),
        account_id,
        run_id,
    )
    return _run(row) if row else None


async def runs_of(
    conn: Conn, account_id: str, *, before: int | None = None, limit: int = 50
) -> list[ShiftRun]:
    """Return the latest first. before: those with a smaller id."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM shift_run WHERE account_id = $1 AND ($2::bigint IS NULL OR run_id < $2)"  # noqa: S608
        " ORDER BY run_id DESC LIMIT $3",
        account_id,
        before,
        limit,
    )
    return [_run(row) for row in rows]


async def unsettled_runs(conn: Conn, account_id: str) -> list[ShiftRun]:
    """Return those that run or are paused, or have something under way, in the order in which they began."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM shift_run WHERE account_id = $1 AND (state IN ('running', 'paused')"  # noqa: S608
        " OR run_id IN (SELECT run_id FROM shift_move WHERE account_id = $1 AND state = 'ordered')) ORDER BY run_id",
        account_id,
    )
    return [_run(row) for row in rows]


async def latest_runs(conn: Conn, account_id: str) -> list[MoveRun]:
    """Return, of each person, the latest run of each kind."""
    return [
        MoveRun(
            row["run_id"],
            row["kind"],
            row["employee_id"],
            row["started_at"],
            row["is_open"],
            row["is_by_hand"],
        )
        for row in await conn.fetch(_LATEST, account_id)
    ]


async def set_state(
    conn: Conn, account_id: str, run_id: int, state: ShiftRunState, *, reason: str = "", now: datetime
) -> None:
    await conn.execute(
        "UPDATE shift_run SET state = $3::text, reason = $4, changed_at = $5::timestamptz, ended_at = CASE"
        " WHEN $3::text IN ('stopped', 'broken_off', 'done') THEN $5::timestamptz END WHERE account_id = $1 AND run_id = $2",
        account_id,
        run_id,
        state,
        reason,
        now,
    )


async def tell_reason(conn: Conn, account_id: str, run_id: int, reason: str) -> None:
    """Note why it waits; "" = it does not."""
    await conn.execute(
        "UPDATE shift_run SET reason = $3, changed_at = now()"
        " WHERE account_id = $1 AND run_id = $2 AND reason <> $3",
        account_id,
        run_id,
        reason,
    )


async def set_total(conn: Conn, account_id: str, run_id: int, total: int) -> None:
    await conn.execute(
        "UPDATE shift_run SET total = $3, changed_at = now() WHERE account_id = $1 AND run_id = $2",
        account_id,
        run_id,
        total,
    )


async def counts_of(conn: Conn, account_id: str, run_ids: Collection[int]) -> Mapping[int, RunCounts]:
    found = {
        row["run_id"]: RunCounts(
            moved=row["moved"], left_out=row["left_out"], waiting=row["waiting"], along=row["along"]
        )
        for row in await conn.fetch(_COUNTS, account_id, list(run_ids))
    }
    return {run_id: found.get(run_id, RunCounts()) for run_id in run_ids}


async def delete_runs_before(conn: Conn, *, account_id: str, before: datetime, limit: int) -> int:
    """Delete runs that ended earlier, with what they moved. How many."""
    done: str = await conn.execute(
        "DELETE FROM shift_run WHERE (account_id, run_id) IN (SELECT account_id, run_id FROM shift_run"
        " WHERE account_id = $1 AND ended_at < $2 ORDER BY run_id LIMIT $3)",
        account_id,
        before,
        max(1, limit // 500),
    )
    return int(done.split()[-1])


def _run(row: Any) -> ShiftRun:
    return ShiftRun(**dict(row))
