"""Dialogues that we begin, as rows: under the client's number until the messenger tells in which chat it is."""

from __future__ import annotations

from gateway.store.channels.dialogues import Dialogue, as_dialogue, number_of_chat
from runtime.database.pool import Conn

_WITH = """
SELECT * FROM dialogue WHERE channel_id = $1 AND kind = 'private' AND (chat_id = nullif($2, '') OR number = nullif($3, ''))
ORDER BY last_in_at DESC NULLS LAST, dialogue_id LIMIT 1 FOR UPDATE
"""

# The chat had a dialogue already: it told of something before we heard where our message went.
_JOIN = """
WITH moved AS (
    UPDATE chat_message SET dialogue_id = $3 WHERE account_id = $1 AND dialogue_id = $2
), copied AS (
    UPDATE chat_copy SET dialogue_id = $3 WHERE account_id = $1 AND dialogue_id = $2
) UPDATE dialogue t SET number = coalesce(t.number, f.number), contact = coalesce(t.contact, f.contact),
    deal = coalesce(t.deal, f.deal), owner = coalesce(t.owner, f.owner), owner_at = coalesce(t.owner_at, f.owner_at),
    owner_how = CASE WHEN t.owner IS NULL THEN f.owner_how ELSE t.owner_how END,
    last_message_at = greatest(t.last_message_at, f.last_message_at)
FROM dialogue f WHERE t.account_id = $1 AND t.dialogue_id = $3 AND f.account_id = $1 AND f.dialogue_id = $2
"""


async def dialogue_with(conn: Conn, channel_id: str, *, number: str = "", chat: str = "") -> Dialogue | None:
    """Return the dialogue with this number or in this chat, locked; of several the one in which the client wrote last."""
    row = await conn.fetchrow(_WITH, channel_id, chat, number)
    return as_dialogue(row) if row else None


async def chat_is_known(conn: Conn, of: Dialogue, chat_id: str) -> int:
    """Give a dialogue that we began the chat in which it turned out to be; return which dialogue it is from now on."""
    if not number_of_chat(of.chat_id) or chat_id in ("", of.chat_id):
        return of.dialogue_id
    there: int | None = await conn.fetchval(
        "SELECT dialogue_id FROM dialogue WHERE channel_id = $1 AND chat_id = $2 FOR UPDATE",
        of.channel_id,
        chat_id,
    )
    if there is None:
        await conn.execute(
            "UPDATE dialogue SET chat_id = $3 WHERE account_id = $1 AND dialogue_id = $2",
            of.account_id,
            of.dialogue_id,
            chat_id,
        )
        return of.dialogue_id
    await conn.execute(_JOIN, of.account_id, of.dialogue_id, there)
    await conn.execute(
        "DELETE FROM dialogue WHERE account_id = $1 AND dialogue_id = $2", of.account_id, of.dialogue_id
    )
    return there
