"""SQL of what is still worth doing when the entity that it was meant for cannot be had: on the contact, or by itself."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.database.pool import Conn

# A person who sets a deal aside (skipped) means all that needs it; a refusal of the CRM (dead) means the deal only.
# A note of a call or a text needs some card to stand on; a task does not.
_TO_THE_CONTACT = """
UPDATE effect e SET
    "order" = jsonb_set(
        CASE WHEN place.ref IS NULL AND strpos(e."order"->>'text', e.client) = 0
             THEN jsonb_set(e."order", '{{text}}', to_jsonb((e."order"->>'text') || ' (' || e.client || ')'))
             ELSE e."order" END,
        '{{target}}', coalesce(place.ref, 'null'::jsonb)),
    after = array_remove(e.after, d.effect_key)
        || CASE WHEN place.ref->>'effect' IS NULL OR place.ref->>'effect' = ANY(e.after) THEN '{{}}'
                ELSE ARRAY[place.ref->>'effect'] END
FROM effect d
LEFT JOIN effect c ON c.account_id = d.account_id AND c.effect_key = d."order"->'contact'->>'effect'
CROSS JOIN LATERAL (SELECT CASE
    WHEN d.what <> 'create_deal' OR jsonb_typeof(d."order"->'contact') IS DISTINCT FROM 'object' THEN NULL
    WHEN c.effect_key IS NULL THEN d."order"->'contact'
    WHEN c.state IN ('dead', 'skipped', 'expired') THEN NULL
    ELSE jsonb_set(d."order"->'contact', '{{kind}}', coalesce(c.crm_extra->'kind', d."order"->'contact'->'kind'))
END AS ref) place
WHERE e.account_id = $1 AND e.system = 'crm' AND e.state IN ('waiting', 'held')
  AND d.account_id = e.account_id AND d.effect_key = e."order"->'target'->>'effect' AND d.effect_key = ANY(e.after)
  AND d.state = 'dead' AND {which}
  AND (e.what = 'create_task' OR (e.what IN ('attach_call', 'add_note', 'change_note') AND place.ref IS NOT NULL))
"""

_OF_THESE = _TO_THE_CONTACT.format(which="d.effect_key = ANY($2) AND e.after && $2::text[]")
_OF_LIVE = _TO_THE_CONTACT.format(which="e.state = 'waiting' AND e.lane < $2")
_OF_ALL = _TO_THE_CONTACT.format(which="TRUE")

# The card is there no more, or nothing may be put on it. Where it is gone, its call is decided anew, and says where to put it.
_TASKS_BY_THEMSELVES = """
UPDATE effect SET state = 'waiting', next_try_at = NULL,
    "order" = jsonb_set(
        CASE WHEN strpos("order"->>'text', client) = 0
             THEN jsonb_set("order", '{text}', to_jsonb(("order"->>'text') || ' (' || client || ')'))
             ELSE "order" END,
        '{target}', 'null'::jsonb)
WHERE account_id = $1 AND effect_key = ANY($2) AND what = 'create_task' AND state = 'dead'
  AND jsonb_typeof("order"->'target') = 'object' AND (error_field LIKE '%entity_id%' OR error_field = 'target')
  AND (error_code <> 'entity-gone' OR NOT EXISTS (SELECT 1 FROM call c
      WHERE c.account_id = effect.account_id AND c.call_id = effect.call_id))
RETURNING effect_key
"""


async def keep_what_needs(conn: Conn, account_id: str, dead: Sequence[str]) -> None:
    """Let what was to stand on one of these refused entities go to its contact, or by itself."""
    await conn.execute(_OF_THESE, account_id, dead)


async def keep_live(conn: Conn, account_id: str, before_lane: int) -> None:
    """Cascade among waiting effects of the faster lanes, whatever they were to stand on."""
    await conn.execute(_OF_LIVE, account_id, before_lane)


async def keep_all(conn: Conn, account_id: str) -> None:
    """Degrade whatever waits or is held."""
    await conn.execute(_OF_ALL, account_id)


async def free_tasks(conn: Conn, account_id: str, refused: Sequence[str]) -> set[str]:
    """Those of these refused tasks that are sent again without the card that they were refused for."""
    if not refused:
        return set()
    rows = await conn.fetch(_TASKS_BY_THEMSELVES, account_id, refused)
    return {row["effect_key"] for row in rows}
