"""Messages on their way out of a channel, as rows: accepted once by their key, claimed before they are sent."""

from __future__ import annotations

from datetime import datetime

import asyncpg

from gateway.store.channels.copies import pass_copy_on
from gateway.store.channels.dialogues import Dialogue
from gateway.store.channels.messages import ChatMessage, as_message
from runtime.database.pool import Conn
from sms.channels.model import MessageStatus, PartTold
from sms.channels.stored import parts_as_json

_ADD = """
WITH added AS (
    INSERT INTO chat_message (account_id, channel_id, dialogue_id, own_key, direction, author_kind, author_name, employee_id, at,
        arrived_at, parts, quoted_id, status, deal, try_at)
    VALUES ($1, $2, $3, $4, 'out', $5, $6, $7, $8, $8, $9, $10, 'waiting', $11, $8)
    ON CONFLICT (account_id, own_key) DO NOTHING RETURNING *
), latest AS (
    UPDATE dialogue d SET last_message_at = greatest(d.last_message_at, added.at) FROM added
    WHERE d.account_id = added.account_id AND d.dialogue_id = added.dialogue_id
) SELECT * FROM added
"""

# One at a time in each chat, in the order in which they were written: none overtakes the one before it.
_CLAIM = """
UPDATE chat_message SET status = 'sending', claimed_at = $2, try_at = NULL
WHERE (account_id, message_id) = (
    SELECT m.account_id, m.message_id FROM chat_message m
    WHERE m.channel_id = $1 AND m.status = 'waiting' AND m.try_at <= $2 AND NOT EXISTS (
        SELECT 1 FROM chat_message e WHERE e.account_id = m.account_id AND e.dialogue_id = m.dialogue_id
        AND e.status IN ('waiting', 'sending') AND e.message_id < m.message_id)
    ORDER BY m.try_at, m.message_id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING *
"""


# What was told of ours under an id that turns out to be another's: then nobody knows of the first one again.
_NOT_ITS = """
UPDATE chat_message SET outside_id = NULL, status = 'unknown' WHERE channel_id = $1 AND outside_id = $2 AND message_id <> $3
    AND own_key IS NOT NULL
"""

_NAMELESS = """
SELECT * FROM chat_message WHERE account_id = $1 AND dialogue_id = $2 AND own_key IS NOT NULL AND outside_id IS NULL
    AND status IN ('sent', 'unknown') AND claimed_at BETWEEN $4::timestamptz - interval '10 minutes' AND $4::timestamptz + interval '1 minute'
    AND jsonb_array_length(parts) = 1 AND btrim(parts->0->>'text', E' \\n\\r\\t') = $3
ORDER BY claimed_at, message_id LIMIT 1 FOR UPDATE
"""

_ECHO_ALIKE = """
SELECT message_id, outside_id, status FROM chat_message WHERE account_id = $1 AND dialogue_id = $2 AND own_key IS NULL
    AND direction = 'out' AND arrived_at >= $4 AND jsonb_array_length(parts) = 1
    AND btrim(parts->0->>'text', E' \\n\\r\\t') = $3
ORDER BY arrived_at, message_id LIMIT 1 FOR UPDATE
"""

# What stands of the echo among the CRM's chats is our message there; of two that stand there both do.
_NOT_SHOWN = """
DELETE FROM crm_chat_message o WHERE o.account_id = $1 AND o.message_id = $3 AND o.state = 'new' AND EXISTS
    (SELECT 1 FROM crm_chat_message e WHERE e.account_id = $1 AND e.message_id = $2 AND e.state <> 'new')
"""
_SHOWN_ALREADY = """
UPDATE crm_chat_message e SET message_id = $3, is_pending = true, noted = noted + 1
WHERE e.account_id = $1 AND e.message_id = $2 AND e.state <> 'new'
    AND NOT EXISTS (SELECT 1 FROM crm_chat_message o WHERE o.account_id = $1 AND o.message_id = $3)
"""


async def message_of_key(conn: Conn, account_id: str, own_key: str) -> ChatMessage | None:
    row = await conn.fetchrow(
        "SELECT * FROM chat_message WHERE account_id = $1 AND own_key = $2", account_id, own_key
    )
    return as_message(row) if row else None


async def add_outgoing(
    conn: Conn,
    of: Dialogue,
    *,
    own_key: str,
    part: PartTold,
    author_kind: str,
    author_name: str,
    employee_id: str | None,
    quoted_id: str,
    now: datetime,
) -> ChatMessage | None:
    """None: there is one of this key already."""
    row = await conn.fetchrow(
        _ADD,
        of.account_id,
        of.channel_id,
        of.dialogue_id,
        own_key,
        author_kind,
        author_name,
        employee_id,
        now,
        parts_as_json((part,)),
        quoted_id,
        of.deal.model_dump(mode="json") if of.deal else None,
    )
    return as_message(row) if row else None


async def claim_outgoing(conn: Conn, channel_id: str, now: datetime) -> ChatMessage | None:
    """Return the next message, as being sent; commit before it is."""
    row = await conn.fetchrow(_CLAIM, channel_id, now)
    return as_message(row) if row else None


async def left_in_flight(
    conn: Conn, channel_id: str, claimed_before: datetime, but_not: list[int]
) -> list[ChatMessage]:
    """Return what somebody began to send, and did not end."""
    rows = await conn.fetch(
        "SELECT * FROM chat_message WHERE channel_id = $1 AND status = 'sending' AND claimed_at < $2"
        " AND NOT message_id = ANY($3)",
        channel_id,
        claimed_before,
        but_not,
    )
    return [as_message(row) for row in rows]


async def unknown_since(conn: Conn, channel_id: str, since: datetime) -> list[ChatMessage]:
    """Return those of which nobody knows whether they were sent."""
    rows = await conn.fetch(
        "SELECT * FROM chat_message WHERE channel_id = $1 AND status = 'unknown' AND own_key IS NOT NULL"
        " AND claimed_at > $2 ORDER BY message_id LIMIT 50",
        channel_id,
        since,
    )
    return [as_message(row) for row in rows]


async def put_back(conn: Conn, message: ChatMessage, at: datetime, *, whole_chat: bool = False) -> None:
    """Have a message that was certainly not sent tried again at that time. whole_chat: nothing of its chat goes out before."""
    await conn.execute(
        "UPDATE chat_message SET status = 'waiting', try_at = $3, claimed_at = NULL"
        " WHERE account_id = $1 AND message_id = $2 AND status = 'sending'",
        message.account_id,
        message.message_id,
        at,
    )
    if whole_chat:
        await conn.execute(
            "UPDATE chat_message SET try_at = greatest(try_at, $3)"
            " WHERE account_id = $1 AND dialogue_id = $2 AND status = 'waiting'",
            message.account_id,
            message.dialogue_id,
            at,
        )


async def take_in_echo(conn: Conn, message: ChatMessage, outside_id: str) -> MessageStatus | None:
    """Remove the vendor's word of this message that was stored as another one before its answer told the id. Its status."""
    if not outside_id:
        return None
    await conn.execute(_NOT_ITS, message.channel_id, outside_id, message.message_id)
    echo = await conn.fetchrow(
        "SELECT message_id, outside_id, status FROM chat_message WHERE channel_id = $1 AND outside_id = $2 AND message_id <> $3"
        " FOR UPDATE",
        message.channel_id,
        outside_id,
        message.message_id,
    )
    return (await _absorbed(conn, message, echo))[1] if echo else None


async def take_in_nameless_echo(conn: Conn, message: ChatMessage) -> tuple[str, MessageStatus] | None:
    """Remove the vendor's word of this message that was stored as another one, where no answer tells an id: the same was written
    in the same chat since it was written, and nobody of ours wrote it. Its id and status."""
    echo = await conn.fetchrow(
        _ECHO_ALIKE, message.account_id, message.dialogue_id, _text(message), message.arrived_at
    )
    return await _absorbed(conn, message, echo) if echo else None


async def nameless_message(conn: Conn, of: Dialogue, text: str, told_at: datetime) -> ChatMessage | None:
    """Return the message of ours with this text whose id nobody has told, locked; of several the one that went out first."""
    if not text.strip():
        return None
    row = await conn.fetchrow(_NAMELESS, of.account_id, of.dialogue_id, text.strip(), told_at)
    return as_message(row) if row else None


async def _absorbed(conn: Conn, message: ChatMessage, echo: asyncpg.Record) -> tuple[str, MessageStatus]:
    await pass_copy_on(conn, message.account_id, echo["message_id"], message.message_id)
    for passing_on in (_NOT_SHOWN, _SHOWN_ALREADY):
        await conn.execute(passing_on, message.account_id, echo["message_id"], message.message_id)
    await conn.execute(
        "DELETE FROM chat_message WHERE account_id = $1 AND message_id = $2",
        message.account_id,
        echo["message_id"],
    )
    return echo["outside_id"], MessageStatus(echo["status"])


def _text(message: ChatMessage) -> str:
    return "\n".join(part.text for part in message.parts).strip()
