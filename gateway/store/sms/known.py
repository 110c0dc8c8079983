"""What is known of a deal without asking the CRM, as far as a text may speak of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm.port import CrmEntity
from runtime.database.pool import Conn

_DEAL = """
SELECT d.name, d.owner_id, d.pipeline_id, d.stage_id, d.is_open, d.created_at, c.entity_id AS contact_id, c.name AS contact,
  k.entity_id AS company_id, k.name AS company,
  ARRAY(SELECT '+' || n.number FROM directory_number n WHERE n.account_id = $1 AND n.kind = 'contact'
    AND n.entity_id = c.entity_id ORDER BY n.number) AS contact_numbers,
  ARRAY(SELECT '+' || n.number FROM directory_number n WHERE n.account_id = $1 AND n.kind = 'company'
    AND n.entity_id = k.entity_id ORDER BY n.number) AS company_numbers,
  (SELECT jsonb_object_agg(s.entity_kind || '.' || s.aspect, s.value) FROM crm_entity_state s WHERE s.account_id = $1
    AND ((s.entity_kind = 'deal' AND s.entity_id = d.entity_id AND s.aspect IN ('price', 'fields'))
      OR (s.entity_kind = 'contact' AND s.entity_id = c.entity_id AND s.aspect = 'fields'))) AS told
FROM directory_entity d LEFT JOIN LATERAL (
    SELECT e.entity_id, e.name FROM directory_link l JOIN directory_entity e ON e.account_id = l.account_id
      AND e.kind = 'contact' AND e.entity_id = l.entity_id
    WHERE l.account_id = $1 AND l.kind = 'contact' AND l.deal_id = d.entity_id
    ORDER BY l.is_main DESC, length(l.entity_id), l.entity_id LIMIT 1) c ON true
LEFT JOIN LATERAL (
    SELECT e.entity_id, e.name FROM directory_link l JOIN directory_entity e ON e.account_id = l.account_id
      AND e.kind = 'company' AND e.entity_id = l.entity_id
    WHERE l.account_id = $1 AND l.kind = 'company' AND l.deal_id = d.entity_id
    ORDER BY length(l.entity_id), l.entity_id LIMIT 1) k ON true
WHERE d.account_id = $1 AND d.kind = 'deal' AND d.entity_id = $2
"""

Known = tuple[CrmEntity, CrmEntity | None, CrmEntity | None]
"""Deal, main contact, company."""


async def known_deal(conn: Conn, account_id: str, deal_id: str) -> Known | None:
    """As the directory has it, with what changes told since. None: it does not know the deal."""
    row = await conn.fetchrow(_DEAL, account_id, deal_id)
    if row is None:
        return None
    told: Mapping[str, str] = row["told"] or {}
    price = told.get("deal.price") or ""
    deal = CrmEntity(
        kind="deal",
        id=deal_id,
        name=row["name"] or "",
        owner_id=row["owner_id"],
        pipeline_id=row["pipeline_id"],
        stage_id=row["stage_id"],
        is_open=row["is_open"],
        created_at=row["created_at"],
        price=int(price) if price.isascii() and price.isdigit() else None,
        fields=told.get("deal.fields"),
    )
    contact = _person("contact", row, told.get("contact.fields")) if row["contact_id"] else None
    company = _person("company", row, None) if row["company_id"] else None
    return deal, contact, company


def _person(kind: Any, row: Any, fields: str | None) -> CrmEntity:
    return CrmEntity(
        kind=kind,
        id=row[f"{kind}_id"],
        name=row[kind] or "",
        numbers=tuple(row[f"{kind}_numbers"]),
        fields=fields,
    )


async def price_of_part(conn: Conn, account_id: str, connection: str) -> Any:
    """Return what one part cost last, None where nobody told."""
    return await conn.fetchval(
        "SELECT price / parts FROM sms_message WHERE account_id = $1 AND connection = $2 AND price IS NOT NULL"
        " ORDER BY created_at DESC LIMIT 1",
        account_id,
        connection,
    )
