"""Messages of dialogues as rows: told by a vendor or sent by us, with what they said before they were edited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from gateway.store.channels.dialogues import Dialogue
from runtime.database.pool import Conn
from sms.channels.model import MessageStatus, MessageTold, PartTold, later_status
from sms.channels.stored import parts_as_json, parts_of

_INSERT = """
INSERT INTO chat_message (account_id, channel_id, dialogue_id, outside_id, own_key, direction, author_kind, author_id,
    author_name, employee_id, at, sequence, arrived_at, parts, edited_at, edit_sequence, quoted_id, quoted_text, album_id,
    status, deal)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21) RETURNING *
"""

_LATEST = """
UPDATE dialogue SET last_message_at = greatest(last_message_at, $3),
    last_in_at = CASE WHEN $4 THEN greatest(last_in_at, $3) ELSE last_in_at END
WHERE account_id = $1 AND dialogue_id = $2
"""

# The first form that is known is an edit: it came before what it edits.
_KEEP_ORIGINAL = """
WITH first AS (
    SELECT parts, edited_at FROM chat_message WHERE account_id = $1 AND message_id = $2 AND revision = 0
    UNION ALL SELECT parts, edited_at FROM chat_revision WHERE account_id = $1 AND message_id = $2 AND revision = 0
), moved AS (
    UPDATE chat_message SET at = $4, sequence = $5 WHERE account_id = $1 AND message_id = $2
      AND EXISTS (SELECT FROM first WHERE edited_at IS NOT NULL)
)
INSERT INTO chat_revision (account_id, message_id, revision, parts)
SELECT $1, $2, -1, $3 FROM first WHERE edited_at IS NOT NULL AND parts <> $3 ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """As stored; deal: JSON of a Ref."""

    account_id: str
    message_id: int
    channel_id: str
    dialogue_id: int
    outside_id: str | None
    own_key: str | None
    direction: str
    author_kind: str
    author_id: str
    author_name: str
    employee_id: str | None
    at: datetime
    sequence: int
    arrived_at: datetime
    parts: tuple[PartTold, ...]
    revision: int
    edited_at: datetime | None
    edit_sequence: int
    quoted_id: str
    quoted_text: str
    album_id: str
    deleted_at: datetime | None
    status: MessageStatus
    reason: str
    words: str
    deal: Mapping[str, Any] | None
    try_at: datetime | None
    claimed_at: datetime | None


async def message_known_as(conn: Conn, *channels: str, id: str = "", own_key: str = "") -> ChatMessage | None:
    """Return the message of this id of the vendor, else of this key of ours, in one of these channels; locked."""
    row = await conn.fetchrow(
        "SELECT * FROM chat_message WHERE channel_id = ANY($1) AND (outside_id = nullif($2, '') OR own_key = nullif($3, ''))"
        " ORDER BY outside_id IS NULL LIMIT 1 FOR UPDATE",
        channels,
        id,
        own_key,
    )
    return as_message(row) if row else None


async def add_told(
    conn: Conn,
    of: Dialogue,
    told: MessageTold,
    *,
    at: datetime,
    arrived_at: datetime,
    employee_id: str | None,
) -> ChatMessage:
    """Add a message that a vendor told."""
    is_in = told.direction == "in"
    status = told.status or (MessageStatus.DELIVERED if is_in else MessageStatus.SENT)
    row = await conn.fetchrow(
        _INSERT,
        of.account_id,
        of.channel_id,
        of.dialogue_id,
        told.id,
        None,
        told.direction,
        told.author.kind,
        told.author.id,
        told.author.name,
        employee_id,
        at,
        told.sequence,
        arrived_at,
        parts_as_json(told.parts),
        told.edit.at if told.edit else None,
        told.edit.sequence if told.edit else 0,
        told.quoted_id,
        told.quoted_text,
        told.album_id,
        status,
        of.deal.model_dump(mode="json") if of.deal else None,
    )
    await conn.execute(_LATEST, of.account_id, of.dialogue_id, at, is_in)
    assert row is not None
    return as_message(row)


async def revise(conn: Conn, known: ChatMessage, told: MessageTold) -> bool:
    """Give a message the parts of an edit, and keep the former ones. False: it says the same, or is older than what is known."""
    edit = told.edit
    assert edit is not None
    mine, theirs = (known.edited_at, known.edit_sequence), (edit.at, edit.sequence)
    if known.parts == told.parts or _is_older(theirs, mine):
        return False
    await conn.execute(
        "INSERT INTO chat_revision (account_id, message_id, revision, parts, edited_at)"
        " SELECT account_id, message_id, revision, parts, edited_at FROM chat_message WHERE account_id = $1 AND message_id = $2",
        known.account_id,
        known.message_id,
    )
    await conn.execute(
        "UPDATE chat_message SET parts = $3, revision = revision + 1, edited_at = $4, edit_sequence = $5"
        " WHERE account_id = $1 AND message_id = $2",
        known.account_id,
        known.message_id,
        parts_as_json(told.parts),
        edit.at,
        edit.sequence,
    )
    return True


async def keep_original(conn: Conn, known: ChatMessage, told: MessageTold, at: datetime) -> None:
    """Add what a message said first and when, where edits of it, however many, came before it did; else nothing changes."""
    await conn.execute(
        _KEEP_ORIGINAL, known.account_id, known.message_id, parts_as_json(told.parts), at, told.sequence
    )


async def mark_deleted(conn: Conn, known: ChatMessage, at: datetime) -> None:
    """Note when it was taken back; the text stays: who may see it is decided where it is shown."""
    await conn.execute(
        "UPDATE chat_message SET deleted_at = coalesce(deleted_at, $3) WHERE account_id = $1 AND message_id = $2",
        known.account_id,
        known.message_id,
        at,
    )


async def raise_status(
    conn: Conn,
    known: ChatMessage,
    status: MessageStatus,
    *,
    outside_id: str | None = None,
    reason: str = "",
    words: str = "",
    try_at: datetime | None = None,
) -> MessageStatus:
    """Give a message a later status, never an earlier one, and its id where that is new. Which it has then."""
    holds = later_status(known.status, status)
    is_told = holds is status
    await conn.execute(
        "UPDATE chat_message SET status = $3, outside_id = coalesce(outside_id, $4), reason = $5, words = $6, try_at = $7"
        " WHERE account_id = $1 AND message_id = $2",
        known.account_id,
        known.message_id,
        holds,
        outside_id or None,
        reason if is_told else known.reason,
        words[:500] if is_told else known.words,
        try_at,
    )
    return holds


def as_message(row: asyncpg.Record | Mapping[str, Any]) -> ChatMessage:
    fields: dict[str, Any] = dict(row)
    fields["parts"] = parts_of(row["parts"])
    fields["status"] = MessageStatus(row["status"])
    return ChatMessage(**fields)


def _is_older(theirs: tuple[datetime | None, int], mine: tuple[datetime | None, int]) -> bool:
    """Whether an edit is older than the one that is known; one that says no time is taken as it comes."""
    if theirs[0] is not None and mine[0] is not None and theirs[0] != mine[0]:
        return theirs[0] < mine[0]
    return bool(theirs[1] and mine[1] and theirs[1] < mine[1])
