"""Whose turn it is to be sent: one message at a time through a provider, at the provider's pace, none while it is stopped."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from gateway.store.sms.messages import SmsMessageRow, as_message, progress_json
from runtime.database.pool import Conn
from sms.progress import claimed
from sms.reasons import SmsReason

# Locked by whoever sends the next one, so that several processes keep one pace.
_TURN = """
SELECT coalesce(s.stop_reason, '') AS stop FROM sms_connection s JOIN account a USING (account_id)
WHERE s.account_id = $1 AND s.name = $2 AND s.is_on AND a.state <> 'off' AND (s.next_at IS NULL OR s.next_at <= $3)
  AND (s.stop_reason IS NULL OR s.try_at <= $3) FOR UPDATE OF s SKIP LOCKED
"""

_NEXT = """
SELECT * FROM sms_message WHERE account_id = $1 AND connection = $2 AND state = 'queued' AND next_try_at <= $3
ORDER BY next_try_at, own_id LIMIT 1 FOR UPDATE SKIP LOCKED
"""

TRIED_AGAIN_AFTER = timedelta(minutes=5)
"""One message is tried through a provider that stopped."""
_TRIED_LATELY = timedelta(minutes=1)
"""A provider that says it has money again is not tried once more within it, since its books may lag behind."""


async def next_message(conn: Conn, account_id: str, connection: str, now: datetime) -> SmsMessageRow | None:
    """Lock the message whose turn it is, and the pace of its provider, until the transaction ends. None: none may go out."""
    turn = await conn.fetchrow(_TURN, account_id, connection, now)
    if turn is None:
        return None
    row = await conn.fetchrow(_NEXT, account_id, connection, now)
    return as_message(row) if row else None


async def claim_message(
    conn: Conn, row: SmsMessageRow, now: datetime, *, reports_due: int, next_at: datetime
) -> SmsMessageRow:
    """Write down that somebody is about to send it, and when the next one may go out. It must be committed before the request."""
    progress = claimed(row.as_progress)
    found = await conn.fetchrow(
        "UPDATE sms_message SET state = $3, progress = $4, claimed_at = $5, look_at = NULL"
        " WHERE account_id = $1 AND own_id = $2 RETURNING *",
        row.account_id,
        row.own_id,
        progress.state,
        {**progress_json(progress), "reports_due": reports_due},
        now,
    )
    await conn.execute(
        "UPDATE sms_connection SET next_at = $3, try_at = CASE WHEN stop_reason IS NOT NULL THEN $4::timestamptz END"
        " WHERE account_id = $1 AND name = $2",
        row.account_id,
        row.connection,
        next_at,
        now + TRIED_AGAIN_AFTER,
    )
    assert found is not None
    return as_message(found)


async def stop_sending(
    conn: Conn, account_id: str, connection: str, reason: SmsReason, words: str, now: datetime
) -> bool:
    """Send nothing more through it until a message goes through. Whether it sent before."""
    done: str = await conn.execute(
        "UPDATE sms_connection SET stop_reason = $3, stop_words = $4, stopped_at = coalesce(stopped_at, $5), try_at = $6"
        " WHERE account_id = $1 AND name = $2 AND stop_reason IS DISTINCT FROM $3",
        account_id,
        connection,
        reason,
        words[:300],
        now,
        now + TRIED_AGAIN_AFTER,
    )
    return done != "UPDATE 0"


async def go_on_sending(conn: Conn, account_id: str, connection: str) -> None:
    """Send again: a message went through."""
    await conn.execute(
        "UPDATE sms_connection SET stop_reason = NULL, stop_words = '', stopped_at = NULL, try_at = NULL"
        " WHERE account_id = $1 AND name = $2 AND stop_reason IS NOT NULL",
        account_id,
        connection,
    )


async def slow_down(conn: Conn, account_id: str, connection: str, until: datetime) -> None:
    """Send nothing before: the provider had too much."""
    await conn.execute(
        "UPDATE sms_connection SET next_at = greatest(next_at, $3) WHERE account_id = $1 AND name = $2",
        account_id,
        connection,
        until,
    )


async def save_balance(
    conn: Conn,
    account_id: str,
    connection: str,
    found: tuple[Decimal, str] | None,
    error: str,
    now: datetime,
) -> None:
    """Write down what the provider said of its money. A provider that stopped for want of it and says that it has some is tried
    at once: where that is more than before, or else where it was not tried within the last minute."""
    amount, currency = found or (None, None)
    await conn.execute(
        "UPDATE sms_connection SET balance = coalesce($3::numeric, balance), currency = coalesce(nullif($4::text, ''), currency), balance_at = $5,"
        " balance_error = $6, try_at = CASE WHEN stop_reason = $7 AND $3::numeric > 0 AND ($3::numeric > coalesce(balance, 0)"
        " OR try_at <= $5::timestamptz + $8::interval) THEN $5::timestamptz ELSE try_at END"
        " WHERE account_id = $1 AND name = $2",
        account_id,
        connection,
        amount,
        currency,
        now,
        error[:300],
        SmsReason.NO_MONEY,
        TRIED_AGAIN_AFTER - _TRIED_LATELY,
    )


async def look_again(conn: Conn, account_id: str, connection: str, now: datetime) -> None:
    """Have it asked for its money at once, and where it is stopped one message tried, because a person wants to know."""
    await conn.execute(
        "UPDATE sms_connection SET balance_at = NULL, try_at = CASE WHEN stop_reason IS NOT NULL THEN $3::timestamptz END"
        " WHERE account_id = $1 AND name = $2",
        account_id,
        connection,
        now,
    )


async def queued_count(conn: Conn, account_id: str, connection: str) -> int:
    found: int = await conn.fetchval(
        "SELECT count(*) FROM sms_message WHERE account_id = $1 AND connection = $2 AND state = 'queued'",
        account_id,
        connection,
    )
    return found
