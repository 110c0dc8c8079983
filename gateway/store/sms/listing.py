"""Messages of SMS as they are listed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.store.sms.incoming import IncomingRow
from gateway.store.sms.messages import SmsMessageRow, as_message
from runtime.database.pool import Conn

_LIST = """
SELECT * FROM sms_message WHERE account_id = $1 AND ($2::text IS NULL OR deal_id = $2)
  AND ($3::text IS NULL OR state = $3) AND ($4::text IS NULL OR connection = $4) AND ($5::text IS NULL OR item_id = $5)
  AND ($6::text IS NULL OR number = $6) AND ($7::timestamptz IS NULL OR created_at >= $7)
  AND ($8::timestamptz IS NULL OR (created_at, own_id) < ($8, $9))
ORDER BY created_at DESC, own_id DESC LIMIT $10
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsFilter:
    """None: whatever it is. number: E.164. after: (created_at, own_id) of the last one of the page before."""

    deal_id: str | None = None
    state: str | None = None
    connection: str | None = None
    item_id: str | None = None
    number: str | None = None
    since: datetime | None = None
    after: tuple[datetime, int] | None = None


async def listed_sms(conn: Conn, account_id: str, wanted: SmsFilter, *, limit: int) -> list[SmsMessageRow]:
    """Newest first."""
    rows = await conn.fetch(
        _LIST,
        account_id,
        wanted.deal_id,
        wanted.state,
        wanted.connection,
        wanted.item_id,
        wanted.number,
        wanted.since,
        *(wanted.after or (None, None)),
        limit,
    )
    return [as_message(row) for row in rows]


async def listed_incoming(
    conn: Conn, account_id: str, *, after: tuple[datetime, str] | None, limit: int
) -> list[IncomingRow]:
    """Return what clients wrote, newest first, without pieces that wait for others."""
    rows = await conn.fetch(
        "SELECT incoming_id, connection, coalesce(number, '') AS number, sent_to, text, is_opt_out, received_at"
        " FROM sms_incoming WHERE account_id = $1 AND part IS NULL AND text <> ''"
        " AND ($2::timestamptz IS NULL OR (received_at, incoming_id) < ($2, $3))"
        " ORDER BY received_at DESC, incoming_id DESC LIMIT $4",
        account_id,
        *(after or (None, None)),
        limit,
    )
    return [IncomingRow(**row) for row in rows]
