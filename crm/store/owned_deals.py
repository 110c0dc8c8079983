"""Deals of a CRM user as the directory has them: the open ones, whose they were when they were made, who waits for an answer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from routing.shift_change.deals import OwnedDeal
from runtime.database.pool import Conn

HAND_OVER = "shift:"
"""Keys of effects that hand deals over at a change of shift begin with this."""

# What was given to somebody right after a deal was made (by a template, by the matrix) counts as whose it was from the beginning.
_SOON = "interval '10 minutes'"

_CREATED_FOR = f"""
coalesce((
    SELECT CASE WHEN v.at <= d.created_at + {_SOON} AND EXISTS (SELECT 1 FROM effect u WHERE u.account_id = d.account_id
            AND u.what = 'update_entity' AND u."order"->'target'->>'id' = d.entity_id
            AND u."order"->>'owner_id' = v.new_value AND NOT starts_with(u.effect_key, '{HAND_OVER}'))
        THEN v.new_value ELSE v.old_value END
    FROM crm_event v WHERE v.account_id = d.account_id AND v.entity_kind = 'deal' AND v.entity_id = d.entity_id
        AND v.aspect = 'responsible' AND v.old_value IS NOT NULL ORDER BY v.at, v.event_id LIMIT 1
), d.first_owner_id, d.owner_id)
"""  # noqa: S608 - constants

_OPEN = f"""
SELECT d.entity_id, d.owner_id, d.pipeline_id, d.is_open, d.created_at, {_CREATED_FOR} AS created_for,
    ARRAY(SELECT l.entity_id FROM directory_link l WHERE l.account_id = $1 AND l.deal_id = d.entity_id
          AND l.kind = 'contact' ORDER BY NOT l.is_main, l.entity_id) AS contacts,
    ARRAY(SELECT l.entity_id FROM directory_link l WHERE l.account_id = $1 AND l.deal_id = d.entity_id
          AND l.kind = 'company' ORDER BY l.entity_id) AS companies
FROM directory_entity d
WHERE d.account_id = $1 AND d.kind = 'deal' AND d.is_open AND d.owner_id = $2 AND d.pipeline_id = ANY($3)
  AND ($4::timestamptz IS NULL OR d.created_at >= $4)
"""  # noqa: S608

# The client wrote, and nobody has written back. Chats hang on the deal or on one of its contacts.
_WAITING = """
WITH place AS (
    SELECT id AS deal_id, 'deal' AS kind, id AS entity_id FROM unnest($2::text[]) AS id
    UNION ALL
    SELECT l.deal_id, l.kind, l.entity_id FROM directory_link l
    WHERE l.account_id = $1 AND l.deal_id = ANY($2) AND l.kind = 'contact'
), talk AS (
    SELECT p.deal_id, max(e.at) FILTER (WHERE e.what = 'message_received') AS told,
           max(e.at) FILTER (WHERE e.what = 'message_sent') AS answered
    FROM place p JOIN crm_event e ON e.account_id = $1 AND e.entity_kind = p.kind AND e.entity_id = p.entity_id
         AND e.what IN ('message_received', 'message_sent')
    GROUP BY p.deal_id
)
SELECT deal_id, told FROM talk WHERE told > coalesce(answered, '-infinity')
"""

_NOW = """
SELECT kind, entity_id, owner_id, is_open, pipeline_id FROM directory_entity
JOIN unnest($2::text[], $3::text[]) AS w (kind, entity_id) USING (kind, entity_id) WHERE account_id = $1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOwned:
    """An open deal, with its contacts (the main one first) and companies. created_for: CRM user, as far as that is known."""

    deal: OwnedDeal
    created_for: str | None
    contacts: tuple[str, ...]
    companies: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityNow:
    owner: str | None
    is_open: bool
    pipeline_id: str | None


async def open_deals(
    conn: Conn, account_id: str, user_id: str, pipelines: Collection[str], since: datetime | None = None
) -> list[KnownOwned]:
    """Return every open deal of the user in these pipelines, with or without contacts. since: only those made from then on."""
    rows = await conn.fetch(_OPEN, account_id, user_id, list(pipelines), since)
    waiting = await _waiting(conn, account_id, [row["entity_id"] for row in rows])
    return [_known(row, waiting.get(row["entity_id"])) for row in rows]


async def entities_now(
    conn: Conn, account_id: str, refs: Collection[tuple[str, str]]
) -> dict[tuple[str, str], EntityNow]:
    """Those of these (kind, id) that the directory has."""
    rows = await conn.fetch(_NOW, account_id, [kind for kind, _ in refs], [id for _, id in refs])
    return {
        (row["kind"], row["entity_id"]): EntityNow(
            owner=row["owner_id"], is_open=row["is_open"], pipeline_id=row["pipeline_id"]
        )
        for row in rows
    }


async def _waiting(conn: Conn, account_id: str, deal_ids: Collection[str]) -> dict[str, datetime]:
    if not deal_ids:
        return {}
    return {row["deal_id"]: row["told"] for row in await conn.fetch(_WAITING, account_id, list(deal_ids))}


def _known(row: Any, waiting_since: datetime | None) -> KnownOwned:
    deal = OwnedDeal(
        id=row["entity_id"],
        owner=row["owner_id"],
        pipeline_id=row["pipeline_id"],
        is_open=row["is_open"],
        created_at=row["created_at"],
        waiting_since=waiting_since,
    )
    return KnownOwned(
        deal=deal,
        created_for=row["created_for"],
        contacts=tuple(row["contacts"]),
        companies=tuple(row["companies"]),
    )
