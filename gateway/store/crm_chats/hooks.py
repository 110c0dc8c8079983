"""What people wrote in the CRM's cards, as rows: kept once, before the CRM is thanked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from runtime.database.pool import Conn

CrmChatHookState = Literal["pending", "taken", "refused", "dead"]

_KEEP = """
INSERT INTO crm_chat_hook (account_id, crm_id, dialogue_id, told, received_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (account_id, crm_id) DO NOTHING
"""

_NEXT = """
SELECT hook_id, crm_id, dialogue_id, told, received_at, failures FROM crm_chat_hook
WHERE account_id = $1 AND state = 'pending' AND try_at <= $2 ORDER BY hook_id LIMIT $3
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCrmHook:
    """told: JSON of a HookMessage. dialogue_id: None = it was not known when it came."""

    hook_id: int
    crm_id: str
    dialogue_id: int | None
    told: Mapping[str, Any]
    received_at: datetime
    failures: int


async def keep_crm_hook(
    conn: Conn,
    account_id: str,
    crm_id: str,
    dialogue_id: int | None,
    told: Mapping[str, Any],
    received_at: datetime,
) -> bool:
    """Whether it is new."""
    done: str = await conn.execute(_KEEP, account_id, crm_id, dialogue_id, dict(told), received_at)
    return done != "INSERT 0 0"


async def next_crm_hooks(conn: Conn, account_id: str, now: datetime, limit: int) -> list[StoredCrmHook]:
    return [StoredCrmHook(**row) for row in await conn.fetch(_NEXT, account_id, now, limit)]


async def lock_crm_hook(conn: Conn, account_id: str, hook_id: int) -> bool:
    """Whether it still waits; nobody else works on it before the transaction ends."""
    found = await conn.fetchval(
        "SELECT 1 FROM crm_chat_hook WHERE account_id = $1 AND hook_id = $2 AND state = 'pending' FOR UPDATE",
        account_id,
        hook_id,
    )
    return found is not None


async def end_crm_hook(
    conn: Conn,
    account_id: str,
    hook_id: int,
    state: CrmChatHookState,
    *,
    reason: str = "",
    words: str = "",
) -> None:
    """Note what became of it; what it said is kept here no longer. words: for whoever wrote it."""
    await conn.execute(
        "UPDATE crm_chat_hook SET state = $3, reason = $4, words = $5, told = NULL WHERE account_id = $1 AND hook_id = $2",
        account_id,
        hook_id,
        state,
        reason[:500],
        words[:500],
    )


async def put_crm_hook_off(conn: Conn, account_id: str, hook_id: int, try_at: datetime) -> None:
    await conn.execute(
        "UPDATE crm_chat_hook SET failures = failures + 1, try_at = $3 WHERE account_id = $1 AND hook_id = $2",
        account_id,
        hook_id,
        try_at,
    )


async def crm_hooks_to_tell(conn: Conn, account_id: str, limit: int) -> list[tuple[int, str, str]]:
    """Return (hook, the CRM's id of the message, words) of what was refused and whoever wrote it does not know yet."""
    rows = await conn.fetch(
        "SELECT hook_id, crm_id, words FROM crm_chat_hook WHERE account_id = $1 AND words <> '' AND told_at IS NULL"
        " ORDER BY hook_id LIMIT $2",
        account_id,
        limit,
    )
    return [(row["hook_id"], row["crm_id"], row["words"]) for row in rows]


async def crm_hook_told(conn: Conn, account_id: str, hook_id: int, now: datetime) -> None:
    await conn.execute(
        "UPDATE crm_chat_hook SET told_at = $3 WHERE account_id = $1 AND hook_id = $2",
        account_id,
        hook_id,
        now,
    )


async def delete_crm_hooks(conn: Conn, before: datetime, *, limit: int) -> int:
    """Delete what came earlier. How many."""
    done: str = await conn.execute(
        "DELETE FROM crm_chat_hook WHERE (account_id, hook_id) IN (SELECT account_id, hook_id FROM crm_chat_hook"
        " WHERE received_at < $1 LIMIT $2)",
        before,
        limit,
    )
    return int(done.split()[-1])


async def crm_hook_counts(conn: Conn, account_id: str) -> int:
    """How many messages of cards were not sent, of those that are kept."""
    count: int = await conn.fetchval(
        "SELECT count(*) FROM crm_chat_hook WHERE account_id = $1 AND state IN ('refused', 'dead')",
        account_id,
    )
    return count
