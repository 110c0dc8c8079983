"""Items of the kind `sms`: which are due, and what became of them besides their end."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from gateway.store.outbound.items import OutboundItem, as_item
from runtime.database.pool import Conn

_DUE = """
SELECT * FROM outbound_item WHERE account_id = $1 AND kind = 'sms' AND state = 'waiting' AND not_before <= $2
  AND (look_at IS NULL OR look_at <= $2)
ORDER BY priority, not_before, item_id LIMIT $3
"""


async def accounts_with_texts(conn: Conn, account_ids: Collection[str], now: datetime) -> list[str]:
    """Those of these that are not off and have something to prepare now."""
    rows = await conn.fetch(
        "SELECT account_id FROM account a WHERE account_id = ANY($1) AND state <> 'off' AND EXISTS ("
        " SELECT 1 FROM outbound_item i WHERE i.account_id = a.account_id AND i.kind = 'sms' AND i.state = 'waiting'"
        " AND i.not_before <= $2 AND (i.look_at IS NULL OR i.look_at <= $2))",
        list(account_ids),
        now,
    )
    return [row["account_id"] for row in rows]


async def due_texts(conn: Conn, account_id: str, now: datetime, limit: int) -> list[OutboundItem]:
    """In the order in which they are to be sent."""
    return [as_item(row) for row in await conn.fetch(_DUE, account_id, now, limit)]


async def keep_waiting(conn: Conn, row: OutboundItem, look_at: datetime, reason: str) -> None:
    """Look at it again then; why it waits."""
    await conn.execute(
        "UPDATE outbound_item SET look_at = $3, reason = $4 WHERE account_id = $1 AND item_id = $2 AND state = 'waiting'",
        row.account_id,
        row.item_id,
        look_at,
        reason,
    )


async def let_expire(conn: Conn, row: OutboundItem, expires_at: datetime) -> None:
    """Say until when it may be sent, where nobody has."""
    await conn.execute(
        "UPDATE outbound_item SET expires_at = coalesce(expires_at, $3) WHERE account_id = $1 AND item_id = $2",
        row.account_id,
        row.item_id,
        expires_at,
    )


async def begin_sending(
    conn: Conn, row: OutboundItem, client: str | None, skipped: Sequence[Mapping[str, Any]]
) -> None:
    """Its messages stand in their queue. client: E.164, None = it goes to employees only. skipped: who gets none, and why."""
    await conn.execute(
        "UPDATE outbound_item SET state = 'sending', client = $3, skipped = $4, reason = '', look_at = NULL"
        " WHERE account_id = $1 AND item_id = $2",
        row.account_id,
        row.item_id,
        client,
        list(skipped),
    )


async def take_back(conn: Conn, account_id: str, item_id: str, reason: str) -> bool:
    """Let an item wait again none of whose messages was ever on its way: they are judged and written anew. Whether it does."""
    gone = await conn.fetch(
        "DELETE FROM sms_message m WHERE account_id = $1 AND item_id = $2 AND NOT EXISTS (SELECT 1 FROM sms_message o"
        " WHERE o.account_id = $1 AND o.item_id = $2 AND (o.state <> 'queued' OR o.is_noted)) RETURNING own_id",
        account_id,
        item_id,
    )
    if gone:
        await conn.execute(
            "UPDATE outbound_item SET state = 'waiting', reason = $3, look_at = NULL WHERE account_id = $1 AND item_id = $2"
            " AND state = 'sending'",
            account_id,
            item_id,
            reason,
        )
    return bool(gone)
