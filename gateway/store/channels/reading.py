"""How far somebody has read a dialogue, what is unread by them, and who has it open or types an answer just now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from gateway.store.channels.listing import owned_in
from routing.dialogues.access import SeenDialogues
from runtime.database.pool import Conn

HERE_FOR, TYPES_FOR = timedelta(seconds=50), timedelta(seconds=15)
_MOST_UNREAD = 99

_MARK = """
INSERT INTO dialogue_reader AS r (account_id, dialogue_id, reader, name, read_to)
SELECT $1, $2, $3, $4, coalesce(max(message_id), 0) FROM chat_message WHERE account_id = $1 AND dialogue_id = $2
ON CONFLICT (account_id, dialogue_id, reader) DO UPDATE SET read_to = greatest(r.read_to, excluded.read_to), name = excluded.name
WHERE excluded.read_to > r.read_to
"""

_HERE = """
INSERT INTO dialogue_reader AS r (account_id, dialogue_id, reader, name, here_at, typed_at)
VALUES ($1, $2, $3, $4, $5::timestamptz, CASE WHEN $6 THEN $5::timestamptz END)
ON CONFLICT (account_id, dialogue_id, reader) DO UPDATE
SET here_at = excluded.here_at, name = excluded.name, typed_at = coalesce(excluded.typed_at, r.typed_at)
"""

_UNREAD = """
SELECT d.dialogue_id, (SELECT count(*) FROM (SELECT 1 FROM chat_message m WHERE m.account_id = $1 AND m.dialogue_id = d.dialogue_id
    AND m.direction = 'in' AND m.message_id > coalesce(r.read_to, 0) LIMIT $4) AS newer) AS unread
FROM unnest($3::bigint[]) AS d (dialogue_id)
LEFT JOIN dialogue_reader r ON r.account_id = $1 AND r.dialogue_id = d.dialogue_id AND r.reader = $2
"""

# Among the latest dialogues only: a count beside an entry of the navigation is asked for with every page.
_COUNT = """
SELECT count(*) FROM (
    SELECT account_id, dialogue_id FROM dialogue
    WHERE account_id = $1 AND ($2::text[] IS NULL OR channel_id = ANY($2)) AND (owner IS NULL OR owner = $3 OR channel_id || ' ' || owner <> ALL($4::text[]))
        AND last_in_at IS NOT NULL
    ORDER BY coalesce(last_message_at, created_at) DESC LIMIT 500) AS d
LEFT JOIN dialogue_reader r ON r.account_id = d.account_id AND r.dialogue_id = d.dialogue_id AND r.reader = $3
WHERE EXISTS (SELECT 1 FROM chat_message m WHERE m.account_id = d.account_id AND m.dialogue_id = d.dialogue_id
    AND m.direction = 'in' AND m.message_id > coalesce(r.read_to, 0))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogueReader:
    """id: employee, or @login of somebody who is none."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """Somebody else in a dialogue. types: an answer, just now."""

    name: str
    types: bool


async def mark_read(conn: Conn, account_id: str, dialogue_id: int, reader: DialogueReader) -> None:
    """Note that all that is there now has been seen."""
    await conn.execute(_MARK, account_id, dialogue_id, reader.id, reader.name)


async def be_here(
    conn: Conn, account_id: str, dialogue_id: int, reader: DialogueReader, now: datetime, *, types: bool
) -> None:
    await conn.execute(_HERE, account_id, dialogue_id, reader.id, reader.name, now, types)


async def dialogue_read_by(
    conn: Conn, account_id: str, dialogue_id: int, reader_id: str
) -> asyncpg.Record | None:
    """Return the row of a dialogue that this reader has once opened, whether they may still see it or not."""
    return await conn.fetchrow(
        "SELECT d.* FROM dialogue d JOIN dialogue_reader r USING (account_id, dialogue_id)"
        " WHERE d.account_id = $1 AND d.dialogue_id = $2 AND r.reader = $3",
        account_id,
        dialogue_id,
        reader_id,
    )


async def stop_typing(conn: Conn, account_id: str, dialogue_id: int, reader_id: str) -> None:
    """Note that what they typed was sent."""
    await conn.execute(
        "UPDATE dialogue_reader SET typed_at = NULL WHERE account_id = $1 AND dialogue_id = $2 AND reader = $3"
        " AND typed_at IS NOT NULL",
        account_id,
        dialogue_id,
        reader_id,
    )


async def others_answering(
    conn: Conn, account_id: str, dialogue_id: int, reader_id: str, now: datetime
) -> list[Answering]:
    """Return who else has it open, those who type first."""
    rows = await conn.fetch(
        "SELECT name, coalesce(typed_at > $5, false) AS types FROM dialogue_reader"
        " WHERE account_id = $1 AND dialogue_id = $2 AND reader <> $3 AND here_at > $4 ORDER BY types DESC, name LIMIT 5",
        account_id,
        dialogue_id,
        reader_id,
        now - HERE_FOR,
        now - TYPES_FOR,
    )
    return [Answering(name=row["name"], types=row["types"]) for row in rows]


async def unread_in(conn: Conn, account_id: str, reader_id: str, dialogues: Sequence[int]) -> dict[int, int]:
    """Return how many messages of clients this reader has not seen in each of these, 99 at most."""
    rows = await conn.fetch(_UNREAD, account_id, reader_id, list(dialogues), _MOST_UNREAD)
    return {row["dialogue_id"]: row["unread"] for row in rows}


async def unread_dialogues(conn: Conn, account_id: str, seen: SeenDialogues, reader_id: str) -> int:
    """Return how many dialogues of this reader's own, and of nobody's, have something unread, among the latest that they see."""
    channels = None if seen.channels is None else list(seen.channels)
    found: int = await conn.fetchval(_COUNT, account_id, channels, reader_id, owned_in(seen))
    return found
