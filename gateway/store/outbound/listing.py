"""Items as they are listed and counted, and the queue as it is cleared."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from gateway.store.outbound.items import OutboundItem, OutboundKind, as_item
from runtime.database.pool import Conn

_LIST = """
SELECT * FROM outbound_item WHERE account_id = $1 AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR kind = $3)
  AND ($4::text IS NULL OR campaign = $4) AND ($5::text IS NULL OR "order"->>'trigger' = $5)
  AND ($6::text IS NULL OR deal_id = $6) AND ($7::text IS NULL OR client = $7) AND ($8::text IS NULL OR reason = $8)
  AND ($9::timestamptz IS NULL OR created_at >= $9) AND ($10::timestamptz IS NULL OR created_at < $10)
  AND ($11::timestamptz IS NULL OR (created_at, item_id) < ($11, $12))
  AND ($14::text[] IS NULL OR ((campaign IS NULL OR campaign <> ALL($15))
    AND ("order"->>'trigger' IS NULL OR "order"->>'trigger' <> ALL($16))
    AND ("order"->'target'->>'kind' IS DISTINCT FROM 'template' OR "order"->'target'->>'name' = ANY($14))))
ORDER BY created_at DESC, item_id DESC LIMIT $13
"""

_QUEUE = """
SELECT kind, state, reason, count(*) AS items, min(created_at) AS since, min(look_at) FILTER (WHERE look_at > now()) AS look_at
FROM outbound_item WHERE account_id = $1 AND state IN ('waiting', 'dialling', 'sending', 'unknown')
GROUP BY kind, state, reason ORDER BY kind, state, items DESC, reason
"""

# What is under way is let be, with all that comes of it. Rows are taken in one order, as by everybody who takes many.
_CLEAR = """
UPDATE outbound_item SET state = 'cleared', reason = 'cleared', ended_at = now(), look_at = NULL
WHERE (account_id, item_id) IN (
    SELECT account_id, item_id FROM outbound_item WHERE account_id = $1 AND kind = $2 AND state = 'waiting'
    ORDER BY item_id FOR UPDATE) AND state = 'waiting'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundFilter:
    """None: whatever it is. client: E.164. since, until: when it came. after: (created_at, item_id) of the last one of the page
    before. templates: rung by one of these or by none, and then not of the campaigns and triggers of `without_…`."""

    state: str | None = None
    kind: str | None = None
    campaign: str | None = None
    trigger: str | None = None
    deal_id: str | None = None
    client: str | None = None
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: tuple[datetime, str] | None = None
    templates: Collection[str] | None = None
    without_campaigns: Collection[str] = ()
    without_triggers: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePart:
    """How many items of a kind are in a state for one reason. since: the oldest of them. look_at: when the next of those that
    were looked at is looked at again."""

    kind: OutboundKind
    state: str
    reason: str
    items: int
    since: datetime
    look_at: datetime | None


async def listed_items(
    conn: Conn, account_id: str, wanted: OutboundFilter, *, limit: int
) -> list[OutboundItem]:
    """Newest first."""
    rows = await conn.fetch(
        _LIST,
        account_id,
        wanted.state,
        wanted.kind,
        wanted.campaign,
        wanted.trigger,
        wanted.deal_id,
        wanted.client,
        wanted.reason,
        wanted.since,
        wanted.until,
        *(wanted.after or (None, None)),
        limit,
        None if wanted.templates is None else list(wanted.templates),
        list(wanted.without_campaigns),
        list(wanted.without_triggers),
    )
    return [as_item(row) for row in rows]


async def queue_of(conn: Conn, account_id: str) -> list[QueuePart]:
    """Return what waits, is under way, or is known of by nobody."""
    return [QueuePart(**row) for row in await conn.fetch(_QUEUE, account_id)]


async def first_of_queue(conn: Conn, account_id: str, *, limit: int) -> list[OutboundItem]:
    """Return calls and texts: those under way, then those that wait, whose turn comes first in front."""
    rows = await conn.fetch(
        "SELECT * FROM outbound_item WHERE account_id = $1 AND state IN ('dialling', 'sending', 'unknown', 'waiting')"
        " ORDER BY (state = 'waiting'), greatest(look_at, not_before), priority DESC, created_at, item_id LIMIT $2",
        account_id,
        limit,
    )
    return [as_item(row) for row in rows]


async def clear_waiting(conn: Conn, account_id: str, kind: OutboundKind) -> int:
    """Take all of a kind that waits out of the queue, without stage and task; how many."""
    done: str = await conn.execute(_CLEAR, account_id, kind)
    return int(done.split()[-1])
