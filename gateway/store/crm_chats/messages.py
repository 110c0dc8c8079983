"""What of dialogues stands in the CRM's own chats, and what is to be told there next, as rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gateway.store.channels.messages import ChatMessage, as_message
from runtime.database.pool import Conn

CrmChatMessageState = Literal["new", "shown", "written", "left", "dead"]

# One message holds up those behind it in its dialogue, so that none overtakes it.
_DIALOGUES = """
SELECT DISTINCT m.dialogue_id FROM crm_chat_message c JOIN chat_message m USING (account_id, message_id)
JOIN dialogue d ON d.account_id = m.account_id AND d.dialogue_id = m.dialogue_id
LEFT JOIN crm_chat k ON k.account_id = m.account_id AND k.dialogue_id = m.dialogue_id
WHERE c.account_id = $1 AND c.is_pending AND c.due_at <= $2 AND (k.try_at IS NULL OR k.try_at <= $2)
    AND (c.state <> 'new' OR (d.contact IS NOT NULL AND d.deal IS NOT NULL))
ORDER BY m.dialogue_id LIMIT $3
"""

_PENDING = """
SELECT m.*, c.own_id, c.chat AS crm_chat, c.crm_id, c.state AS crm_state, c.noted, c.due_at, c.mark, c.told_status, c.failures,
    c.failed_at
FROM crm_chat_message c JOIN chat_message m USING (account_id, message_id)
WHERE c.account_id = $1 AND c.is_pending AND m.dialogue_id = $2
ORDER BY m.at, m.sequence, m.message_id LIMIT $3
"""

_OWN = (
    "own_id",
    "crm_chat",
    "crm_id",
    "crm_state",
    "noted",
    "due_at",
    "mark",
    "told_status",
    "failures",
    "failed_at",
)

_CHAT = """
INSERT INTO crm_chat (account_id, dialogue_id, chat) VALUES ($1, $2, $3)
ON CONFLICT (account_id, dialogue_id) DO UPDATE SET chat = crm_chat.chat RETURNING *
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmChat:
    """Where a dialogue stands. chat: by our name. chat_ref: by the CRM's, None = it is not made yet. contact_id: whose it is
    there."""

    account_id: str
    dialogue_id: int
    chat: str
    chat_ref: str | None
    contact_id: str | None
    failures: int
    try_at: datetime | None
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingCrmMessage:
    """A message of which something is to be told. noted: which of its states this is. mark: of what it says there."""

    message: ChatMessage
    own_id: str
    crm_chat: str | None
    crm_id: str
    crm_state: CrmChatMessageState
    noted: int
    due_at: datetime
    mark: str | None
    told_status: str
    failures: int
    failed_at: datetime | None


async def dialogues_to_tell(conn: Conn, account_id: str, now: datetime, limit: int) -> list[int]:
    """Return dialogues with something to tell now."""
    rows = await conn.fetch(_DIALOGUES, account_id, now, limit)
    return [row["dialogue_id"] for row in rows]


async def pending_of_dialogue(
    conn: Conn, account_id: str, dialogue_id: int, limit: int
) -> list[PendingCrmMessage]:
    """Return what is to be told of it, in its order."""
    found = []
    for row in await conn.fetch(_PENDING, account_id, dialogue_id, limit):
        fields = dict(row)
        own = {name: fields.pop(name) for name in _OWN}
        found.append(PendingCrmMessage(message=as_message(fields), **own))
    return found


async def crm_chat_of(conn: Conn, account_id: str, dialogue_id: int, chat: str) -> CrmChat:
    """Return where a dialogue stands or is to stand. chat: by our name, of one that stands nowhere yet."""
    row = await conn.fetchrow(_CHAT, account_id, dialogue_id, chat)
    assert row is not None
    return CrmChat(**row)


async def dialogue_of_crm_chat(conn: Conn, account_id: str, chat: str, chat_ref: str) -> int | None:
    found: int | None = await conn.fetchval(
        "SELECT dialogue_id FROM crm_chat WHERE account_id = $1 AND (chat = nullif($2, '') OR chat_ref = $3)"
        " ORDER BY chat_ref = $3 DESC NULLS LAST LIMIT 1",
        account_id,
        chat,
        chat_ref,
    )
    return found


async def crm_chat_made(conn: Conn, of: CrmChat, chat_ref: str) -> None:
    await conn.execute(
        "UPDATE crm_chat SET chat_ref = $3 WHERE account_id = $1 AND dialogue_id = $2",
        of.account_id,
        of.dialogue_id,
        chat_ref,
    )


async def crm_chat_bound(conn: Conn, of: CrmChat, contact_id: str) -> None:
    await conn.execute(
        "UPDATE crm_chat SET contact_id = $3 WHERE account_id = $1 AND dialogue_id = $2",
        of.account_id,
        of.dialogue_id,
        contact_id,
    )


async def crm_chat_failed(
    conn: Conn, account_id: str, dialogue_id: int, error: str, try_at: datetime
) -> None:
    """Note that nothing is told of this dialogue before that time."""
    await conn.execute(
        "UPDATE crm_chat SET failures = failures + 1, try_at = $3, error = $4 WHERE account_id = $1 AND dialogue_id = $2",
        account_id,
        dialogue_id,
        try_at,
        error[:500],
    )


async def crm_chat_went_well(conn: Conn, account_id: str, dialogue_id: int) -> None:
    await conn.execute(
        "UPDATE crm_chat SET failures = 0, try_at = NULL, error = '' WHERE account_id = $1 AND dialogue_id = $2"
        " AND (failures > 0 OR try_at IS NOT NULL OR error <> '')",
        account_id,
        dialogue_id,
    )


async def message_told(
    conn: Conn,
    told: PendingCrmMessage,
    *,
    state: CrmChatMessageState,
    chat: str | None = None,
    crm_id: str = "",
    mark: str | None = None,
    status: str = "",
) -> None:
    """Keep what was told of it; what was noted since then is told next."""
    await conn.execute(
        "UPDATE crm_chat_message SET state = $3, chat = coalesce($4, chat), crm_id = coalesce(nullif($5, ''), crm_id),"
        " mark = coalesce($6, mark), told_status = coalesce(nullif($7, ''), told_status), is_pending = noted <> $8,"
        " failures = 0, failed_at = NULL, error = '' WHERE account_id = $1 AND own_id = $2",
        told.message.account_id,
        told.own_id,
        state,
        chat,
        crm_id,
        mark,
        status,
        told.noted,
    )


async def message_not_told(conn: Conn, told: PendingCrmMessage, error: str, now: datetime) -> None:
    await conn.execute(
        "UPDATE crm_chat_message SET failures = failures + 1, failed_at = coalesce(failed_at, $3), error = $4"
        " WHERE account_id = $1 AND own_id = $2",
        told.message.account_id,
        told.own_id,
        now,
        error[:500],
    )


async def message_given_up(conn: Conn, told: PendingCrmMessage, error: str) -> None:
    """Tell it no more: those behind it go on."""
    await conn.execute(
        "UPDATE crm_chat_message SET state = CASE WHEN state = 'new' THEN 'dead' ELSE state END, is_pending = false, error = $3"
        " WHERE account_id = $1 AND own_id = $2",
        told.message.account_id,
        told.own_id,
        error[:500],
    )


async def written_in_crm(conn: Conn, message: ChatMessage, crm_id: str) -> None:
    """Note that this message of ours stands in the CRM already: somebody wrote it there."""
    await conn.execute(
        "INSERT INTO crm_chat_message (account_id, message_id, own_id, crm_id, state, is_pending)"
        " VALUES ($1, $2, $3, $4, 'written', false) ON CONFLICT (account_id, message_id) DO NOTHING",
        message.account_id,
        message.message_id,
        f"{message.channel_id}:{message.message_id}",
        crm_id,
    )


async def crm_chat_counts(conn: Conn, account_id: str) -> dict[str, int]:
    """How many messages wait, and how many were given up."""
    row = await conn.fetchrow(
        "SELECT count(*) FILTER (WHERE is_pending) AS waiting, count(*) FILTER (WHERE state = 'dead') AS dead"
        " FROM crm_chat_message WHERE account_id = $1 AND (is_pending OR state = 'dead')",
        account_id,
    )
    assert row is not None
    return {"waiting": row["waiting"], "dead": row["dead"]}


async def try_dead_again(conn: Conn, account_id: str) -> int:
    """Have what was given up told after all. How many."""
    done: str = await conn.execute(
        "UPDATE crm_chat_message SET state = 'new', is_pending = true, failures = 0, failed_at = NULL, due_at = now()"
        " WHERE account_id = $1 AND state = 'dead'",
        account_id,
    )
    return int(done.split()[-1])
