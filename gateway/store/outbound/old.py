"""What of clients is emptied of what went out, when its days are over or when a client asks to be forgotten: rows stay.

The do-not-call list is no part of it: whoever asked not to be called stays on it.
"""

from __future__ import annotations

from datetime import datetime

from runtime.database.pool import Conn

# Of what nobody knows a person may still find out.
_ITEMS = """
UPDATE outbound_item SET client = NULL WHERE (account_id, item_id) IN (
    SELECT account_id, item_id FROM outbound_item WHERE account_id = $1 AND created_at < $2 AND client IS NOT NULL
      AND ended_at IS NOT NULL AND state <> 'unknown' AND ($3::text IS NULL OR client = $3) LIMIT $4)
"""
_ATTEMPTS = """
UPDATE outbound_attempt SET client = '', raw = '' WHERE (account_id, attempt_id) IN (
    SELECT a.account_id, a.attempt_id FROM outbound_attempt a JOIN outbound_item i USING (account_id, item_id)
    WHERE a.account_id = $1 AND a.claimed_at < $2 AND a.client <> '' AND a.state = 'over'
      AND i.ended_at IS NOT NULL AND i.state <> 'unknown' AND ($3::text IS NULL OR a.client = $3) LIMIT $4)
"""
_FIRINGS = """
UPDATE firing SET steps = '[]' WHERE (account_id, firing_id) IN (
    SELECT account_id, firing_id FROM firing WHERE account_id = $1 AND created_at < $2 AND steps <> '[]'
      AND state <> 'reading' AND ($3::text[] IS NULL OR deal_id = ANY($3)) LIMIT $4)
"""


async def empty_outbound_numbers(
    conn: Conn, account_id: str, before: datetime, *, client: str | None = None, limit: int
) -> int:
    """Empty numbers of items that have ended, and of their attempts with the PBX's words. client: E.164, None = of everybody."""
    items: str = await conn.execute(_ITEMS, account_id, before, client, limit)
    attempts: str = await conn.execute(_ATTEMPTS, account_id, before, client, limit)
    return int(items.split()[-1]) + int(attempts.split()[-1])


async def empty_firing_steps(
    conn: Conn, account_id: str, before: datetime, *, deals: list[str] | None = None, limit: int
) -> int:
    """Empty what was found in deals and contacts when firings were decided; the reason stays. deals: None = of all."""
    done: str = await conn.execute(_FIRINGS, account_id, before, deals, limit)
    return int(done.split()[-1])


async def under_way_for(conn: Conn, account_id: str, client: str) -> int:
    """How many items wait for this number, are being carried out, or are known of by nobody."""
    count: int = await conn.fetchval(
        "SELECT count(*) FROM outbound_item WHERE account_id = $1 AND client = $2"
        " AND state IN ('held', 'waiting', 'dialling', 'sending', 'unknown')",
        account_id,
        client,
    )
    return count
