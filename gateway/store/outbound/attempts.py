"""Attempts to call as rows: committed before the PBX is asked for anything, one of a client and of an employee at a time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal

import asyncpg

from routing.outbound.attempts import Attempt, AttemptOutcome, AttemptReason, AttemptSide, AttemptState
from runtime.database.pool import Conn

_ADD = """
INSERT INTO outbound_attempt (account_id, attempt_id, item_id, kind, client, employee_id, extension, group_number, connection,
    line, claimed_at, look_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING RETURNING attempt_id
"""

_ONE = "SELECT * FROM outbound_attempt WHERE account_id = $1 AND attempt_id = $2"
_LOCKED = "SELECT * FROM outbound_attempt WHERE account_id = $1 AND attempt_id = $2 FOR UPDATE"

# From here on it may ring: one that somebody else has taken over meanwhile, or that lay too long, is not begun.
_PLACING = """
UPDATE outbound_attempt SET state = 'placing', placed_at = $3, look_at = $4
WHERE account_id = $1 AND attempt_id = $2 AND state = 'claimed' AND claimed_at > $5 RETURNING attempt_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """client: E.164. employee_id and extension, or group_number: who is rung first. connection: its name. placed_at: when the
    request began, None = nothing was sent. look_at: when the PBX is asked what became of it, if nothing is told; looks: how
    often it was. withdrawn_at: when the PBX was asked to hang it up, since the client called us meanwhile."""

    account_id: str
    attempt_id: str
    item_id: str
    kind: Literal["callback", "campaign"]
    client: str
    employee_id: str | None
    extension: str | None
    group_number: str | None
    connection: str
    line: str | None
    state: AttemptState
    side: AttemptSide | None
    reason: AttemptReason | None
    raw: str
    claimed_at: datetime
    placed_at: datetime | None
    over_at: datetime | None
    call_key: str | None
    look_at: datetime
    looks: int
    withdrawn_at: datetime | None = None

    @property
    def attempt(self) -> Attempt:
        known = self.side is not None and self.reason is not None
        outcome = AttemptOutcome(side=self.side, reason=self.reason, raw=self.raw) if known else None  # type: ignore[arg-type]
        return Attempt(state=self.state, outcome=outcome)


_COLUMNS = tuple(field.name for field in fields(AttemptRow))


async def add_attempt(conn: Conn, row: AttemptRow) -> bool:
    """Keep one that begins, in the caller's transaction. False: the client or the employee has a live one."""
    added = await conn.fetchval(
        _ADD,
        row.account_id,
        row.attempt_id,
        row.item_id,
        row.kind,
        row.client,
        row.employee_id,
        row.extension,
        row.group_number,
        row.connection,
        row.line,
        row.claimed_at,
        row.look_at,
    )
    return added is not None


async def begin_placing(
    conn: Conn, row: AttemptRow, now: datetime, *, look_at: datetime, claimed_after: datetime
) -> bool:
    """Whether the request may be sent; told once only, and never of one that was claimed before `claimed_after`."""
    begun = await conn.fetchval(_PLACING, row.account_id, row.attempt_id, now, look_at, claimed_after)
    return begun is not None


async def attempt_of(
    conn: Conn, account_id: str, attempt_id: str, *, lock: bool = False
) -> AttemptRow | None:
    """lock: nobody else changes it until the transaction ends."""
    row = await conn.fetchrow(_LOCKED if lock else _ONE, account_id, attempt_id)
    return as_attempt(row) if row else None


async def attempts_of_items(conn: Conn, account_id: str, item_ids: Collection[str]) -> list[AttemptRow]:
    """Return those of these items, in the order in which they were made."""
    rows = await conn.fetch(
        "SELECT * FROM outbound_attempt WHERE account_id = $1 AND item_id = ANY($2) ORDER BY claimed_at, attempt_id",
        account_id,
        list(item_ids),
    )
    return [as_attempt(row) for row in rows]


async def save_attempt(
    conn: Conn, row: AttemptRow, attempt: Attempt, now: datetime, *, call_key: str | None = None
) -> None:
    """Write down how far it came, in the transaction that holds it. call_key: None = as it is."""
    outcome = attempt.outcome
    await conn.execute(
        "UPDATE outbound_attempt SET state = $3, side = $4, reason = $5, raw = $6,"
        " over_at = CASE WHEN $3 = 'over' THEN coalesce(over_at, $7) END, call_key = coalesce($8, call_key)"
        " WHERE account_id = $1 AND attempt_id = $2",
        row.account_id,
        row.attempt_id,
        attempt.state,
        outcome.side if outcome else None,
        outcome.reason if outcome else None,
        outcome.raw[:500] if outcome else "",
        now,
        call_key,
    )


async def look_again(conn: Conn, row: AttemptRow, look_at: datetime) -> None:
    """Ask of it again then; counted."""
    await conn.execute(
        "UPDATE outbound_attempt SET look_at = $3, looks = looks + 1 WHERE account_id = $1 AND attempt_id = $2",
        row.account_id,
        row.attempt_id,
        look_at,
    )


def as_attempt(row: asyncpg.Record) -> AttemptRow:
    """Read a whole row; columns of a newer version are left alone."""
    return AttemptRow(**{name: row[name] for name in _COLUMNS})
