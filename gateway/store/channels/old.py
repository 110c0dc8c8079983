"""Messages of messengers when their days are over: first what was said, then the dialogue that nothing is left of."""

from __future__ import annotations

from datetime import datetime

from routing.dialogues.copies import change_key, note_key
from runtime.database.pool import Conn

_EMPTIED = "emptied:"
"""In place of a chat's id, by which alone its client could be known; whoever writes again begins a new dialogue."""

_AT_REST = """
SELECT d.account_id, d.dialogue_id FROM dialogue d WHERE d.account_id = $1 AND d.kind = 'private'
    AND coalesce(d.last_message_at, d.created_at) < $2 AND d.created_at < $2
    AND NOT EXISTS (SELECT 1 FROM chat_message m WHERE m.account_id = d.account_id AND m.dialogue_id = d.dialogue_id
        AND m.status IN ('waiting', 'sending'))
    AND NOT EXISTS (SELECT 1 FROM channel_update u WHERE u.account_id = d.account_id AND u.client_key = d.client_key
        AND u.state = 'pending')
"""

_NUMBERS = f"""
WITH old AS ({_AT_REST} AND NOT starts_with(d.chat_id, '{_EMPTIED}') LIMIT $3), messages AS (
    UPDATE chat_message m SET author_id = '' FROM old WHERE m.account_id = old.account_id AND m.dialogue_id = old.dialogue_id
        AND m.direction = 'in')
UPDATE dialogue d SET number = NULL, way = '', chat_id = '{_EMPTIED}' || d.dialogue_id, client_key = '{_EMPTIED}' || d.dialogue_id
FROM old WHERE d.account_id = old.account_id AND d.dialogue_id = old.dialogue_id
"""  # noqa: S608 - of this module

_NAMES = f"""
WITH old AS ({_AT_REST} AND (d.name <> '' OR d.username <> '') LIMIT $3), messages AS (
    UPDATE chat_message m SET author_name = '' FROM old WHERE m.account_id = old.account_id AND m.dialogue_id = old.dialogue_id
        AND m.direction = 'in')
UPDATE dialogue d SET name = '', username = '' FROM old WHERE d.account_id = old.account_id AND d.dialogue_id = old.dialogue_id
"""  # noqa: S608 - of this module


async def empty_chat_numbers(conn: Conn, *, account_id: str, before: datetime, limit: int) -> int:
    """Empty by what clients are known in dialogues that are at rest, numbers and chats, and what was told of them. How many."""
    told: str = await conn.execute(
        "DELETE FROM channel_update WHERE (account_id, update_id) IN (SELECT account_id, update_id FROM channel_update"
        " WHERE account_id = $1 AND state IN ('applied', 'early') AND received_at < $2 LIMIT $3)",
        account_id,
        before,
        limit,
    )
    done: str = await conn.execute(_NUMBERS, account_id, before, limit)
    return int(told.split()[-1]) + int(done.split()[-1])


async def empty_chat_names(conn: Conn, *, account_id: str, before: datetime, limit: int) -> int:
    """Empty what clients are called in dialogues that are at rest. How many dialogues."""
    done: str = await conn.execute(_NAMES, account_id, before, limit)
    return int(done.split()[-1])


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


async def empty_copied_texts(conn: Conn, *, account_id: str, before: datetime, limit: int) -> int:
    """Empty what notes were ordered with, once none of a copy is on its way any more; the notes in the CRM stay."""
    rows = await conn.fetch(
        "SELECT copy_id, cardinality(marks) AS parts, revision FROM chat_copy WHERE account_id = $1 AND NOT is_emptied"
        " AND ordered_at < $2 ORDER BY ordered_at LIMIT $3",
        account_id,
        before,
        limit,
    )
    keys = {key: row["copy_id"] for row in rows for key in _keys_of(**dict(row))}
    await conn.execute(
        """UPDATE effect SET "order" = jsonb_set("order", '{text}', '""') WHERE account_id = $1 AND effect_key = ANY($2)"""
        """ AND state IN ('done', 'skipped', 'expired')""",
        account_id,
        list(keys),
    )
    left = await conn.fetch(
        "SELECT effect_key FROM effect WHERE account_id = $1 AND effect_key = ANY($2)"
        " AND state NOT IN ('done', 'skipped', 'expired')",
        account_id,
        list(keys),
    )
    emptied = {row["copy_id"] for row in rows} - {keys[row["effect_key"]] for row in left}
    await conn.execute(
        "UPDATE chat_copy SET is_emptied = true WHERE account_id = $1 AND copy_id = ANY($2)",
        account_id,
        list(emptied),
    )
    return len(emptied)


def _keys_of(copy_id: int, parts: int, revision: int) -> list[str]:
    numbers = range(1, parts + 1)
    changes = [change_key(copy_id, part, r) for part in numbers for r in range(2, revision + 1)]
    return [*(note_key(copy_id, part) for part in numbers), *changes]
