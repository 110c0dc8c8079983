"""What is known of an item and of its client at the moment when it may be dialled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from gateway.store.outbound.items import OutboundItem
from runtime.database.pool import Conn

_DEAL = """
WITH main AS (SELECT coalesce((SELECT l.entity_id FROM directory_link l
    WHERE l.account_id = $1 AND l.deal_id = $2 AND l.kind = 'contact'
    ORDER BY l.is_main DESC, length(l.entity_id), l.entity_id LIMIT 1), $3) AS contact_id)
SELECT d.entity_id IS NOT NULL AS is_known, d.is_open, d.pipeline_id, d.stage_id, d.owner_id, main.contact_id,
  EXISTS (SELECT 1 FROM directory_entity c WHERE c.account_id = $1 AND c.kind = 'contact' AND c.entity_id = main.contact_id)
    AS is_contact_known,
  EXISTS (SELECT 1 FROM directory_reread r WHERE r.account_id = $1 AND r.kind = 'deal' AND r.entity_id = $2) AS is_to_be_read,
  (SELECT jsonb_object_agg(s.entity_kind || '.' || s.aspect, s.value) FROM crm_entity_state s WHERE s.account_id = $1
    AND (s.entity_kind = 'deal' AND s.entity_id = $2 AND s.aspect IN ('stage', 'responsible', 'deleted', 'fields')
      OR s.entity_kind = 'contact' AND s.entity_id = main.contact_id
        AND s.aspect IN ('fields', 'numbers'))) AS told,
  ARRAY(SELECT n.number FROM directory_number n WHERE n.account_id = $1 AND n.kind = 'contact'
    AND n.entity_id = main.contact_id ORDER BY n.number) AS numbers,
  ARRAY(SELECT n.number FROM directory_link l JOIN directory_number n ON n.account_id = l.account_id AND n.kind = l.kind
    AND n.entity_id = l.entity_id WHERE main.contact_id IS NULL AND l.account_id = $1 AND l.deal_id = $2 AND l.kind = 'company'
    ORDER BY n.number) AS company_numbers,
  ARRAY(SELECT DISTINCT a.client FROM outbound_attempt a WHERE a.account_id = $1 AND a.item_id = $7 AND a.side = 'client')
    AS tried,
  f.cause, v.body AS trigger, t.on_since IS NOT NULL AND t.removed_at IS NULL AS is_trigger_on
FROM main LEFT JOIN directory_entity d ON d.account_id = $1 AND d.kind = 'deal' AND d.entity_id = $2
LEFT JOIN firing f ON f.account_id = $1 AND f.firing_id = $4
LEFT JOIN pipeline_trigger t ON t.account_id = $1 AND t.name = $5
LEFT JOIN pipeline_trigger_version v ON v.account_id = $1 AND v.name = $5 AND v.version = $6
"""

# Times of calls are the PBX's; ours are so much later.
_CLIENT = """
SELECT (SELECT max(least(c.ended_at, $4) + c.clock_offset) FROM call c WHERE c.account_id = $1 AND c.client = $2
    AND c.answered_at IS NOT NULL AND c.is_over AND c.direction <> 'internal' AND c.started_at > $3) AS spoken_at,
  EXISTS (SELECT 1 FROM call c WHERE c.account_id = $1 AND c.client = $2 AND NOT c.is_over AND c.started_at > $5)
    OR EXISTS (SELECT 1 FROM inbox i WHERE i.account_id = $1 AND i.client = $2 AND i.state = 'pending') AS is_in_call,
  EXISTS (SELECT 1 FROM outbound_attempt a WHERE a.account_id = $1 AND a.state <> 'over' AND (a.client = $2 OR a.client = ANY(ARRAY(
    SELECT '+' || other.number FROM directory_number one JOIN directory_number other USING (account_id, kind, entity_id)
    WHERE one.account_id = $1 AND one.kind = 'contact' AND one.number = $6))))
    AS is_being_called
"""

_UNDER_WAY = """
SELECT facts->'talks' AS talks, facts->'rung' AS rung, answered_at IS NOT NULL AS is_answered, heard_at FROM call
WHERE account_id = $1 AND NOT is_over AND started_at > $2
"""

_LIVE = """
SELECT employee_id, extension FROM outbound_attempt WHERE account_id = $1 AND state <> 'over'
"""

_LATEST = """
SELECT employee_id, max(claimed_at) AS at FROM outbound_attempt
WHERE account_id = $1 AND employee_id = ANY($2) AND claimed_at > $3 GROUP BY employee_id
"""

_LONGEST_CALL = timedelta(hours=6)
_LONGEST_RINGING = timedelta(minutes=3)
"""A call whose end was lost holds nobody up for longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOfItem:
    """is_read: the directory has the deal and its contact, or nobody will tell more. place: (pipeline, stage) of the deal.
    numbers: E.164 of the main contact, else of the company. tried: those at which the client was called for it in vain.
    spellings: of the main contact's numbers, as the CRM told them, one after the other; "" = it has not since they are kept. fields: "deal.cf_5" -> text. cause, trigger: of the firing."""

    is_read: bool = True
    is_deleted: bool = False
    is_known: bool = True
    is_open: bool = True
    place: tuple[str | None, str | None] = (None, None)
    owner_id: str | None = None
    numbers: tuple[str, ...] = ()
    tried: frozenset[str] = frozenset()
    spellings: str = ""
    fields: Mapping[str, str]
    cause: Mapping[str, Any] | None = None
    trigger: Mapping[str, Any] | None = None
    is_trigger_on: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOfClient:
    """spoken_at: by our clock, the latest talk that is over. is_in_call: or something that they did waits to be understood.
    is_being_called: there, or at another number of the same contact."""

    spoken_at: datetime | None
    is_in_call: bool
    is_being_called: bool


async def known_of_item(conn: Conn, item: OutboundItem) -> KnownOfItem:
    """Return what the directory has, and what changes told since."""
    order = item.order
    row = await conn.fetchrow(
        _DEAL,
        item.account_id,
        item.deal_id,
        item.contact_id,
        item.firing_id,
        order.get("trigger"),
        order.get("version"),
        item.item_id,
    )
    assert row is not None
    told: Mapping[str, str] = row["told"] or {}
    pipeline, _, stage = (told.get("deal.stage") or "").partition("/")
    is_deleted = told.get("deal.deleted") == "1"
    is_whole = row["contact_id"] is not None and row["is_contact_known"]
    return KnownOfItem(
        is_read=item.deal_id is None
        or is_deleted
        or (row["is_known"] and (is_whole or not row["is_to_be_read"])),
        is_deleted=is_deleted,
        is_known=row["is_known"] or item.deal_id is None,
        is_open=row["is_open"] if row["is_known"] else True,
        place=(pipeline, stage) if stage else (row["pipeline_id"], row["stage_id"]),
        owner_id=told.get("deal.responsible") or row["owner_id"],
        numbers=tuple(f"+{number}" for number in row["numbers"] or row["company_numbers"]),
        tried=frozenset(row["tried"]),
        spellings=told.get("contact.numbers") or "",
        fields=_fields(told),
        cause=row["cause"],
        trigger=row["trigger"],
        is_trigger_on=bool(row["is_trigger_on"]) if item.source == "trigger" else True,
    )


def _fields(told: Mapping[str, str]) -> dict[str, str]:
    return {
        f"{kind}.cf_{id}": value
        for kind in ("deal", "contact")
        for id, value in orjson.loads(told.get(f"{kind}.fields") or "{}").items()
    }


async def known_of_client(
    conn: Conn, account_id: str, number: str, since: datetime, now: datetime
) -> KnownOfClient:
    """since: talks that began before do not matter."""
    row = await conn.fetchrow(
        _CLIENT, account_id, number, since - _LONGEST_CALL, now, now - _LONGEST_CALL, int(number.lstrip("+"))
    )
    assert row is not None
    return KnownOfClient(**dict(row))


async def addresses_in_use(conn: Conn, account_id: str, now: datetime) -> frozenset[str]:
    """Return the parties, as PBXs name them, who talk or are rung now, and the extensions of attempts that live."""
    found: set[str] = set()
    for row in await conn.fetch(_UNDER_WAY, account_id, now - _LONGEST_CALL):
        if row["is_answered"]:
            found.update(
                talk["party"] for talk in row["talks"] or () if talk["party"] and not talk["ended_at"]
            )
        elif row["heard_at"] > now - _LONGEST_RINGING:
            found.update(row["rung"] or ())
    found.update(row["extension"] for row in await conn.fetch(_LIVE, account_id) if row["extension"])
    return frozenset(found)


async def called_lately(
    conn: Conn, account_id: str, employee_ids: list[str], since: datetime
) -> dict[str, datetime]:
    """Return when each of these was last rung for a call of ours."""
    rows = await conn.fetch(_LATEST, account_id, employee_ids, since)
    return {row["employee_id"]: row["at"] for row in rows}
