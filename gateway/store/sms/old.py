"""Texts and numbers of SMS when their days are over, or when a client asks to be forgotten: what was sent and when stays."""

from __future__ import annotations

from datetime import datetime

from runtime.database.pool import Conn


async def delete_sms_messages(conn: Conn, *, account_id: str, before: datetime, limit: int) -> int:
    """Delete messages that have ended."""
    done: str = await conn.execute(
        "DELETE FROM sms_message WHERE (account_id, own_id) IN (SELECT account_id, own_id FROM sms_message"
        " WHERE account_id = $1 AND created_at < $2 AND ended_at IS NOT NULL LIMIT $3)",
        account_id,
        before,
        limit,
    )
    return int(done.split()[-1])


async def delete_sms_incoming(conn: Conn, *, account_id: str, before: datetime, limit: int) -> int:
    done: str = await conn.execute(
        "DELETE FROM sms_incoming WHERE (account_id, incoming_id) IN (SELECT account_id, incoming_id FROM sms_incoming"
        " WHERE account_id = $1 AND received_at < $2 LIMIT $3)",
        account_id,
        before,
        limit,
    )
    return int(done.split()[-1])


async def empty_sms_texts(
    conn: Conn, *, account_id: str, before: datetime, limit: int, client: str | None = None
) -> int:
    """Empty what was written to clients and by them, once nothing is on its way any more. client: E.164, None = of everybody."""
    sent: str = await conn.execute(
        "UPDATE sms_message SET text = '', words = '' WHERE (account_id, own_id) IN (SELECT account_id, own_id"
        " FROM sms_message WHERE account_id = $1 AND created_at < $2 AND ended_at IS NOT NULL AND text <> ''"
        " AND ($4::text IS NULL OR number = $4) LIMIT $3)",
        account_id,
        before,
        limit,
        client,
    )
    came: str = await conn.execute(
        "UPDATE sms_incoming SET text = '', part = NULL WHERE (account_id, incoming_id) IN (SELECT account_id, incoming_id"
        " FROM sms_incoming WHERE account_id = $1 AND received_at < $2 AND (text <> '' OR part IS NOT NULL)"
        " AND ($4::text IS NULL OR number = $4) LIMIT $3)",
        account_id,
        before,
        limit,
        client,
    )
    return int(sent.split()[-1]) + int(came.split()[-1])


async def empty_sms_numbers(
    conn: Conn, *, account_id: str, before: datetime, limit: int, client: str | None = None
) -> int:
    """As `empty_sms_texts`, of the numbers."""
    sent: str = await conn.execute(
        "UPDATE sms_message SET number = NULL WHERE (account_id, own_id) IN (SELECT account_id, own_id FROM sms_message"
        " WHERE account_id = $1 AND created_at < $2 AND ended_at IS NOT NULL AND number IS NOT NULL"
        " AND ($4::text IS NULL OR number = $4) LIMIT $3)",
        account_id,
        before,
        limit,
        client,
    )
    came: str = await conn.execute(
        "UPDATE sms_incoming SET number = NULL WHERE (account_id, incoming_id) IN (SELECT account_id, incoming_id"
        " FROM sms_incoming WHERE account_id = $1 AND received_at < $2 AND number IS NOT NULL"
        " AND ($4::text IS NULL OR number = $4) LIMIT $3)",
        account_id,
        before,
        limit,
        client,
    )
    return int(sent.split()[-1]) + int(came.split()[-1])


async def sms_on_the_way(conn: Conn, account_id: str, client: str) -> int:
    """How many messages to this client are not finished."""
    found: int = await conn.fetchval(
        "SELECT count(*) FROM sms_message WHERE account_id = $1 AND number = $2 AND ended_at IS NULL",
        account_id,
        client,
    )
    return found
