"""Which entry of a deal into a stage an item is of: told in several ways, and overtaken by later ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from gateway.store.distribution.items import ItemRow, NewItem, add_item, as_item
from runtime.database.pool import Conn

# Told by a hook or found by the sweep before the CRM told of the change itself: that is the same entry.
_BIND = """
UPDATE distribution_item SET event_id = $5 WHERE (account_id, item_id) IN (
    SELECT account_id, item_id FROM distribution_item WHERE account_id = $1 AND kind = 'deal' AND entity_id = $2
      AND (stage_id IS NULL OR pipeline_id = $3 AND stage_id = $4) AND event_id IS NULL AND source IN ('hook', 'sweep')
      AND created_at >= $6 ORDER BY created_at LIMIT 1)
RETURNING item_id
"""

# Whose entry the CRM told of already, or another hook told a moment ago; unless the deal left the stage since.
_SAME = """
SELECT item_id FROM distribution_item i WHERE account_id = $1 AND kind = 'deal' AND entity_id = $2
  AND ($3::text IS NULL OR stage_id IS NULL OR stage_id = $3)
  AND (created_at > now() - $4::interval OR state = 'waiting')
  AND NOT EXISTS (SELECT 1 FROM crm_event e WHERE e.account_id = i.account_id AND e.entity_kind = 'deal'
    AND e.entity_id = i.entity_id AND e.aspect = 'stage' AND e.at > i.created_at
    AND e.old_value = i.pipeline_id || '/' || i.stage_id)
ORDER BY created_at DESC LIMIT 1
"""

# The deal was given for a later entry, or after it had come in: there is nothing to give of this one any more.
_OVERTAKEN = """
SELECT EXISTS (SELECT 1 FROM distribution_item i LEFT JOIN crm_event e ON e.account_id = i.account_id AND e.event_id = $5
    WHERE i.account_id = $1 AND i.kind = 'deal' AND i.entity_id = $2 AND i.template = $3 AND i.event_id IS DISTINCT FROM $5
      AND (i.stage_id IS NULL OR i.pipeline_id = $7 AND i.stage_id = $8)
      AND CASE WHEN i.state = 'waiting' THEN i.entered_at > $4 AND i.source = ANY($6::text[])
          ELSE i.state IN ('given', 'kept', 'nobody') AND i.decided_at >= least($4, e.received_at) END)
"""

# The deal has left and come in again since, so that it stands in the stage for another reason than these.
_OVERTAKE = """
UPDATE distribution_item SET state = 'cancelled', reason = 'left_stage', due_at = NULL, opens_at = NULL
WHERE account_id = $1 AND kind = 'deal' AND entity_id = $2 AND state = 'waiting' AND source = ANY($3::text[])
  AND item_id <> $4 AND event_id IS NOT NULL AND entered_at <= $5
"""
_IN_HAND = """
SELECT DISTINCT entity_id FROM distribution_item WHERE account_id = $1 AND kind = 'deal' AND template = $2
  AND entity_id = ANY($3::text[]) AND (state = 'waiting'
    OR state = 'given' AND source = 'stage' AND overridden_by IS NULL AND decided_at > now() - $4::interval)
"""
_OF_ENTRIES = ("event", "sweep", "hook", "stage")


async def add_entry(conn: Conn, account_id: str, new: NewItem) -> str | None:
    """Keep what came into a stage, and give up what still waits because of earlier entries: who comes in again is given once.
    None: it is there already, was given after it came in, or waits because of a later entry."""
    if await conn.fetchval(
        _OVERTAKEN,
        account_id,
        new.entity_id,
        new.template,
        new.entered_at,
        new.event_id,
        list(_OF_ENTRIES),
        new.pipeline_id,
        new.stage_id,
    ):
        return None
    item_id = await add_item(conn, account_id, new)
    if item_id is not None:
        await conn.execute(_OVERTAKE, account_id, new.entity_id, list(_OF_ENTRIES), item_id, new.entered_at)
    return item_id


async def bind_event(
    conn: Conn, account_id: str, deal_id: str, stage: tuple[str, str], event_id: int, since: datetime
) -> bool:
    """Whether an item that came without the CRM's change is of this one. since: it cannot have come earlier."""
    found = await conn.fetchval(_BIND, account_id, deal_id, *stage, event_id, since)
    return found is not None


async def same_entry(
    conn: Conn, account_id: str, deal_id: str, stage_id: str | None, within: timedelta
) -> str | None:
    """Return the item of the same entry, told by somebody else lately; None = there is none."""
    found: str | None = await conn.fetchval(_SAME, account_id, deal_id, stage_id, within)
    return found


async def deals_in_hand(
    conn: Conn, account_id: str, template: str, deal_ids: Sequence[str], just_now: timedelta
) -> set[str]:
    """Return those of the deals that wait to be given by the template, or that it gave to somebody with their stage just now."""
    rows = await conn.fetch(_IN_HAND, account_id, template, list(deal_ids), just_now)
    return {row["entity_id"] for row in rows}


async def latest_of_deal(conn: Conn, account_id: str, deal_id: str, template: str) -> ItemRow | None:
    """Return what was last to be given of this deal by this template."""
    row = await conn.fetchrow(
        "SELECT * FROM distribution_item WHERE account_id = $1 AND kind = 'deal' AND entity_id = $2 AND template = $3"
        " ORDER BY created_at DESC, item_id LIMIT 1",
        account_id,
        deal_id,
        template,
    )
    return as_item(row) if row else None
