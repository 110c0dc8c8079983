"""Calls of campaigns whose topics are asked for: which, when next, and what was told so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from runtime.database.pool import Conn

_ASKED_FOR = timedelta(hours=1)
_LEASE = timedelta(minutes=1)
"""Whoever asks has so long; then another worker asks again, which changes nothing."""

_NEW = """
INSERT INTO campaign_topic (account_id, call_id, campaign_id, item_id, connection, call_key, client, employee_id, started_at,
    ended_at, next_ask_at)
SELECT c.account_id, c.call_id, m.campaign_id, m.item_id, c.connection_id, c.call_key, m.number, a.employee_id, c.started_at,
    c.ended_at, now()
FROM outbound_attempt a
JOIN campaign_member m ON m.account_id = a.account_id AND m.item_id = a.item_id
JOIN campaign k ON k.account_id = m.account_id AND k.campaign_id = m.campaign_id
JOIN call c ON c.account_id = a.account_id AND c.attempt_id = a.attempt_id
WHERE a.kind = 'campaign' AND a.over_at > now() - $1::interval AND (k.settings->'topics'->>'is_on')::boolean
    AND c.is_over AND c.ended_at IS NOT NULL
ON CONFLICT DO NOTHING
"""
# Of a campaign that a contact centre dials: by the number's id there, or while that is not read by the number.
_NEW_THERE = """
INSERT INTO campaign_topic (account_id, call_id, campaign_id, item_id, connection, call_key, client, started_at, ended_at, next_ask_at)
SELECT c.account_id, c.call_id, k.campaign_id, k.item_id, c.connection_id, c.call_key, c.client, c.started_at, c.ended_at, now()
FROM call c CROSS JOIN LATERAL (
    SELECT k.campaign_id, k.settings, coalesce(m.item_id, '') AS item_id FROM campaign k
    JOIN connection o ON o.account_id = k.account_id AND o.name = k.settings->>'connection' AND o.connection_id = c.connection_id
    LEFT JOIN campaign_member m ON m.account_id = k.account_id AND m.campaign_id = k.campaign_id AND m.number = c.client
    LEFT JOIN campaign_task t ON t.account_id = k.account_id AND t.campaign_id = k.campaign_id AND t.task_ref = c.campaign_task
    WHERE k.account_id = c.account_id AND k.settings->>'engine' = 'pbx' AND (t.marker IS NOT NULL OR m.number IS NOT NULL)
    ORDER BY t.marker IS NOT NULL DESC, m.added_at DESC NULLS LAST LIMIT 1) AS k
WHERE c.campaign_task IS NOT NULL AND c.ended_at > now() - $1::interval AND c.is_over AND c.client IS NOT NULL
    AND (k.settings->'topics'->>'is_on')::boolean
ON CONFLICT DO NOTHING
"""
_DUE = """
UPDATE campaign_topic t SET next_ask_at = now() + $2::interval FROM (
    SELECT account_id, call_id, next_ask_at FROM campaign_topic JOIN account a USING (account_id)
    WHERE next_ask_at <= now() AND a.state = 'on' ORDER BY next_ask_at LIMIT $1 FOR UPDATE OF campaign_topic SKIP LOCKED) AS due
WHERE t.account_id = due.account_id AND t.call_id = due.call_id
RETURNING t.*
"""
# What was open before the call, and what the matrix made for it.
_AROUND = """
SELECT (SELECT effect_key FROM effect WHERE account_id = $1 AND call_id = $2 AND what = 'create_deal'
    AND state NOT IN ('dead', 'skipped', 'expired') ORDER BY created_at LIMIT 1) AS made_deal,
  (SELECT crm_id FROM effect WHERE account_id = $1 AND call_id = $2 AND what = 'create_deal' AND crm_id IS NOT NULL
    ORDER BY created_at LIMIT 1) AS made_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicRow:
    """topics, comment: as they were told last. has_deal: the deal was ordered, made_deal: by the matrix, for this call."""

    account_id: str
    call_id: str
    campaign_id: str
    item_id: str
    connection: str
    call_key: str
    client: str
    employee_id: str | None
    started_at: datetime
    ended_at: datetime
    next_ask_at: datetime | None
    asks: int
    topics: Sequence[str]
    comment: str
    has_deal: bool
    made_deal: str | None
    error: str


async def find_calls(conn: Conn) -> int:
    """Take up calls of campaigns that want topics and have just ended; how many are new."""
    done: list[str] = [await conn.execute(statement, _ASKED_FOR) for statement in (_NEW, _NEW_THERE)]
    return sum(int(one.split()[-1]) for one in done)


async def topics_of_campaign(conn: Conn, account_id: str, campaign_id: str, limit: int) -> list[TopicRow]:
    """Return its calls of which something was said, or still may be; the latest first."""
    rows = await conn.fetch(
        "SELECT * FROM campaign_topic WHERE account_id = $1 AND campaign_id = $2"
        " AND (next_ask_at IS NOT NULL OR comment <> '' OR topics <> '[]' OR error <> '')"
        " ORDER BY started_at DESC, call_id LIMIT $3",
        account_id,
        campaign_id,
        limit,
    )
    return [TopicRow(**dict(row)) for row in rows]


async def take_due(conn: Conn, limit: int) -> list[TopicRow]:
    """Return those that are to be asked about now; nobody else asks for a minute."""
    return [TopicRow(**dict(row)) for row in await conn.fetch(_DUE, limit, _LEASE)]


async def lock_topic(conn: Conn, row: TopicRow) -> TopicRow | None:
    """Hold it until the transaction ends. None: it was over with meanwhile."""
    found = await conn.fetchrow(
        "SELECT * FROM campaign_topic WHERE account_id = $1 AND call_id = $2 AND next_ask_at IS NOT NULL FOR UPDATE",
        row.account_id,
        row.call_id,
    )
    return TopicRow(**dict(found)) if found else None


async def save_topic(
    conn: Conn,
    row: TopicRow,
    *,
    topics: Sequence[str],
    comment: str,
    next_ask_at: datetime | None,
    has_deal: bool,
    made_deal: str | None,
    error: str = "",
) -> None:
    await conn.execute(
        "UPDATE campaign_topic SET topics = $3, comment = $4, next_ask_at = $5, has_deal = $6, made_deal = $7, error = $8,"
        " asks = asks + 1 WHERE account_id = $1 AND call_id = $2",
        row.account_id,
        row.call_id,
        list(topics),
        comment,
        next_ask_at,
        has_deal,
        made_deal,
        error,
    )


async def deal_of_call(conn: Conn, account_id: str, call_id: str) -> tuple[str | None, str | None]:
    """Return the deal that the matrix made for this call: key of the effect, and its id once the CRM has it."""
    row: Any = await conn.fetchrow(_AROUND, account_id, call_id)
    return row["made_deal"], row["made_id"]


async def delete_topics_older_than(conn: Conn, *, account_id: str, before: datetime, limit: int) -> int:
    done: str = await conn.execute(
        "DELETE FROM campaign_topic WHERE (account_id, call_id) IN (SELECT account_id, call_id FROM campaign_topic"
        " WHERE account_id = $1 AND ended_at < $2 AND next_ask_at IS NULL LIMIT $3)",
        account_id,
        before,
        limit,
    )
    return int(done.split()[-1])
