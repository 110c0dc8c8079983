"""How dialogues in the CRM's own chats stand in all accounts: the switch, the connection, and what could not be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from runtime.database.pool import Conn

_READ = """
SELECT c.account_id, coalesce(a.settings #>> '{dialogues,in_crm}' = 'true', false) AS is_on, c.scope_id IS NOT NULL AS is_connected, c.error, c.error_at,
    (SELECT count(*) FROM crm_chat_message m WHERE m.account_id = c.account_id AND m.state = 'dead') AS dead
FROM crm_chat_channel c JOIN account a USING (account_id)
WHERE $1::text[] IS NULL OR c.account_id = ANY($1)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmChatsStanding:
    """error: `code: words`, "" = none. error_at: since when. dead: messages that could not be shown."""

    is_on: bool
    is_connected: bool = False
    error: str = ""
    error_at: datetime | None = None
    dead: int = 0


async def crm_chats_standing(conn: Conn, ids: Sequence[str] | None) -> Mapping[str, CrmChatsStanding]:
    """By account, None = of all; those in which nothing is set up are not there."""
    rows = [dict(row) for row in await conn.fetch(_READ, ids)]
    return {row.pop("account_id"): CrmChatsStanding(**row) for row in rows}
