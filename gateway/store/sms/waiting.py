"""Texts that wait to be written: their provider, their hour or their turn has not come."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.store.outbound.items import OutboundItem, as_item
from runtime.database.pool import Conn

_WAITING = """
SELECT * FROM outbound_item WHERE account_id = $1 AND kind = 'sms' AND state = 'waiting'
  AND ($2::text IS NULL OR deal_id = $2) AND ($3::text IS NULL OR client = $3)
  AND ($4::text IS NULL OR "order"->'action'->>'provider' = $4)
ORDER BY created_at, item_id LIMIT $5
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingFilter:
    """None: whatever it is. number: E.164."""

    deal_id: str | None = None
    number: str | None = None
    provider: str | None = None


async def waiting_texts(
    conn: Conn, account_id: str, wanted: WaitingFilter, *, limit: int
) -> list[OutboundItem]:
    """Oldest first."""
    rows = await conn.fetch(_WAITING, account_id, wanted.deal_id, wanted.number, wanted.provider, limit)
    return [as_item(row) for row in rows]
