"""What became of what was given: written in the CRM, taken to work, overridden; and deals of which nobody told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import orjson

from routing.calls.model import Call
from runtime.database.pool import Conn

CONSUMER = "distribution"
"""Of changes of deals in the CRM (gateway/crm_events)."""

_ENDED = """
SELECT i.account_id, i.template, i.item_id, e.state, e.error_code, e.error_field, e.error_detail
FROM distribution_item i LEFT JOIN effect e ON e.account_id = i.account_id AND e.effect_key = i.decision_id || ':deal'
WHERE NOT i.is_written AND (e.state IS NULL OR e.state IN ('done', 'dead', 'skipped', 'expired')) LIMIT $1
"""

_UNSENT = """
UPDATE effect SET state = 'skipped', note = $3 WHERE account_id = $1 AND decision_id = $2 AND attempts = 0
    AND state IN ('waiting', 'held') AND effect_key LIKE '%:deal' RETURNING effect_key
"""

_SET_ASIDE = """
UPDATE effect SET state = 'skipped', note = $3
WHERE account_id = $1 AND decision_id = $2 AND state IN ('dead', 'waiting', 'held') AND attempts <= $4
"""

_SIGN = """
SELECT min(at) FROM crm_event e
WHERE account_id = $1 AND by_user = $2 AND at >= $3 AND NOT is_ours AND what = ANY($4::text[])
  AND (subject = 'deal:' || $5 OR subject IN (SELECT l.kind || ':' || l.entity_id FROM directory_link l
      WHERE l.account_id = $1 AND l.deal_id = $5))
"""

_CALLS = """
SELECT c.facts, c.clock_offset FROM call c JOIN (
    SELECT DISTINCT '+' || n.number AS client FROM directory_link l JOIN directory_number n
    ON n.account_id = l.account_id AND n.kind = l.kind AND n.entity_id = l.entity_id
    WHERE l.account_id = $1 AND l.deal_id = $2) numbers ON numbers.client = c.client
WHERE c.account_id = $1 AND c.started_at >= $3::timestamptz - interval '1 day'
  AND c.started_at + c.clock_offset >= $3 ORDER BY c.started_at + c.clock_offset LIMIT 50
"""

# The feed tells who it was later than a hook tells of the change: asked when the deal is given. The CRM tells whole seconds.
_BY_HAND = """
SELECT DISTINCT ON (i.item_id) i.item_id, e.new_value FROM distribution_item i
JOIN crm_event e ON e.account_id = i.account_id AND e.entity_kind = 'deal' AND e.entity_id = i.entity_id
WHERE i.account_id = $1 AND i.item_id = ANY($2) AND e.aspect = 'responsible' AND NOT e.is_ours AND e.new_value <> ''
  AND e.by_user = ANY($3) AND e.at >= date_trunc('second', i.entered_at) AND (i.event_id IS NULL OR e.event_id > i.event_id)
ORDER BY i.item_id, e.at DESC, e.event_id DESC
"""

# Told by no hook, or by one that was lost with its consumer: found by where deals stand.
_UNTOLD = """
SELECT a.account_id, a.template, a.pipeline_id, a.stage_id, d.entity_id AS deal_id, e.event_id,
    coalesce(e.at, d.created_at) AS entered_at
FROM distribution_attachment a
JOIN account ON account.account_id = a.account_id AND account.state = 'on'
JOIN directory_entity d ON d.account_id = a.account_id AND d.kind = 'deal' AND d.is_open
    AND d.pipeline_id = a.pipeline_id AND d.stage_id = a.stage_id
LEFT JOIN LATERAL (
    SELECT event_id, at, received_at, aspect, is_ours FROM crm_event v
    WHERE v.account_id = a.account_id AND v.entity_kind = 'deal' AND v.entity_id = d.entity_id
      AND (v.aspect = 'stage' AND v.new_value = a.pipeline_id || '/' || a.stage_id OR v.aspect = 'added')
    ORDER BY v.at DESC, v.aspect = 'stage' DESC, v.event_id DESC LIMIT 1) e ON true
WHERE d.updated_at >= a.since - interval '1 day'
  AND CASE WHEN e.event_id IS NULL THEN a.created AND d.created_at >= a.since AND d.created_at < now() - $1::interval
      ELSE NOT e.is_ours AND e.received_at >= a.since AND e.received_at < now() - $1::interval
        AND CASE WHEN e.aspect = 'added' THEN a.created ELSE a.entered END END
  AND NOT EXISTS (SELECT 1 FROM distribution_item i WHERE i.account_id = a.account_id AND i.kind = 'deal'
      AND i.entity_id = d.entity_id AND (i.event_id = e.event_id
          OR (i.stage_id = a.stage_id OR i.stage_id IS NULL AND i.source = 'hook') AND i.created_at >= coalesce(e.at, d.created_at) - interval '1 minute'))
  AND NOT EXISTS (SELECT 1 FROM crm_event_work w WHERE w.account_id = a.account_id AND w.consumer = 'distribution'
      AND w.event_id = e.event_id AND NOT w.is_aside)
  AND NOT EXISTS (SELECT 1 FROM effect made WHERE made.account_id = a.account_id AND made.crm_id = d.entity_id
      AND made.what = 'create_deal' AND e.event_id IS NULL)
ORDER BY a.account_id, entered_at LIMIT 500
"""


class EndedOrder(NamedTuple):
    """A given item whose order came to an end. state: of the effect, None = it is not there any more."""

    account_id: str
    template: str
    item_id: str
    state: str | None
    code: str | None
    field: str | None
    detail: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UntoldDeal:
    """A deal in an attached stage that nobody told of. event_id: of its entry, where the CRM told of it after all."""

    account_id: str
    template: str
    pipeline_id: str
    stage_id: str
    deal_id: str
    event_id: int | None
    entered_at: datetime


async def given_by_hand(
    conn: Conn, account_id: str, item_ids: Sequence[str], users: Sequence[str]
) -> dict[str, str]:
    """Return by item to whom one of these CRM users gave its deal since it came."""
    rows = await conn.fetch(_BY_HAND, account_id, list(item_ids), list(users))
    return {row["item_id"]: row["new_value"] for row in rows}


async def ended_orders(conn: Conn, limit: int) -> list[EndedOrder]:
    return [EndedOrder(*row) for row in await conn.fetch(_ENDED, limit)]


async def mark_written(conn: Conn, account_id: str, item_ids: Sequence[str]) -> None:
    await conn.execute(
        "UPDATE distribution_item SET is_written = true WHERE account_id = $1 AND item_id = ANY($2)",
        account_id,
        list(item_ids),
    )


async def skip_unsent(conn: Conn, account_id: str, decision_id: str, note: str) -> bool:
    """Whether the change of the deal had not left yet; it does not leave any more, nor what goes with it."""
    unsent = bool(await conn.fetch(_UNSENT, account_id, decision_id, note))
    if unsent:
        await conn.execute(_SET_ASIDE, account_id, decision_id, note, 0)
    return unsent


async def set_orders_aside(conn: Conn, account_id: str, decision_id: str, note: str) -> None:
    """Keep what the CRM refused, and what needed it, off the desk: it is decided anew."""
    await conn.execute(_SET_ASIDE, account_id, decision_id, note, 2**31 - 1)


async def first_sign(
    conn: Conn, account_id: str, deal_id: str, user_id: str, since: datetime, whats: Sequence[str]
) -> datetime | None:
    """Return when this CRM user first changed something of the deal, its contact or company since then. whats: of these."""
    found: datetime | None = await conn.fetchval(_SIGN, account_id, user_id, since, list(whats), deal_id)
    return found


async def calls_with_client(
    conn: Conn, account_id: str, deal_id: str, since: datetime
) -> list[tuple[datetime, Call]]:
    """Return the calls with the deal's contacts and companies since then, the oldest first, and when each began by our clock."""
    rows = await conn.fetch(_CALLS, account_id, deal_id, since)
    calls = [(Call.model_validate_json(orjson.dumps(row["facts"])), row["clock_offset"]) for row in rows]
    return [(call.started_at + offset, call) for call, offset in calls]


async def untold_deals(conn: Conn, after: timedelta) -> list[UntoldDeal]:
    """Return deals that have stood in an attached stage for so long without an item."""
    return [UntoldDeal(**row) for row in await conn.fetch(_UNTOLD, after)]


async def first_stage(conn: Conn, account_id: str, deal_id: str) -> tuple[str, str] | None:
    """Return (pipeline, stage) in which a deal was made: what it first moved away from, else where it is."""
    value: str | None = await conn.fetchval(
        "SELECT coalesce((SELECT old_value FROM crm_event WHERE account_id = $1 AND entity_kind = 'deal'"
        " AND entity_id = $2 AND aspect = 'stage' ORDER BY at, event_id LIMIT 1),"
        " (SELECT pipeline_id || '/' || stage_id FROM directory_entity WHERE account_id = $1 AND kind = 'deal'"
        " AND entity_id = $2))",
        account_id,
        deal_id,
    )
    return stage_of(value)


def stage_of(value: str | None) -> tuple[str, str] | None:
    """(pipeline, stage) as changes of a deal tell it; None where it cannot be read."""
    pipeline, slash, stage = (value or "").partition("/")
    return (pipeline, stage) if slash and pipeline and stage else None
