"""Where deals stand, and which are a client's, as the directory has it."""

from __future__ import annotations

from runtime.database.pool import Conn

_MOST_DEALS = 50


async def place_of_deal(conn: Conn, account_id: str, deal_id: str) -> tuple[str, str] | None:
    """(pipeline, stage). None: the directory does not have the deal."""
    row = await conn.fetchrow(
        "SELECT pipeline_id, stage_id FROM directory_entity WHERE account_id = $1 AND kind = 'deal' AND entity_id = $2"
        " AND pipeline_id IS NOT NULL AND stage_id IS NOT NULL",
        account_id,
        deal_id,
    )
    return (row["pipeline_id"], row["stage_id"]) if row else None


async def open_deals_of_contact(conn: Conn, account_id: str, contact_id: str) -> list[str]:
    """Return the newest of them."""
    rows = await conn.fetch(
        "SELECT d.entity_id FROM directory_link l JOIN directory_entity d ON d.account_id = l.account_id"
        " AND d.kind = 'deal' AND d.entity_id = l.deal_id AND d.is_open"
        " WHERE l.account_id = $1 AND l.kind = 'contact' AND l.entity_id = $2"
        " ORDER BY d.created_at DESC NULLS LAST, d.entity_id LIMIT $3",
        account_id,
        contact_id,
        _MOST_DEALS,
    )
    return [row["entity_id"] for row in rows]
