"""Of which leads the owner is known: it is that of the deal inside, which lists of leads do not tell."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from runtime.database.pool import Conn


async def read_owners(conn: Conn, account_id: str, lead_ids: Collection[str]) -> dict[str, str]:
    """Lead -> the owner that was read of the deal inside it."""
    rows = await conn.fetch(
        "SELECT entity_id, owner_id FROM directory_entity WHERE account_id = $1 AND kind = 'lead'"
        " AND entity_id = ANY($2) AND owner_read_at IS NOT NULL AND owner_id IS NOT NULL",
        account_id,
        list(lead_ids),
    )
    return {row["entity_id"]: row["owner_id"] for row in rows}


async def unread_deals(conn: Conn, account_id: str, older_than: timedelta, limit: int) -> list[str]:
    """Deals inside leads that were never read first, then those that were read longest ago."""
    rows = await conn.fetch(
        "SELECT deal_id FROM directory_entity WHERE account_id = $1 AND kind = 'lead' AND deal_id IS NOT NULL"
        " AND (owner_read_at IS NULL OR owner_read_at < now() - $2::interval)"
        " ORDER BY owner_read_at NULLS FIRST, created_at DESC LIMIT $3",
        account_id,
        older_than,
        limit,
    )
    return [row["deal_id"] for row in rows]


async def mark_read(conn: Conn, account_id: str, deal_ids: Collection[str]) -> None:
    """Note that these were just read, whatever came of it."""
    await conn.execute(
        "UPDATE directory_entity SET owner_read_at = now()"
        " WHERE account_id = $1 AND kind = 'lead' AND deal_id = ANY($2)",
        account_id,
        list(deal_ids),
    )


async def forget_read(conn: Conn, account_id: str, deal_ids: Collection[str]) -> None:
    """Forget what is no longer as it was read."""
    await conn.execute(
        "UPDATE directory_entity SET owner_read_at = NULL"
        " WHERE account_id = $1 AND kind = 'lead' AND deal_id = ANY($2)",
        account_id,
        list(deal_ids),
    )


async def deals_in_leads(conn: Conn, account_id: str, deal_ids: Collection[str]) -> set[str]:
    """Those of these deals that stand inside a lead that the directory has."""
    rows = await conn.fetch(
        "SELECT deal_id FROM directory_entity WHERE account_id = $1 AND kind = 'lead' AND deal_id = ANY($2)",
        account_id,
        list(deal_ids),
    )
    return {row["deal_id"] for row in rows}
