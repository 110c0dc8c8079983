"""Numbers that triggers add: items that are to be taken into their campaign, and what is theirs there afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from campaigns.reasons import MemberReason
from gateway.store.campaigns.campaigns import CampaignRow
from gateway.store.campaigns.members import take_places
from runtime.database.pool import Conn

_TO_ADD = """
SELECT i.account_id, i.item_id FROM outbound_item i JOIN account a USING (account_id)
WHERE i.state = 'held' AND i.client IS NULL AND a.state = 'on'
ORDER BY i.created_at LIMIT $1
"""
# The deal's main contact as it was read; the directory may not know it yet.
_NUMBER = """
SELECT n.number FROM directory_number n WHERE n.account_id = $1 AND (n.kind = 'contact' AND n.entity_id = $2
    OR (n.kind, n.entity_id) IN (SELECT l.kind, l.entity_id FROM directory_link l WHERE l.account_id = $1 AND l.deal_id = $3))
ORDER BY n.kind = 'contact' AND n.entity_id = $2 DESC, n.kind DESC, n.number LIMIT 1
"""
_JOIN = """
INSERT INTO campaign_member (account_id, campaign_id, number, item_id, place, source)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (account_id, campaign_id, number) DO UPDATE
    SET item_id = excluded.item_id, place = excluded.place, state = 'held', reason = '', ended_at = NULL, engine_ref = NULL,
        added_at = now()
    WHERE campaign_member.ended_at IS NOT NULL
RETURNING item_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToAdd:
    account_id: str
    item_id: str
    campaign: str
    deal_id: str | None
    contact_id: str | None
    created_at: datetime


async def items_to_add(conn: Conn, limit: int) -> list[tuple[str, str]]:
    """Return (account, item) of those that wait to be taken in, the oldest first."""
    rows = await conn.fetch(_TO_ADD, limit)
    return [(row["account_id"], row["item_id"]) for row in rows]


async def lock_to_add(conn: Conn, account_id: str, item_id: str) -> ToAdd | None:
    """Hold it until the transaction ends. None: somebody else takes it in, or it was dropped."""
    row = await conn.fetchrow(
        "SELECT account_id, item_id, campaign, deal_id, contact_id, created_at FROM outbound_item"
        " WHERE account_id = $1 AND item_id = $2 AND state = 'held' AND client IS NULL FOR UPDATE SKIP LOCKED",
        account_id,
        item_id,
    )
    return ToAdd(**dict(row)) if row else None


async def number_of(conn: Conn, item: ToAdd) -> str | None:
    """Return the client's number as the directory has it now, E.164."""
    found = await conn.fetchval(_NUMBER, item.account_id, item.contact_id, item.deal_id)
    return None if found is None else f"+{found}"


async def join_campaign(conn: Conn, row: CampaignRow, item: ToAdd, number: str) -> Literal["added", "linked"]:
    """Let the item be the number's in this campaign, in which nobody waits for it; else link it to the one that is."""
    place = await take_places(conn, row, 1)
    owner = await conn.fetchval(
        _JOIN, row.account_id, row.campaign_id, number, item.item_id, place, "trigger"
    )
    reason: MemberReason | Literal[""] = ""
    if owner is None:
        reason = "linked"
        await conn.execute(
            "INSERT INTO campaign_link (account_id, item_id, campaign_id, number) VALUES ($1, $2, $3, $4)",
            row.account_id,
            item.item_id,
            row.campaign_id,
            number,
        )
    await conn.execute(
        "UPDATE outbound_item SET client = $3, priority = $4, reason = $5 WHERE account_id = $1 AND item_id = $2",
        row.account_id,
        item.item_id,
        number,
        row.settings.priority,
        reason,
    )
    return "added" if owner is not None else "linked"


async def refuse(conn: Conn, item: ToAdd, reason: MemberReason) -> None:
    """End what cannot come in: by what the client or an admin wants without a trace, else as failed."""
    await conn.execute(
        "UPDATE outbound_item SET state = $3, reason = $4, ended_at = now() WHERE account_id = $1 AND item_id = $2",
        item.account_id,
        item.item_id,
        "dropped" if reason in ("do_not_call", "pipeline_off") else "failed",
        reason,
    )
