"""Firings as they are listed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from gateway.store.outbound.items import OutboundItem, as_item
from gateway.store.triggers.firings import FiringRow, as_firing
from runtime.database.pool import Conn

_LIST = """
SELECT * FROM firing WHERE account_id = $1 AND ($2::text IS NULL OR trigger = $2)
  AND ($3::text IS NULL OR deal_id = $3) AND ($4::text IS NULL OR state = $4) AND ($5::text IS NULL OR reason = $5)
  AND ($6::timestamptz IS NULL OR created_at >= $6) AND ($7::timestamptz IS NULL OR created_at < $7)
  AND ($8::timestamptz IS NULL OR (created_at, firing_id) < ($8, $9)) AND trigger <> ALL($10)
ORDER BY created_at DESC, firing_id DESC LIMIT $11
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FiringFilter:
    """None: whatever it is. since, until: when it was told. after: (created_at, firing_id) of the last one of the page
    before. without: of these triggers none."""

    trigger: str | None = None
    deal_id: str | None = None
    state: str | None = None
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: tuple[datetime, str] | None = None
    without: Collection[str] = ()


async def listed_firings(conn: Conn, account_id: str, wanted: FiringFilter, *, limit: int) -> list[FiringRow]:
    """Newest first."""
    rows = await conn.fetch(
        _LIST,
        account_id,
        wanted.trigger,
        wanted.deal_id,
        wanted.state,
        wanted.reason,
        wanted.since,
        wanted.until,
        *(wanted.after or (None, None)),
        list(wanted.without),
        limit,
    )
    return [as_firing(row) for row in rows]


async def firing_anywhere(conn: Conn, account_id: str | None, firing_id: str) -> FiringRow | None:
    """account_id: None = whichever account's."""
    row = await conn.fetchrow(
        "SELECT f.* FROM account a JOIN firing f USING (account_id)"
        " WHERE ($1::text IS NULL OR a.account_id = $1) AND f.firing_id = $2",
        account_id,
        firing_id,
    )
    return as_firing(row) if row else None


async def item_of_firing(conn: Conn, account_id: str, firing_id: str) -> str | None:
    """Return the id of what it put into the queue; None: nothing, or it was deleted since."""
    found: str | None = await conn.fetchval(
        "SELECT item_id FROM outbound_item WHERE account_id = $1 AND firing_id = $2", account_id, firing_id
    )
    return found


async def items_of_firings(
    conn: Conn, account_id: str, firing_ids: Collection[str]
) -> dict[str, OutboundItem]:
    """Return what they put into the queue, by firing; those that put nothing there, or whose item was deleted, are missing."""
    rows = await conn.fetch(
        "SELECT * FROM outbound_item WHERE account_id = $1 AND firing_id = ANY($2)",
        account_id,
        list(firing_ids),
    )
    return {row["firing_id"]: as_item(row) for row in rows}


async def count_fired_in(conn: Conn, account_id: str, trigger: str, stage: tuple[str, str | None]) -> int:
    """Count the open deals of a (pipeline, stage) for which it has fired already. stage: None = of the whole pipeline."""
    found: int = await conn.fetchval(
        "SELECT count(DISTINCT f.deal_id) FROM firing f JOIN directory_entity d"
        " ON d.account_id = f.account_id AND d.kind = 'deal' AND d.entity_id = f.deal_id"
        " WHERE f.account_id = $1 AND f.trigger = $2 AND f.state = 'queued' AND d.is_open"
        " AND d.pipeline_id = $3 AND ($4::text IS NULL OR d.stage_id = $4)",
        account_id,
        trigger,
        *stage,
    )
    return found


async def firing_of(conn: Conn, account_id: str, firing_id: str) -> FiringRow | None:
    row = await conn.fetchrow(
        "SELECT * FROM firing WHERE account_id = $1 AND firing_id = $2", account_id, firing_id
    )
    return as_firing(row) if row else None
