"""Campaigns that a contact centre dials: whose turn it is to be looked at, and how each was found."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Literal

from campaigns.engine import EngineTrouble
from gateway.store.campaigns.campaigns import CampaignRow, as_campaign
from runtime.database.pool import Conn

LEASE = timedelta(minutes=3)
"""Whoever is at a campaign has so long; what it left half done then is looked for by the next one."""
_LOOKED_AFTER = timedelta(days=1)
"""So long after its end here it is tried to take out of it there what is still to be called."""

_NEW = """
INSERT INTO campaign_engine (account_id, campaign_id)
SELECT account_id, campaign_id FROM campaign c WHERE settings->>'engine' = 'pbx' AND state <> 'finished'
    AND NOT EXISTS (SELECT FROM campaign_engine e WHERE e.account_id = c.account_id AND e.campaign_id = c.campaign_id)
ON CONFLICT DO NOTHING
"""
# One that has finished here is looked after until nothing of it is called there any more.
_DUE = """
UPDATE campaign_engine e SET leased_until = now() + $2::interval FROM (
    SELECT e.account_id, e.campaign_id FROM campaign_engine e JOIN campaign c USING (account_id, campaign_id)
    JOIN account a USING (account_id)
    WHERE a.state = 'on' AND e.leased_until <= now() AND c.settings->>'engine' = 'pbx'
      AND (c.state <> 'finished' OR c.finished_at > now() - $3::interval AND EXISTS (SELECT FROM campaign_task t WHERE t.account_id = e.account_id
        AND t.campaign_id = e.campaign_id AND t.state NOT IN ('over', 'foreign')))
      AND (e.due_at <= now() OR e.trouble = '' AND e.send_at <= now() AND c.state <> 'finished'
        AND EXISTS (SELECT FROM outbound_item i WHERE i.account_id = e.account_id AND i.campaign = c.name AND i.state = 'held'
          AND i.not_before <= now() AND i.client IS NOT NULL AND i.reason <> 'linked' AND NOT EXISTS (SELECT FROM campaign_task t
            WHERE t.account_id = i.account_id AND t.item_id = i.item_id)))
    ORDER BY e.due_at LIMIT $1 FOR UPDATE OF e SKIP LOCKED) AS due
WHERE e.account_id = due.account_id AND e.campaign_id = due.campaign_id RETURNING e.*
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRow:
    """How it was found last. list_seconds: how long until all its numbers are read again. throttled: so often in a row
    it said that it is asked too often."""

    account_id: str
    campaign_id: str
    words: str
    trouble: EngineTrouble | Literal[""]
    looked_at: datetime | None
    listed_at: datetime | None
    list_seconds: int
    due_at: datetime
    send_at: datetime
    throttled: int


_COLUMNS = tuple(field.name for field in fields(EngineRow))


async def take_due(conn: Conn, limit: int) -> list[tuple[EngineRow, CampaignRow]]:
    """Return those that are to be looked at now; nobody else is at them until they are given back."""
    await conn.execute(_NEW)
    found = []
    for row in await conn.fetch(_DUE, limit, LEASE, _LOOKED_AFTER):
        campaign = await conn.fetchrow(
            "SELECT * FROM campaign WHERE account_id = $1 AND campaign_id = $2",
            row["account_id"],
            row["campaign_id"],
        )
        if campaign is not None:
            found.append((EngineRow(**{name: row[name] for name in _COLUMNS}), as_campaign(campaign)))
    return found


async def engine_of(conn: Conn, row: CampaignRow) -> EngineRow | None:
    found = await conn.fetchrow(
        "SELECT * FROM campaign_engine WHERE account_id = $1 AND campaign_id = $2",
        row.account_id,
        row.campaign_id,
    )
    return EngineRow(**{name: found[name] for name in _COLUMNS}) if found else None


async def engines_of(conn: Conn, account_id: str) -> dict[str, EngineRow]:
    """By the campaign's id."""
    rows = await conn.fetch("SELECT * FROM campaign_engine WHERE account_id = $1", account_id)
    found = [EngineRow(**{name: row[name] for name in _COLUMNS}) for row in rows]
    return {row.campaign_id: row for row in found}


async def give_back(conn: Conn, row: EngineRow) -> None:
    """Write down how it was found, and let go of it."""
    await conn.execute(
        "UPDATE campaign_engine SET words = $3, trouble = $4, looked_at = $5, listed_at = $6, list_seconds = $7, due_at = $8,"
        " send_at = $9, throttled = $10, leased_until = now() WHERE account_id = $1 AND campaign_id = $2",
        row.account_id,
        row.campaign_id,
        row.words,
        row.trouble,
        row.looked_at,
        row.listed_at,
        row.list_seconds,
        row.due_at,
        row.send_at,
        row.throttled,
    )


async def others_of_engine(conn: Conn, account_id: str, connection: str, ref: str, name: str) -> str | None:
    """Return the name of another campaign that is the same one there and has not finished."""
    found: str | None = await conn.fetchval(
        "SELECT name FROM campaign WHERE account_id = $1 AND settings->>'engine' = 'pbx' AND settings->>'connection' = $2"
        " AND settings->>'engine_ref' = $3 AND name <> $4 AND state <> 'finished' LIMIT 1",
        account_id,
        connection,
        ref,
        name,
    )
    return found
