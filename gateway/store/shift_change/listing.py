"""Deals of a run as a person reads them: in order, with what came back since."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from gateway.store.shift_change.moves import MoveRow, MoveState
from gateway.store.shift_change.runs import ShiftRun
from runtime.database.pool import Conn

_RETURNED = """
FROM shift_run r JOIN shift_move m USING (account_id, run_id)
WHERE r.account_id = $1 AND r.employee_id = $2 AND r.kind = 'return' AND r.run_id > $3 AND m.kind = 'deal' AND m.state = 'moved'
"""


class DealsTaken(NamedTuple):
    """moved: from somebody to others. returned: given back."""

    moved: int
    returned: int


async def deals_taken_since(conn: Conn, account_id: str, employee_id: str, since: datetime) -> DealsTaken:
    """Count this person's deals by runs that began at `since` or later."""
    row = await conn.fetchrow(
        "SELECT count(*) FILTER (WHERE r.kind <> 'return') AS moved, count(*) FILTER (WHERE r.kind = 'return') AS returned"
        " FROM shift_run r JOIN shift_move m USING (account_id, run_id)"
        " WHERE r.account_id = $1 AND r.employee_id = $2 AND r.started_at >= $3 AND m.kind = 'deal' AND m.state = 'moved'",
        account_id,
        employee_id,
        since,
    )
    assert row is not None, "a count is always there"
    return DealsTaken(row["moved"], row["returned"])


async def deals_of_run(
    conn: Conn, account_id: str, run_id: int, *, state: MoveState | None, after: int | None, limit: int
) -> list[MoveRow]:
    """Return the deals of a run in order, without what went along. after: the position of the last one read."""
    rows = await conn.fetch(
        "SELECT kind, entity_id, deal_id, position, state, reason, owner_was, given_to, employee_id, created_for,"
        " ordered_at, settled_at FROM shift_move WHERE account_id = $1 AND run_id = $2 AND kind = 'deal'"
        " AND ($3::text IS NULL OR state = $3) AND ($4::int IS NULL OR position > $4) ORDER BY position LIMIT $5",
        account_id,
        run_id,
        state,
        after,
        limit,
    )
    return [MoveRow(**dict(row)) for row in rows]


async def returned_since(
    conn: Conn, account_id: str, run: ShiftRun, deal_ids: Collection[str]
) -> dict[str, datetime]:
    """Return which of these deals came back to whom the run took them from, and when."""
    rows = await conn.fetch(
        f"SELECT m.entity_id, max(m.settled_at) AS at {_RETURNED} AND m.entity_id = ANY($4) GROUP BY 1",
        account_id,
        run.employee_id,
        run.run_id,
        list(deal_ids),
    )
    return {row["entity_id"]: row["at"] for row in rows}


async def count_returned(conn: Conn, account_id: str, run: ShiftRun) -> int:
    """Count the deals that the run moved and that came back since."""
    found: int = await conn.fetchval(
        f"SELECT count(DISTINCT m.entity_id) {_RETURNED} AND EXISTS (SELECT 1 FROM shift_move o WHERE o.account_id = $1"  # noqa: S608
        " AND o.run_id = $3 AND o.kind = 'deal' AND o.entity_id = m.entity_id AND o.state = 'moved')",
        account_id,
        run.employee_id,
        run.run_id,
    )
    return found
