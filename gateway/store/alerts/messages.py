"""Messages to people as rows: written with the decision, claimed by one sender, tried again until they are out.

A sender says first that it sends, then sends, then says that it has. One that is killed in between leaves the message
claimed; after a while another takes it over and marks it as in doubt, for it may have arrived: at least once, never lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from routing.alerts import AlertCause
from routing.texts.catalogue import Language
from runtime.alerts.delivery import AlertChannel, AlertNotSent
from runtime.database.pool import Conn

CLAIM_LOST = timedelta(minutes=2)
"""Longer than any attempt takes."""
KEPT = timedelta(days=30)
_GIVE_UP = timedelta(hours=24)

_STORE = """
INSERT INTO alert_message (account_id, message_id, kind, object, word, channel, recipient, language, subject, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING
"""
# One recipient hears of one cause in the order in which things happened.
_CLAIM = """
UPDATE alert_message SET is_in_doubt = is_in_doubt OR state = 'sending', state = 'sending', claimed_at = now(),
    attempts = attempts + 1
WHERE (account_id, message_id) = (
    SELECT account_id, message_id FROM alert_message m
    WHERE (state = 'waiting' AND next_try_at <= now() OR state = 'sending' AND claimed_at < now() - $1::interval)
        AND NOT EXISTS (SELECT FROM alert_message p WHERE p.state IN ('waiting', 'sending') AND p.seq < m.seq
            AND (p.account_id, p.kind, p.object, p.channel, p.recipient)
                = (m.account_id, m.kind, m.object, m.channel, m.recipient))
    ORDER BY seq LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING *
"""
_OUTCOME = """
UPDATE alert_message SET state = $3, error_code = $4, error = $5, next_try_at = now() + $6::interval,
    is_in_doubt = is_in_doubt OR $7, sent_at = CASE WHEN $3 = 'sent' THEN now() END
WHERE account_id = $1 AND message_id = $2 AND state = 'sending' AND attempts = $8
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAlertMessage:
    """is_in_doubt: an attempt before this one may have arrived."""

    account_id: str
    message_id: str
    kind: str
    object: str
    word: str
    channel: AlertChannel
    recipient: str
    language: Language
    subject: str
    body: str
    is_in_doubt: bool = False
    attempts: int = 0
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsentAlerts:
    """waiting: messages that were tried and did not go out, or wait for longer than a turn. given_up: of the last two days.
    error: of the latest attempt, with its code."""

    waiting: int = 0
    given_up: int = 0
    error: str = ""


async def store(conn: Conn, messages: Sequence[StoredAlertMessage]) -> None:
    """Nothing happens to one that is there already."""
    await conn.executemany(
        _STORE,
        [
            (m.account_id, m.message_id, m.kind, m.object, m.word, m.channel, m.recipient, m.language, m.subject, m.body)
            for m in messages
        ],
    )  # fmt: skip


async def recipients_since(conn: Conn, cause: AlertCause, at: datetime) -> set[tuple[str, str]]:
    """Return who was told since then that it began, as (channel, address)."""
    rows = await conn.fetch(
        "SELECT channel, recipient FROM alert_message WHERE account_id = $1 AND kind = $2 AND object = $3"
        " AND word = 'begun' AND created_at >= $4",
        cause.account_id,
        cause.kind,
        cause.object,
        at,
    )
    return {(row["channel"], row["recipient"]) for row in rows}


async def claim(conn: Conn) -> StoredAlertMessage | None:
    """Return the oldest that is to be sent now; it is the caller's for `CLAIM_LOST`."""
    row = await conn.fetchrow(_CLAIM, CLAIM_LOST)
    return None if row is None else _message(row)


async def was_sent(conn: Conn, message: StoredAlertMessage) -> None:
    await _end(conn, message, "sent", None, timedelta(0))


async def was_not_sent(
    conn: Conn, message: StoredAlertMessage, why: AlertNotSent, pause: timedelta, *, tried_for: timedelta
) -> None:
    """Try it again after a pause; after a day it is given up."""
    await _end(conn, message, "given_up" if tried_for >= _GIVE_UP else "waiting", why, pause)


async def _end(
    conn: Conn, message: StoredAlertMessage, state: str, why: AlertNotSent | None, pause: timedelta
) -> None:
    await conn.execute(
        _OUTCOME,
        message.account_id,
        message.message_id,
        state,
        why.code if why else None,
        str(why) if why else None,
        pause,
        why is not None and why.is_in_doubt,
        message.attempts,
    )


async def unsent(conn: Conn) -> UnsentAlerts:
    row = await conn.fetchrow(
        "SELECT count(*) FILTER (WHERE state <> 'given_up') AS waiting,"
        " count(*) FILTER (WHERE state = 'given_up') AS given_up,"
        " (array_agg(error_code || ': ' || error ORDER BY claimed_at DESC) FILTER (WHERE error IS NOT NULL))[1] AS error"
        " FROM alert_message WHERE state IN ('waiting', 'sending') AND (attempts > 1 OR error IS NOT NULL"
        " OR created_at < now() - interval '5 minutes') OR state = 'given_up' AND created_at > now() - interval '2 days'"
    )
    assert row is not None
    return UnsentAlerts(waiting=row["waiting"], given_up=row["given_up"], error=row["error"] or "")


async def delete_alert_messages_older_than(conn: Conn, at: datetime, *, limit: int) -> int:
    done: str = await conn.execute(
        "DELETE FROM alert_message WHERE (account_id, message_id) IN (SELECT account_id, message_id FROM alert_message"
        " WHERE state IN ('sent', 'given_up') AND created_at < $1 LIMIT $2)",
        at,
        limit,
    )
    return int(done.split()[-1])


def _message(row: asyncpg.Record) -> StoredAlertMessage:
    return StoredAlertMessage(**{name: row[name] for name in StoredAlertMessage.__dataclass_fields__})
