"""How an account's CRM is reached among its chats, as rows: the channel, its connection, and who is who there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from runtime.database.pool import Conn
from runtime.database.sealed_columns import opened_or_none, sealed
from runtime.database.sealing import Place

CRM_CHAT_SECRET = Place("crm_chat_channel", "secret")

_READ = """
SELECT c.*, a.base_url, a.crm_kind, a.settings #>> '{dialogues,in_crm}' = 'true' AS is_wanted FROM crm_chat_channel c JOIN account a USING (account_id)
"""

_KEEP = """
INSERT INTO crm_chat_channel (account_id, channel_id, secret, bot_id, amojo_id) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (account_id) DO UPDATE SET channel_id = $2, secret = $3, bot_id = $4, amojo_id = $5, scope_id = NULL, failures = 0,
    try_at = now(), error = '', error_at = NULL, people_at = NULL
"""

_BUSY = """
SELECT c.account_id FROM crm_chat_channel c JOIN account a USING (account_id)
WHERE c.account_id = ANY($1) AND (
    EXISTS (SELECT 1 FROM crm_chat_hook h WHERE h.account_id = c.account_id AND h.state = 'pending' AND h.try_at <= $2)
    OR c.try_at <= $2 AND CASE WHEN a.settings #>> '{dialogues,in_crm}' = 'true' THEN
        c.scope_id IS NULL OR EXISTS (SELECT 1 FROM crm_chat_message m WHERE m.account_id = c.account_id AND m.is_pending)
        OR EXISTS (SELECT 1 FROM crm_chat_hook h WHERE h.account_id = c.account_id AND h.words <> '' AND h.told_at IS NULL)
        ELSE c.scope_id IS NOT NULL END)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmChatChannel:
    """As stored. secret: "" where it cannot be opened. base_url, crm_kind: of the account. is_wanted: the switch. error: `code: words`."""

    account_id: str
    channel_id: str
    secret: str = field(repr=False)
    bot_id: str
    amojo_id: str
    scope_id: str | None
    connected_at: datetime | None
    failures: int
    try_at: datetime
    error: str
    error_at: datetime | None
    went_at: datetime | None
    people_at: datetime | None
    base_url: str
    crm_kind: str
    is_wanted: bool


async def crm_chat_channel(conn: Conn, account_id: str) -> CrmChatChannel | None:
    row = await conn.fetchrow(_READ + " WHERE c.account_id = $1", account_id)
    return _channel(conn, row) if row else None


async def channels_of_scope(conn: Conn, scope_id: str) -> list[CrmChatChannel]:
    """Return whose connection this is."""
    return [_channel(conn, row) for row in await conn.fetch(_READ + " WHERE c.scope_id = $1", scope_id)]


async def busy_crm_chats(conn: Conn, account_ids: Sequence[str], now: datetime) -> list[str]:
    """Return accounts of these with something to do now."""
    return [row["account_id"] for row in await conn.fetch(_BUSY, list(account_ids), now)]


async def keep_crm_chat_channel(
    conn: Conn, account_id: str, *, channel_id: str, secret: str, bot_id: str, amojo_id: str
) -> None:
    """Keep these; it is connected anew with them. In another channel nothing stands yet that could be changed."""
    was = await conn.fetchval("SELECT channel_id FROM crm_chat_channel WHERE account_id = $1", account_id)
    sealed_secret = await sealed(conn, CRM_CHAT_SECRET, [account_id], secret)
    await conn.execute(_KEEP, account_id, channel_id, sealed_secret, bot_id, amojo_id)
    if was is not None and was != channel_id:
        await conn.execute("DELETE FROM crm_chat WHERE account_id = $1", account_id)
        await conn.execute(
            "UPDATE crm_chat_message SET state = 'left', is_pending = false WHERE account_id = $1 AND state IN ('shown', 'written')",
            account_id,
        )


async def remove_crm_chat_channel(conn: Conn, account_id: str) -> bool:
    done: str = await conn.execute("DELETE FROM crm_chat_channel WHERE account_id = $1", account_id)
    return done != "DELETE 0"


async def crm_chats_connected(
    conn: Conn, account_id: str, amojo_id: str, scope_id: str, now: datetime
) -> None:
    await conn.execute(
        "UPDATE crm_chat_channel SET amojo_id = $2, scope_id = $3, connected_at = $4, went_at = $4, failures = 0, error = '',"
        " error_at = NULL WHERE account_id = $1",
        account_id,
        amojo_id,
        scope_id,
        now,
    )


async def crm_chats_left(conn: Conn, account_id: str) -> None:
    """Note that it is connected no more. What was not shown by then never is."""
    await conn.execute(
        "UPDATE crm_chat_channel SET scope_id = NULL, failures = 0, error = '', error_at = NULL WHERE account_id = $1",
        account_id,
    )


async def leave_unshown(conn: Conn, account_id: str) -> int:
    """Have what is not shown yet never be shown. How many."""
    done: str = await conn.execute(
        "UPDATE crm_chat_message SET state = 'left', is_pending = false WHERE account_id = $1 AND state = 'new'",
        account_id,
    )
    return int(done.split()[-1])


async def crm_chats_failed(
    conn: Conn, account_id: str, error: str, now: datetime, try_at: datetime, *, is_cut_off: bool = False
) -> None:
    """Note what went wrong; nothing is tried before that time. is_cut_off: it has to be connected anew."""
    await conn.execute(
        "UPDATE crm_chat_channel SET failures = failures + 1, try_at = $4, error = $2, error_at = coalesce(error_at, $3),"
        " scope_id = CASE WHEN $5 THEN NULL ELSE scope_id END WHERE account_id = $1",
        account_id,
        error[:500],
        now,
        try_at,
        is_cut_off,
    )


async def crm_chats_went_well(conn: Conn, account_id: str, now: datetime) -> None:
    await conn.execute(
        "UPDATE crm_chat_channel SET went_at = $2, failures = 0, error = '', error_at = NULL WHERE account_id = $1",
        account_id,
        now,
    )


async def replace_crm_chat_people(
    conn: Conn, account_id: str, people: Mapping[str, str], now: datetime
) -> None:
    """people: users of the CRM by their ids in its chats."""
    await conn.execute("DELETE FROM crm_chat_person WHERE account_id = $1", account_id)
    await conn.executemany(
        "INSERT INTO crm_chat_person (account_id, amojo_id, user_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        [(account_id, amojo_id, user_id) for amojo_id, user_id in people.items()],
    )
    await conn.execute("UPDATE crm_chat_channel SET people_at = $2 WHERE account_id = $1", account_id, now)


async def crm_chat_people(conn: Conn, account_id: str) -> dict[str, str]:
    """Return users of the CRM by their ids in its chats."""
    rows = await conn.fetch("SELECT amojo_id, user_id FROM crm_chat_person WHERE account_id = $1", account_id)
    return {row["amojo_id"]: row["user_id"] for row in rows}


def _channel(conn: Conn, row: asyncpg.Record) -> CrmChatChannel:
    fields = dict(row)
    fields["secret"] = opened_or_none(conn, CRM_CHAT_SECRET, [row["account_id"]], row["secret"]) or ""
    fields["is_wanted"] = bool(row["is_wanted"])
    return CrmChatChannel(**fields)
