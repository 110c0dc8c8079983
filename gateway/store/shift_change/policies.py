"""What each account has set for shift change."""

from __future__ import annotations

from collections.abc import Collection

from gateway.store.admin.audit import AuditChange, record
from routing.shift_change.policy import ShiftPolicy
from runtime.database.pool import Conn

# Those that have to be looked at: switched on, or with a move that is not over.
_BUSY = """
SELECT account_id FROM unnest($1::text[]) AS a (account_id) JOIN account USING (account_id)
WHERE account.state = 'on' AND (EXISTS (SELECT 1 FROM shift_policy p WHERE p.account_id = a.account_id AND p.is_on)
   OR EXISTS (SELECT 1 FROM shift_run r WHERE r.account_id = a.account_id AND r.state IN ('running', 'paused'))
   OR EXISTS (SELECT 1 FROM shift_move m WHERE m.account_id = a.account_id AND m.state = 'ordered'))
"""


async def policy_of(conn: Conn, account_id: str) -> ShiftPolicy:
    """One that does nothing where nothing was set."""
    stored = await conn.fetchval("SELECT policy FROM shift_policy WHERE account_id = $1", account_id)
    return ShiftPolicy() if stored is None else ShiftPolicy.model_validate(stored)


async def save_policy(conn: Conn, account_id: str, policy: ShiftPolicy, by: str) -> bool:
    """Whether it is another one than before; audited then."""
    before = await policy_of(conn, account_id)
    if before == policy:
        return False
    told = policy.model_dump(mode="json")
    await conn.execute(
        "INSERT INTO shift_policy (account_id, policy, is_on, saved_by) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (account_id) DO UPDATE"
        " SET policy = excluded.policy, is_on = excluded.is_on, saved_by = excluded.saved_by, saved_at = now()",
        account_id,
        told,
        policy.is_on,
        by,
    )
    change = AuditChange(
        what="shift change",
        object="policy",
        action="changed",
        account_id=account_id,
        before=before.model_dump(mode="json"),
        after=told,
    )
    await record(conn, change)
    return True


async def busy_accounts(conn: Conn, account_ids: Collection[str]) -> list[str]:
    """Those of these in which there may be something to move."""
    return [row["account_id"] for row in await conn.fetch(_BUSY, list(account_ids))]
