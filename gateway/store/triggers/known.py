"""What is known of deals without asking the CRM: from the directory, and from what changes told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from routing.staff import Staff
from routing.triggers.facts import TriggerFacts
from runtime.database.pool import Conn

_KNOWN = """
SELECT d.entity_id, d.name, d.owner_id, d.pipeline_id, d.stage_id, d.is_open, c.entity_id AS contact_id, c.name AS contact,
  (SELECT value FROM crm_entity_state s WHERE s.account_id = $1 AND s.entity_kind = 'deal' AND s.entity_id = d.entity_id
    AND s.aspect = 'price') AS price,
  (SELECT value FROM crm_entity_state s WHERE s.account_id = $1 AND s.entity_kind = 'deal' AND s.entity_id = d.entity_id
    AND s.aspect = 'fields') AS fields,
  (SELECT value FROM crm_entity_state s WHERE s.account_id = $1 AND s.entity_kind = 'contact' AND s.entity_id = c.entity_id
    AND s.aspect = 'fields') AS contact_fields
FROM directory_entity d LEFT JOIN LATERAL (
    SELECT e.entity_id, e.name FROM directory_link l JOIN directory_entity e ON e.account_id = l.account_id
      AND e.kind = 'contact' AND e.entity_id = l.entity_id
    WHERE l.account_id = $1 AND l.kind = 'contact' AND l.deal_id = d.entity_id
    ORDER BY l.is_main DESC, length(l.entity_id), l.entity_id LIMIT 1) c ON true
WHERE d.account_id = $1 AND d.kind = 'deal' AND d.entity_id = ANY($2)
"""


async def known_facts(
    conn: Conn, account_id: str, deal_ids: Sequence[str], staff: Staff, field_names: frozenset[str]
) -> list[TriggerFacts]:
    """Tags are never among it."""
    rows = await conn.fetch(_KNOWN, account_id, list(deal_ids))
    return [_facts(row, staff, field_names) for row in rows]


def _facts(row: Any, staff: Staff, field_names: frozenset[str]) -> TriggerFacts:
    person = staff.by_crm_user.get(row["owner_id"] or "")
    price = row["price"]
    return TriggerFacts(
        deal_id=row["entity_id"],
        is_open=row["is_open"],
        name=row["name"],
        price=int(price) if price and price.isascii() and price.isdigit() else None,
        pipeline_id=row["pipeline_id"],
        stage_id=row["stage_id"],
        responsible=row["owner_id"],
        employee_id=person.id if person else None,
        deal_fields=orjson.loads(row["fields"]) if row["fields"] else None,
        contact_id=row["contact_id"],
        contact_name=row["contact"],
        contact_fields=orjson.loads(row["contact_fields"]) if row["contact_fields"] else None,
        field_names=field_names,
    )
