"""Messages of PBXs in which something could not be read as it stood."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from runtime.database.pool import Conn
from runtime.masking import mask_digits

_LONGEST = 2000


class SpoiltMessage(NamedTuple):
    """fields: names of what could not be read. raw: as it came, digits masked, cut."""

    received_at: datetime
    fields: tuple[str, ...]
    raw: str


async def spoilt_messages(
    conn: Conn, account_id: str, connection_id: str, limit: int = 20
) -> list[SpoiltMessage]:
    """Newest first."""
    rows = await conn.fetch(
        "SELECT received_at, spoilt, raw FROM inbox WHERE account_id = $1 AND connection_id = $2 AND spoilt IS NOT NULL"
        " ORDER BY received_at DESC LIMIT $3",
        account_id,
        connection_id,
        limit,
    )
    return [
        SpoiltMessage(
            r["received_at"], tuple(r["spoilt"]), mask_digits(r["raw"].decode(errors="replace"))[:_LONGEST]
        )
        for r in rows
    ]
