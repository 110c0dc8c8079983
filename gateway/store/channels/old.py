"""Messages of messengers when their days are over: first what was said, then the dialogue that nothing is left of."""

from __future__ import annotations

from datetime import datetime

from runtime.database.pool import Conn


async def delete_chat_messages(conn: Conn, *, account_id: str, before: datetime, limit: int) -> int:
    """Delete messages with their former texts, but for those that wait to be sent."""
    done: str = await conn.execute(
        "DELETE FROM chat_message WHERE (account_id, message_id) IN (SELECT account_id, message_id FROM chat_message"
        " WHERE account_id = $1 AND arrived_at < $2 AND status NOT IN ('waiting', 'sending') LIMIT $3)",
        account_id,
        before,
        limit,
    )
    return int(done.split()[-1])


async def delete_empty_copies(conn: Conn, *, account_id: str, before: datetime, limit: int) -> int:
    """Delete what was known of notes in the CRM of which no message is kept any more; the notes stay."""
    done: str = await conn.execute(
        "DELETE FROM chat_copy WHERE (account_id, copy_id) IN (SELECT k.account_id, k.copy_id FROM chat_copy k"
        " WHERE k.account_id = $1 AND k.ends_at < $2 AND NOT EXISTS (SELECT 1 FROM chat_copy_message c"
        " WHERE c.account_id = k.account_id AND c.copy_id = k.copy_id) LIMIT $3)",
        account_id,
        before,
        limit,
    )
    return int(done.split()[-1])


async def delete_empty_dialogues(conn: Conn, *, account_id: str, before: datetime, limit: int) -> int:
    """Delete dialogues without a message; a client who writes again begins a new one."""
    done: str = await conn.execute(
        "DELETE FROM dialogue WHERE (account_id, dialogue_id) IN (SELECT d.account_id, d.dialogue_id FROM dialogue d"
        " WHERE d.account_id = $1 AND coalesce(d.last_message_at, d.created_at) < $2 AND d.created_at < $2"
        " AND NOT EXISTS (SELECT 1 FROM chat_message m WHERE m.account_id = d.account_id"
        " AND m.dialogue_id = d.dialogue_id) LIMIT $3)",
        account_id,
        before,
        limit,
    )
    return int(done.split()[-1])


async def empty_chat_texts(conn: Conn, *, account_id: str, before: datetime, limit: int) -> int:
    """Empty what was written, once nothing of it waits to be sent: who wrote and when stays."""
    former: str = await conn.execute(
        "DELETE FROM chat_revision WHERE (account_id, message_id) IN (SELECT account_id, message_id FROM chat_message"
        " WHERE account_id = $1 AND arrived_at < $2 LIMIT $3)",
        account_id,
        before,
        limit,
    )
    done: str = await conn.execute(
        "UPDATE chat_message SET parts = '[]', quoted_text = '', words = '' WHERE (account_id, message_id) IN"
        " (SELECT account_id, message_id FROM chat_message WHERE account_id = $1 AND arrived_at < $2"
        " AND status NOT IN ('waiting', 'sending') AND (parts <> '[]' OR quoted_text <> '' OR words <> '') LIMIT $3)",
        account_id,
        before,
        limit,
    )
    return int(former.split()[-1]) + int(done.split()[-1])
