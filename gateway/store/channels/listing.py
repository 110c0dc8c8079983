"""Dialogues and messages as they are listed: only those that somebody may see."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from unicodedata import normalize

import asyncpg

from gateway.store.channels.messages import ChatMessage, as_message
from routing.dialogues.access import SeenDialogues
from runtime.database.pool import Conn
from sms.channels.model import PartTold
from sms.channels.stored import parts_of

# $16: channels and their owners; a dialogue of anybody else is nobody's, as routing.dialogues.access.is_nobodys has it.
_LISTED = """
SELECT *, coalesce(last_message_at, created_at) AS latest FROM dialogue d
WHERE account_id = $1 AND ($2::text[] IS NULL OR channel_id = ANY($2)) AND ($3::text IS NULL OR owner IS NULL OR owner = $3
        OR channel_id || ' ' || owner <> ALL($16::text[]))
    AND ($4::text IS NULL OR channel_id = $4) AND ($5::bigint IS NULL OR dialogue_id = $5)
    AND ($6::timestamptz IS NULL OR (coalesce(last_message_at, created_at), dialogue_id) < ($6, $7))
    AND ($9::text IS NULL OR owner = $9) AND (NOT $10 OR owner IS NULL OR channel_id || ' ' || owner <> ALL($16::text[]))
    AND ($11::text IS NULL OR EXISTS (SELECT 1 FROM chat_message m WHERE m.account_id = d.account_id
        AND m.dialogue_id = d.dialogue_id AND m.direction = 'in' AND m.message_id > coalesce((SELECT read_to
        FROM dialogue_reader r WHERE r.account_id = d.account_id AND r.dialogue_id = d.dialogue_id AND r.reader = $11), 0)))
    AND ($12::text IS NULL OR strpos(callmatrix_folded(name), $12) > 0 OR strpos(callmatrix_folded(username), $12) > 0
        OR ($13 <> '' AND strpos(number, $13) > 0) OR ($14 <> '' AND dialogue_id IN (SELECT w.dialogue_id
        FROM chat_message w WHERE w.account_id = $1 AND callmatrix_chat_words(w.parts) @@ to_tsquery('simple', $14))))
    AND ($15::text[] IS NULL OR number = ANY($15))
ORDER BY coalesce(last_message_at, created_at) DESC, dialogue_id DESC LIMIT $8
"""

_LAST = """
SELECT m.* FROM unnest($2::bigint[]) AS d (dialogue_id) CROSS JOIN LATERAL (SELECT * FROM chat_message m
    WHERE m.account_id = $1 AND m.dialogue_id = d.dialogue_id ORDER BY at DESC, sequence DESC, message_id DESC LIMIT 1) AS m
"""

_FEWEST_DIGITS = 3


# Cyrillic io is ie, the last sigma of a word is one, and a sharp s is two.
_SAME_LETTERS: dict[int, int | str] = {0x451: 0x435, 0x3C2: 0x3C3, 0xDF: "ss"}


def _folded(text: str) -> str:
    return text.replace(chr(0x130), "i").lower().translate(_SAME_LETTERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class SoughtText:
    """What somebody typed to find a dialogue: part of the client's name or number, or beginnings of words of one message."""

    typed: str

    @property
    def folded(self) -> str:
        """As callmatrix_folded of the database has it."""
        return _folded(re.sub(r"[^\w\s+@().'-]", " ", normalize("NFC", self.typed)).strip())

    @property
    def digits(self) -> str:
        """Of a number, without what differs between its spellings; "" = it is none."""
        digits = "".join(filter(str.isdigit, self.typed))
        is_number = len(digits) >= _FEWEST_DIGITS and not re.search(r"[^\d\s()+.-]", self.typed)
        return digits[-10:] if is_number else ""

    @property
    def words(self) -> str:
        """As a database's search takes them."""
        return " & ".join(f"'{word}':*" for word in re.findall(r"[^\W_]+", self.folded))


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogueFilter:
    """before: (latest message, id) of the last one of the page before. owner: only theirs. unread_by: only those in which this reader
    has not seen all. numbers: of clients."""

    channel_id: str | None = None
    dialogue_id: int | None = None
    before: tuple[datetime, int] | None = None
    owner: str | None = None
    is_without_owner: bool = False
    unread_by: str | None = None
    sought: SoughtText | None = None
    numbers: tuple[str, ...] | None = None


async def listed_dialogues(
    conn: Conn, account_id: str, seen: SeenDialogues, wanted: DialogueFilter, limit: int
) -> list[asyncpg.Record]:
    """Return rows of dialogues, the latest first, with `latest`."""
    at, id = wanted.before or (None, None)
    sought = wanted.sought if wanted.sought and wanted.sought.folded else None
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
        wanted.owner,
        wanted.is_without_owner,
        wanted.unread_by,
        sought.folded if sought else None,
        sought.digits if sought else "",
        sought.words if sought else "",
        None if wanted.numbers is None else list(wanted.numbers),
        owned_in(seen),
    )
    return rows


def owned_in(seen: SeenDialogues) -> list[str] | None:
    """Return channels and their owners as one array, of those that are seen; None: anybody owns."""
    if seen.owners is None:
        return None
    shown = {c: who for c, who in seen.owners.items() if seen.channels is None or c in seen.channels}
    return [f"{channel} {owner}" for channel, owners in shown.items() for owner in owners]


async def last_messages(conn: Conn, account_id: str, dialogues: Sequence[int]) -> dict[int, ChatMessage]:
    """Return the latest message of each of these."""
    rows = await conn.fetch(_LAST, account_id, list(dialogues))
    return {row["dialogue_id"]: as_message(row) for row in rows}


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


async def message_in(conn: Conn, account_id: str, dialogue_id: int, message_id: int) -> ChatMessage | None:
    row = await conn.fetchrow(
        "SELECT * FROM chat_message WHERE account_id = $1 AND dialogue_id = $2 AND message_id = $3",
        account_id,
        dialogue_id,
        message_id,
    )
    return as_message(row) if row else None


async def quoted_messages(
    conn: Conn, account_id: str, messages: Sequence[ChatMessage]
) -> dict[tuple[int, str], ChatMessage]:
    """Return by dialogue and the vendor's id those that these answer, as far as they stand in the same dialogue: whoever may see
    one need not be allowed to see another."""
    asked = {(m.dialogue_id, m.quoted_id) for m in messages if m.quoted_id}
    if not asked:
        return {}
    rows = await conn.fetch(
        "SELECT * FROM chat_message WHERE account_id = $1 AND (dialogue_id, outside_id) IN"
        " (SELECT * FROM unnest($2::bigint[], $3::text[]))",
        account_id,
        [id for id, _ in asked],
        [quoted for _, quoted in asked],
    )
    return {(row["dialogue_id"], row["outside_id"]): as_message(row) for row in rows}


async def former_parts(
    conn: Conn, account_id: str, messages: Sequence[int]
) -> dict[int, list[tuple[PartTold, ...]]]:
    """Return what these messages said before they were edited, the oldest first."""
    rows = await conn.fetch(
        "SELECT message_id, parts FROM chat_revision WHERE account_id = $1 AND message_id = ANY($2)"
        " ORDER BY message_id, revision",
        account_id,
        list(messages),
    )
    found: dict[int, list[tuple[PartTold, ...]]] = {}
    for row in rows:
        found.setdefault(row["message_id"], []).append(parts_of(row["parts"]))
    return found
