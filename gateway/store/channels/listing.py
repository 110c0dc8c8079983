"""Dialogues and messages as they are listed: only those that somebody may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from gateway.store.channels.messages import ChatMessage, as_message
from routing.dialogues.access import SeenDialogues
from runtime.database.pool import Conn

_LISTED = """
SELECT *, coalesce(last_message_at, created_at) AS latest FROM dialogue
WHERE account_id = $1 AND ($2::text[] IS NULL OR channel_id = ANY($2)) AND ($3::text IS NULL OR owner IS NULL OR owner = $3)
    AND ($4::text IS NULL OR channel_id = $4) AND ($5::bigint IS NULL OR dialogue_id = $5)
    AND ($6::timestamptz IS NULL OR (coalesce(last_message_at, created_at), dialogue_id) < ($6, $7))
ORDER BY coalesce(last_message_at, created_at) DESC, dialogue_id DESC LIMIT $8
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogueFilter:
    """before: (latest message, id) of the last one of the page before."""

    channel_id: str | None = None
    dialogue_id: int | None = None
    before: tuple[datetime, int] | None = None


async def listed_dialogues(
    conn: Conn, account_id: str, seen: SeenDialogues, wanted: DialogueFilter, limit: int
) -> list[asyncpg.Record]:
    """Return rows of dialogues, the latest first, with `latest`."""
    at, id = wanted.before or (None, None)
    rows: list[asyncpg.Record] = await conn.fetch(
        _LISTED,
        account_id,
        None if seen.channels is None else list(seen.channels),
        seen.owner,
        wanted.channel_id,
        wanted.dialogue_id,
        at,
        id,
        limit,
    )
    return rows


async def listed_messages(
    conn: Conn, account_id: str, dialogue_id: int, *, before: int | None, limit: int
) -> list[ChatMessage]:
    """Return messages of a dialogue, the latest first. before: id of the last one of the page before."""
    rows = await conn.fetch(
        "SELECT m.* FROM chat_message m LEFT JOIN chat_message b ON b.account_id = m.account_id AND b.message_id = $3"
        " WHERE m.account_id = $1 AND m.dialogue_id = $2 AND ($3::bigint IS NULL"
        " OR (m.at, m.sequence, m.message_id) < (b.at, b.sequence, b.message_id))"
        " ORDER BY m.at DESC, m.sequence DESC, m.message_id DESC LIMIT $4",
        account_id,
        dialogue_id,
        before,
        limit,
    )
    return [as_message(row) for row in rows]
