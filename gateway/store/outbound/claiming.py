"""Items that wait for a call, as whoever claims them takes them: each by one only."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from gateway.store.outbound.items import OutboundItem, as_item
from runtime.database.pool import Conn

_WAITING = """
SELECT * FROM outbound_item WHERE account_id = $1 AND state = 'waiting' AND kind <> 'sms' AND not_before <= $2
  AND coalesce(look_at, '-infinity') <= $2 AND (expires_at IS NULL OR expires_at > $2)
ORDER BY priority, not_before, item_id LIMIT $3 FOR UPDATE SKIP LOCKED
"""

_UNPREPARED = """
SELECT * FROM outbound_item WHERE account_id = $1 AND state = 'waiting' AND kind = 'callback' AND expires_at IS NULL
ORDER BY priority, not_before, item_id LIMIT $2 FOR UPDATE SKIP LOCKED
"""

_EXPIRED = """
SELECT * FROM outbound_item WHERE account_id = $1 AND state = 'waiting' AND kind <> 'sms' AND expires_at <= $2
ORDER BY expires_at, item_id LIMIT $3 FOR UPDATE SKIP LOCKED
"""

# Of all accounts at once: which of them have a call to place, to prepare or to follow.
_BUSY = """
SELECT account_id FROM account WHERE account_id = ANY($1) AND (
  state = 'on' AND EXISTS (SELECT 1 FROM outbound_item i WHERE i.account_id = account.account_id AND i.state = 'waiting'
    AND i.kind <> 'sms' AND (i.kind = 'callback' AND i.expires_at IS NULL OR i.expires_at <= $2
      OR i.not_before <= $2 AND coalesce(i.look_at, '-infinity') <= $2))
  OR EXISTS (SELECT 1 FROM outbound_attempt a WHERE a.account_id = account.account_id AND a.state <> 'over')
  OR EXISTS (SELECT 1 FROM outbound_attempt a JOIN outbound_item i USING (account_id, item_id)
    WHERE a.account_id = account.account_id AND a.side = 'unknown' AND a.over_at > $2::timestamptz - interval '1 day'
    AND i.state = 'unknown'))
"""


async def busy_accounts(conn: Conn, account_ids: Collection[str], now: datetime) -> list[str]:
    """Return those of these accounts whose calls want to be looked at."""
    return [row["account_id"] for row in await conn.fetch(_BUSY, list(account_ids), now)]


async def waiting_items(conn: Conn, account_id: str, now: datetime, limit: int) -> list[OutboundItem]:
    """Return the first that may be looked at now, and hold them; what somebody else holds is left out."""
    return [as_item(row) for row in await conn.fetch(_WAITING, account_id, now, limit)]


async def unprepared_items(conn: Conn, account_id: str, limit: int) -> list[OutboundItem]:
    """Return those of which nobody has found out yet until when they wait."""
    return [as_item(row) for row in await conn.fetch(_UNPREPARED, account_id, limit)]


async def expired_items(conn: Conn, account_id: str, now: datetime, limit: int) -> list[OutboundItem]:
    return [as_item(row) for row in await conn.fetch(_EXPIRED, account_id, now, limit)]


async def prepared(conn: Conn, item: OutboundItem, expires_at: datetime | None, client: str | None) -> None:
    """Write down until when it waits, and whom it is for as far as that is known."""
    await conn.execute(
        "UPDATE outbound_item SET expires_at = $3, client = $4 WHERE account_id = $1 AND item_id = $2",
        item.account_id,
        item.item_id,
        expires_at,
        client,
    )


async def looked_at(
    conn: Conn, account_id: str, item_ids: Collection[str], reason: str, again_at: datetime
) -> None:
    """Let them go on waiting, and say why."""
    await conn.execute(
        "UPDATE outbound_item SET reason = $3, look_at = $4 WHERE account_id = $1 AND item_id = ANY($2)",
        account_id,
        list(item_ids),
        reason,
        again_at,
    )


async def dialling(conn: Conn, item: OutboundItem, client: str, employee_id: str | None) -> None:
    """Say that it is under way."""
    await conn.execute(
        "UPDATE outbound_item SET state = 'dialling', reason = 'dial', client = $3, employee_id = coalesce($4, employee_id),"
        " look_at = NULL WHERE account_id = $1 AND item_id = $2",
        item.account_id,
        item.item_id,
        client,
        employee_id,
    )
