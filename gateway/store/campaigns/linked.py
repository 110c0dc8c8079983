"""Links from items to the member of the same number."""

from __future__ import annotations

from typing import NamedTuple

from runtime.database.pool import Conn

# What was unknown and is settled later is settled for those that are linked, too.
_TO_SETTLE = """
SELECT l.account_id, l.item_id, m.state, m.reason FROM campaign_link l
JOIN campaign_member m USING (account_id, campaign_id, number)
JOIN outbound_item i ON i.account_id = l.account_id AND i.item_id = l.item_id
JOIN account a ON a.account_id = l.account_id
WHERE m.ended_at IS NOT NULL AND a.state = 'on' AND (i.ended_at IS NULL OR i.state = 'unknown' AND m.state <> 'unknown')
ORDER BY l.account_id, l.item_id LIMIT $1 FOR UPDATE OF i SKIP LOCKED
"""


class LinkToSettle(NamedTuple):
    """state, reason: how the member ended."""

    account_id: str
    item_id: str
    state: str
    reason: str


async def links_to_settle(conn: Conn, limit: int) -> list[LinkToSettle]:
    """Return those whose member has ended, and hold them."""
    return [LinkToSettle(**dict(row)) for row in await conn.fetch(_TO_SETTLE, limit)]
