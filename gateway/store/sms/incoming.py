"""What clients wrote, as rows: each once, however often it is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from routing.client import EntityKind
from routing.numbers.normalise import digits_of
from runtime.database.pool import Conn


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingRow:
    """number: E.164, "" where it cannot be read. part: of a message in pieces, None of a whole one."""

    incoming_id: str
    connection: str
    number: str
    sent_to: str
    text: str
    is_opt_out: bool
    received_at: datetime
    part: dict[str, Any] | None = None


async def add_incoming(conn: Conn, account_id: str, row: IncomingRow) -> bool:
    """Whether it is new."""
    added = await conn.fetchval(
        "INSERT INTO sms_incoming (account_id, incoming_id, connection, number, sent_to, text, part, is_opt_out, received_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING incoming_id",
        account_id,
        row.incoming_id,
        row.connection,
        row.number or None,
        row.sent_to,
        row.text,
        row.part,
        row.is_opt_out,
        row.received_at,
    )
    return added is not None


async def came_at(conn: Conn, account_id: str, incoming_id: str) -> datetime | None:
    """Return when it was kept; None: it is not."""
    at: datetime | None = await conn.fetchval(
        "SELECT received_at FROM sms_incoming WHERE account_id = $1 AND incoming_id = $2",
        account_id,
        incoming_id,
    )
    return at


async def parts_of(
    conn: Conn, account_id: str, connection: str, number: str, reference: int, since: datetime
) -> list[dict[str, Any]]:
    """Return the pieces that have come since of one message."""
    rows = await conn.fetch(
        "SELECT part FROM sms_incoming WHERE account_id = $1 AND connection = $2 AND number IS NOT DISTINCT FROM $3"
        " AND (part->>'reference')::int = $4 AND received_at > $5",
        account_id,
        connection,
        number or None,
        reference,
        since,
    )
    return [row["part"] for row in rows]


async def drop_parts(conn: Conn, account_id: str, connection: str, number: str, reference: int) -> None:
    """Of a message that was read as a whole; the pieces stay known, so that a repetition is no new one."""
    await conn.execute(
        "UPDATE sms_incoming SET part = NULL, text = '' WHERE account_id = $1 AND connection = $2"
        " AND number IS NOT DISTINCT FROM $3 AND (part->>'reference')::int = $4",
        account_id,
        connection,
        number or None,
        reference,
    )


async def card_of_number(conn: Conn, account_id: str, number: str) -> tuple[EntityKind, str] | None:
    """Return the client's oldest contact, else company, as the directory has it."""
    row = await conn.fetchrow(
        "SELECT kind, entity_id FROM directory_number WHERE account_id = $1 AND number = $2"
        " AND kind IN ('contact', 'company') ORDER BY kind = 'company', length(entity_id), entity_id LIMIT 1",
        account_id,
        digits_of(number),
    )
    return (row["kind"], row["entity_id"]) if row else None
