"""A deal as the directory has it, with what else its contacts and companies have: no number is needed for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from routing.client import EntityKind
from runtime.database.pool import Conn

_DEALS = """
SELECT entity_id, name, owner_id, pipeline_id, stage_id, is_open, created_at, NOT EXISTS (
    SELECT 1 FROM directory_reread r WHERE r.account_id = $1 AND r.kind = 'deal' AND r.entity_id = d.entity_id) AS is_read
FROM directory_entity d WHERE account_id = $1 AND kind = 'deal' AND entity_id = ANY($2)
"""

# Of one contact with thousands of deals (a switchboard, a dealer) the newest are enough to know whose client it is.
_LINKED = """
SELECT deal.id AS deal_id, linked.* FROM unnest($2::text[]) AS deal (id) CROSS JOIN LATERAL (
    SELECT l.kind, l.entity_id, l.is_main, e.owner_id FROM directory_link l
    LEFT JOIN directory_entity e ON e.account_id = l.account_id AND e.kind = l.kind AND e.entity_id = l.entity_id
    WHERE l.account_id = $1 AND l.deal_id = deal.id
    ORDER BY l.is_main DESC, l.kind, length(l.entity_id), l.entity_id LIMIT 50) AS linked
"""

_OTHERS = """
SELECT deal.id AS deal_id, other.* FROM unnest($2::text[]) AS deal (id) CROSS JOIN LATERAL (
    SELECT l.kind AS via, e.entity_id, e.owner_id, e.is_open, e.created_at, e.updated_at, e.closed_at, e.pipeline_id
    FROM directory_link mine
    JOIN directory_link l ON l.account_id = mine.account_id AND l.kind = mine.kind AND l.entity_id = mine.entity_id
        AND l.deal_id <> mine.deal_id
    JOIN directory_entity e ON e.account_id = l.account_id AND e.kind = 'deal' AND e.entity_id = l.deal_id
    WHERE mine.account_id = $1 AND mine.deal_id = deal.id
    ORDER BY e.is_open DESC, coalesce(e.closed_at, e.updated_at, e.created_at) DESC NULLS LAST,
        length(e.entity_id) DESC, e.entity_id DESC LIMIT 200) AS other
"""

_NUMBERS = """
SELECT DISTINCT ON (l.deal_id) l.deal_id, n.number FROM directory_link l
JOIN directory_number n ON n.account_id = l.account_id AND n.kind = l.kind AND n.entity_id = l.entity_id
WHERE l.account_id = $1 AND l.deal_id = ANY($2) ORDER BY l.deal_id, l.is_main DESC, n.number
"""

_IN_STAGE = """
SELECT created_at, entity_id FROM directory_entity
WHERE account_id = $1 AND kind = 'deal' AND is_open AND created_at IS NOT NULL AND pipeline_id = $2 AND stage_id = $3
  AND (created_at, entity_id) > (coalesce($4::timestamptz, '-infinity'), $5)
ORDER BY created_at, entity_id LIMIT $6
"""

_CREATED = """
SELECT entity_id, created_at FROM directory_entity
WHERE account_id = $1 AND kind = 'deal' AND created_at >= $2 AND created_at < $3
  AND ($4::text[] IS NULL OR pipeline_id = ANY($4))
ORDER BY created_at DESC, entity_id DESC LIMIT $5
"""

_OPEN_OF = """
SELECT owner_id, count(*) AS n FROM directory_entity
WHERE account_id = $1 AND kind = 'deal' AND is_open AND owner_id = ANY($2::text[])
  AND ($3::text[] IS NULL OR pipeline_id = ANY($3)) GROUP BY owner_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedEntity:
    """A contact or company of a deal."""

    kind: EntityKind
    id: str
    is_main: bool
    owner_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientDeal:
    """Another deal of the same client. via: contact or company, through which it is the same client's."""

    via: EntityKind
    id: str
    owner_id: str | None
    is_open: bool
    created_at: datetime | None
    at: datetime | None
    pipeline_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDeal:
    """number: E.164 of its client, None where there is none. others: open ones first, then the latest. is_read: False = only
    told of, so that its contacts and companies may not be known yet."""

    id: str
    name: str
    owner_id: str | None
    pipeline_id: str | None
    stage_id: str | None
    is_open: bool
    created_at: datetime | None
    linked: tuple[LinkedEntity, ...]
    others: tuple[ClientDeal, ...]
    number: str | None
    is_read: bool = True


async def known_deal(conn: Conn, account_id: str, deal_id: str) -> KnownDeal | None:
    """None: the directory does not have it, or no longer."""
    return (await known_deals(conn, account_id, [deal_id])).get(deal_id)


async def known_deals(conn: Conn, account_id: str, deal_ids: Sequence[str]) -> dict[str, KnownDeal]:
    """Return those of these deals that the directory has, in as few questions as one would need."""
    ids = list(dict.fromkeys(deal_ids))
    deals = await conn.fetch(_DEALS, account_id, ids)
    linked = await _by_deal(conn, _LINKED, account_id, [row["entity_id"] for row in deals])
    others = await _by_deal(conn, _OTHERS, account_id, list(linked))
    numbers = await _by_deal(conn, _NUMBERS, account_id, list(linked))
    return {
        row["entity_id"]: _known(
            row, *(found.get(row["entity_id"], []) for found in (linked, others, numbers))
        )
        for row in deals
    }


async def _by_deal(conn: Conn, sql: str, account_id: str, deal_ids: list[str]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in await conn.fetch(sql, account_id, deal_ids) if deal_ids else ():
        found.setdefault(row["deal_id"], []).append(row)
    return found


def _known(deal: Any, linked: Sequence[Any], others: Sequence[Any], numbers: Sequence[Any]) -> KnownDeal:
    return KnownDeal(
        id=deal["entity_id"],
        name=deal["name"],
        owner_id=deal["owner_id"],
        pipeline_id=deal["pipeline_id"],
        stage_id=deal["stage_id"],
        is_open=deal["is_open"],
        created_at=deal["created_at"],
        linked=tuple(
            LinkedEntity(kind=r["kind"], id=r["entity_id"], is_main=r["is_main"], owner_id=r["owner_id"])
            for r in linked
        ),
        others=tuple(_other(row) for row in others),
        number=next((f"+{row['number']}" for row in numbers), None),
        is_read=deal["is_read"] or bool(linked),
    )


def _other(row: Any) -> ClientDeal:
    return ClientDeal(
        via=row["via"],
        id=row["entity_id"],
        owner_id=row["owner_id"],
        is_open=row["is_open"],
        created_at=row["created_at"],
        at=row["closed_at"] or row["updated_at"] or row["created_at"],
        pipeline_id=row["pipeline_id"],
    )


async def deals_in_stage(
    conn: Conn, account_id: str, stage: tuple[str, str], *, after: tuple[datetime | None, str], limit: int
) -> list[tuple[datetime, str]]:
    """Return (created_at, id) of open deals that stand in a (pipeline, stage), the oldest first. after: of the last one."""
    rows = await conn.fetch(_IN_STAGE, account_id, *stage, *after, limit)
    return [(row["created_at"], row["entity_id"]) for row in rows]


async def open_deals_of(
    conn: Conn, account_id: str, users: Sequence[str], pipelines: Sequence[str] | None = None
) -> dict[str, int]:
    """Return how many open deals each of these CRM users has; who has none is absent. pipelines: None = in all."""
    rows = await conn.fetch(_OPEN_OF, account_id, list(users), None if pipelines is None else list(pipelines))
    return {row["owner_id"]: row["n"] for row in rows}


async def deals_created(
    conn: Conn,
    account_id: str,
    since: datetime,
    until: datetime,
    pipelines: Sequence[str] | None,
    *,
    limit: int,
) -> list[tuple[str, datetime]]:
    """Return (id, when it was created), newest first. pipelines: None = of all."""
    wanted = None if pipelines is None else list(pipelines)
    rows = await conn.fetch(_CREATED, account_id, since, until, wanted, limit)
    return [(row["entity_id"], row["created_at"]) for row in rows]
