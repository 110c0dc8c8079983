"""Dialogues as rows: one for each chat of a channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from routing.client import Ref
from runtime.database.pool import Conn
from sms.channels.model import ChatTold

_TO_NUMBER = "number:"

_BEGIN = """
INSERT INTO dialogue (account_id, channel_id, chat_id, kind, client_key, number, name, username, way)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (channel_id, chat_id) DO NOTHING
"""

# What is told empty says nothing: some updates of a chat carry less of it than others.
_TOLD = """
UPDATE dialogue SET name = coalesce(nullif($3, ''), name), username = coalesce(nullif($4, ''), username),
    way = coalesce(nullif($5, ''), way), number = coalesce(number, $6)
WHERE account_id = $1 AND dialogue_id = $2 RETURNING *
"""

_IDS = """
SELECT effect_key, crm_id, crm_extra->>'kind' AS kind FROM effect
WHERE account_id = $1 AND effect_key = ANY($2) AND state = 'done' AND crm_id IS NOT NULL
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """client_key: E.164 or chat:<channel>:<chat>, fixed when it began. contact, deal: by id or by the effect that will make them."""

    account_id: str
    dialogue_id: int
    channel_id: str
    chat_id: str
    kind: str
    client_key: str
    number: str | None
    name: str
    username: str
    way: str
    contact: Ref | None
    deal: Ref | None
    place_reason: str
    place_steps: Any
    place_at: datetime | None
    owner: str | None
    owner_how: str
    owner_at: datetime | None
    can_write: bool
    last_message_at: datetime | None
    last_in_at: datetime | None
    created_at: datetime


def chat_of_number(number: str) -> str:
    """Return under which id a dialogue stands that we began with a number, until the messenger tells its chat."""
    return f"{_TO_NUMBER}{number}"


def number_of_chat(chat_id: str) -> str:
    """Return the number of one whose chat is not told yet, else ""."""
    return chat_id.removeprefix(_TO_NUMBER) if chat_id.startswith(_TO_NUMBER) else ""


async def dialogue_of_chat(
    conn: Conn, account_id: str, channel_id: str, chat: ChatTold, client_key: str
) -> Dialogue:
    """Return the dialogue of this chat with what is new of it, begun where there was none. client_key: of one that begins."""
    known_as = chat.moved_from or (chat_of_number(chat.phone) if chat.phone else "")
    if known_as:
        await conn.execute(
            "UPDATE dialogue SET chat_id = $3 WHERE channel_id = $1 AND chat_id = $2 AND NOT EXISTS"
            " (SELECT 1 FROM dialogue WHERE channel_id = $1 AND chat_id = $3)",
            channel_id,
            known_as,
            chat.id,
        )
    known = await _row_of_chat(conn, channel_id, chat.id)
    if known is None:
        await conn.execute(
            _BEGIN,
            account_id,
            channel_id,
            chat.id,
            chat.kind,
            client_key,
            chat.phone or None,
            chat.name,
            chat.username,
            chat.way,
        )
        known = await _row_of_chat(conn, channel_id, chat.id)
        assert known is not None
        return as_dialogue(known)
    told = await conn.fetchrow(
        _TOLD, account_id, known["dialogue_id"], chat.name, chat.username, chat.way, chat.phone or None
    )
    assert told is not None
    return as_dialogue(told)


async def dialogue(conn: Conn, account_id: str, dialogue_id: int) -> Dialogue | None:
    """Return it locked: nobody else changes it before the transaction ends."""
    row = await conn.fetchrow(
        "SELECT * FROM dialogue WHERE account_id = $1 AND dialogue_id = $2 FOR UPDATE",
        account_id,
        dialogue_id,
    )
    return as_dialogue(row) if row else None


async def client_of_dialogue(conn: Conn, account_id: str, dialogue_id: int) -> str | None:
    """Return under which name the client's lock is taken; it never changes."""
    client: str | None = await conn.fetchval(
        "SELECT client_key FROM dialogue WHERE account_id = $1 AND dialogue_id = $2", account_id, dialogue_id
    )
    return client


async def set_can_write(conn: Conn, of: Dialogue, can_write: bool) -> None:
    await conn.execute(
        "UPDATE dialogue SET can_write = $3 WHERE account_id = $1 AND dialogue_id = $2",
        of.account_id,
        of.dialogue_id,
        can_write,
    )


async def set_place(conn: Conn, placed: Dialogue) -> None:
    """Keep which contact and deal it belongs to from now on, and why."""
    await conn.execute(
        "UPDATE dialogue SET contact = $3, deal = $4, place_reason = $5, place_steps = $6, place_at = $7"
        " WHERE account_id = $1 AND dialogue_id = $2",
        placed.account_id,
        placed.dialogue_id,
        placed.contact.model_dump(mode="json") if placed.contact else None,
        placed.deal.model_dump(mode="json") if placed.deal else None,
        placed.place_reason,
        placed.place_steps,
        placed.place_at,
    )


async def take_ownership(conn: Conn, of: Dialogue, employee_id: str | None, how: str, at: datetime) -> bool:
    """Make it this employee's, None = nobody's, if it still is whose it was when `of` was read. Whether it was."""
    done: str = await conn.execute(
        "UPDATE dialogue SET owner = $3, owner_how = $4, owner_at = $5"
        " WHERE account_id = $1 AND dialogue_id = $2 AND owner IS NOT DISTINCT FROM $6",
        of.account_id,
        of.dialogue_id,
        employee_id,
        how,
        at,
        of.owner,
    )
    return done != "UPDATE 0"


async def ids_of_effects(conn: Conn, account_id: str, refs: Sequence[Ref | None]) -> dict[str, Ref]:
    """Return by their key what effects have made meanwhile."""
    keys = [ref.effect for ref in refs if ref is not None and ref.effect]
    rows = await conn.fetch(_IDS, account_id, keys) if keys else []
    kinds = {ref.effect: ref.kind for ref in refs if ref is not None and ref.effect}
    return {r["effect_key"]: Ref(kind=r["kind"] or kinds[r["effect_key"]], id=r["crm_id"]) for r in rows}


async def other_names_of(conn: Conn, account_id: str, number: str) -> list[str]:
    """Return under which other names work is done for whoever has this number: their chats began before it was told."""
    rows = await conn.fetch(
        "SELECT DISTINCT client_key FROM dialogue WHERE account_id = $1 AND number = $2 AND client_key <> $2",
        account_id,
        number,
    )
    return [row["client_key"] for row in rows]


async def forget_dialogues(conn: Conn, account_id: str, number: str) -> None:
    """Remove what was written with whoever has this number, and what was told of it."""
    await conn.execute(
        "DELETE FROM channel_update WHERE account_id = $1 AND (client_key = $2 OR client_key IN"
        " (SELECT client_key FROM dialogue WHERE account_id = $1 AND number = $2))",
        account_id,
        number,
    )
    await conn.execute(
        "DELETE FROM dialogue WHERE account_id = $1 AND (client_key = $2 OR number = $2)", account_id, number
    )


async def forget_chat_of(conn: Conn, account_id: str, client_key: str) -> None:
    """Remove what was written with a client who is known by their chat only, and what was told of it."""
    for table in ("channel_update", "dialogue"):
        await conn.execute(
            f"DELETE FROM {table} WHERE account_id = $1 AND client_key = $2",  # noqa: S608 - of ours
            account_id,
            client_key,
        )


async def count_of_channel(conn: Conn, account_id: str, channel_id: str) -> tuple[int, int]:
    """How many dialogues and messages would go with a channel."""
    row = await conn.fetchrow(
        "SELECT (SELECT count(*) FROM dialogue WHERE account_id = $1 AND channel_id = $2) AS dialogues,"
        " (SELECT count(*) FROM chat_message WHERE account_id = $1 AND channel_id = $2) AS messages",
        account_id,
        channel_id,
    )
    assert row is not None
    return row["dialogues"], row["messages"]


async def _row_of_chat(conn: Conn, channel_id: str, chat_id: str) -> asyncpg.Record | None:
    return await conn.fetchrow(
        "SELECT * FROM dialogue WHERE channel_id = $1 AND chat_id = $2 FOR UPDATE", channel_id, chat_id
    )


def as_dialogue(row: asyncpg.Record) -> Dialogue:
    fields: dict[str, Any] = dict(row)
    for place in ("contact", "deal"):
        fields[place] = Ref.model_validate(row[place]) if row[place] else None
    return Dialogue(**fields)
