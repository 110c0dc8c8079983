"""Effects that came to nothing because what they were for is gone from the CRM, and their calls that are decided anew."""

from __future__ import annotations

from routing.client_work.values import DecidedAnew
from runtime.database.pool import Conn

# A case's task is of no moment's decision.
_GONE = """
WITH lost AS (
    SELECT effect_key, decision_id, state FROM effect
    WHERE account_id = $1 AND call_id = $2 AND state IN ('dead', 'skipped') AND error_code = 'entity-gone'
      AND effect_key !~ ':recording:'
)
SELECT effect_key, CASE WHEN state = 'dead' THEN decision_id END AS undone,
       state = 'dead' AND effect_key LIKE 'case:%' AS is_case FROM lost
UNION
SELECT e.effect_key, NULL, false FROM effect e
WHERE e.account_id = $1 AND e.call_id = $2 AND e.state IN ('dead', 'skipped') AND e.error_code = 'dependency'
  AND e.after && ARRAY(SELECT effect_key FROM lost)
UNION
SELECT e.effect_key, NULL, false FROM effect e
WHERE e.account_id = $1 AND e.call_id = $2 AND e.state = 'done' AND e.what IN ('create_contact', 'create_deal')
  AND e.crm_extra ? 'gone' AND NOT EXISTS (SELECT 1 FROM directory_entity d WHERE d.account_id = e.account_id
    AND d.entity_id = e.crm_id AND d.kind = coalesce(e.crm_extra->>'kind', substr(e.what, 8)))
"""

_ANEW = """
UPDATE effect e SET state = 'skipped', note = coalesce(e.note, 'decided anew: its entity is gone')
WHERE e.account_id = $1 AND e.decision_id = $2 AND e.state = 'dead'
  AND (e.error_code = 'entity-gone' OR (e.error_code = 'dependency' AND EXISTS (SELECT 1 FROM effect lost
      WHERE lost.account_id = e.account_id AND lost.effect_key = ANY(e.after) AND lost.error_code = 'entity-gone')))
"""

_TASK = """
WITH moved AS (
    UPDATE effect SET state = 'waiting', next_try_at = NULL, error_code = NULL, error_field = NULL, error_detail = NULL,
        after = CASE WHEN $3::jsonb->>'effect' IS NULL THEN after ELSE after || ARRAY[$3::jsonb->>'effect'] END,
        "order" = jsonb_set(
            CASE WHEN $3::jsonb IS NULL AND strpos("order"->>'text', client) = 0
                 THEN jsonb_set("order", '{text}', to_jsonb(("order"->>'text') || ' (' || client || ')'))
                 ELSE "order" END,
            '{target}', coalesce($3::jsonb, 'null'))
    WHERE account_id = $1 AND call_id = $2 AND what = 'create_task' AND effect_key LIKE 'case:%'
      AND state = 'dead' AND error_code = 'entity-gone'
    RETURNING effect_key
)
UPDATE effect e SET state = 'waiting', error_code = NULL, error_field = NULL, error_detail = NULL FROM moved
WHERE e.account_id = $1 AND e.state = 'dead' AND e.error_code = 'dependency' AND moved.effect_key = ANY(e.after)
"""


async def came_to_nothing(
    conn: Conn, account_id: str, call_id: str
) -> tuple[tuple[str, ...], frozenset[str], bool]:
    """Return keys of what was ordered for this call and came to nothing because its entity is gone; decisions of which
    something is still to be decided anew; whether the task of its case is among it."""
    rows = await conn.fetch(_GONE, account_id, call_id)
    undone = frozenset(r["undone"] for r in rows if r["undone"])
    return tuple(sorted({r["effect_key"] for r in rows})), undone, any(r["is_case"] for r in rows)


async def decided_anew(conn: Conn, account_id: str, call_id: str, anew: DecidedAnew) -> None:
    """Take from the desk what is ordered anew, and let the case's task stand where the new decision says, or by itself."""
    if anew.is_ordered:
        await conn.execute(_ANEW, account_id, anew.decision_id)
    target = anew.task.model_dump(mode="json") if anew.task else None
    await conn.execute(_TASK, account_id, call_id, target)
