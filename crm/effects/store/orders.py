"""SQL of the effects: ordering them, and what the client of a decision is promised by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from runtime.database.pool import Conn
from runtime.effects.store import wake


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEffect:
    key: str
    system: str
    what: str
    order: Mapping[str, Any]
    after: tuple[str, ...]
    not_before: datetime | None
    client: str | None = None
    decision_id: str | None = None
    """None: those of all."""


_INSERT = """
INSERT INTO effect (account_id, effect_key, decision_id, call_id, client, lane, what, "order", after, not_before, state,
    system)
SELECT $1, n.key, coalesce(n.decision_id, $3), $4, coalesce(n.client, $5), $6, n.what, n."order",
       ARRAY(SELECT jsonb_array_elements_text(n.after)), n.not_before, $7, n.system
FROM ROWS FROM (jsonb_to_recordset($2::text::jsonb)
       AS (key text, system text, what text, "order" jsonb, after jsonb, not_before timestamptz, client text,
           decision_id text))
       WITH ORDINALITY AS n (key, system, what, "order", after, not_before, client, decision_id, position)
ORDER BY n.position
ON CONFLICT (account_id, effect_key) DO NOTHING
RETURNING system
"""

# The later text is the whole text. An earlier one that is sent afterwards, by a backfill or from the desk, would undo it.
_SUPERSEDE = """
UPDATE effect e SET state = 'skipped', error_code = 'superseded', error_field = NULL, error_detail = later.effect_key
FROM effect later
WHERE later.account_id = $1 AND later.effect_key = ANY($2) AND later.what = 'change_note'
  AND e.account_id = $1 AND e.client = later.client AND e.what = 'change_note' AND e.seq < later.seq
  AND e."order"->>'note' = later."order"->>'note' AND e.state IN ('waiting', 'held', 'dead')
"""


async def insert(
    conn: Conn,
    account_id: str,
    rows: Sequence[NewEffect],
    *,
    decision_id: str,
    call_id: str | None,
    client: str,
    lane: int,
    state: str,
) -> int:
    """Rows inserted, in the order given; known keys are left alone. Changes of a note take the place of earlier ones. Tells their executors when the transaction commits."""
    payload = orjson.dumps([asdict(row) for row in rows]).decode()
    found = await conn.fetch(_INSERT, account_id, payload, decision_id, call_id, client, int(lane), state)
    if changes := [row.key for row in rows if row.what == "change_note"]:
        await conn.execute(_SUPERSEDE, account_id, changes)
    for system in sorted({row["system"] for row in found}):
        await wake(conn, account_id, system)
    return len(found)


_PROMISES = """
SELECT e.effect_key, e.what, e."order", e.state, e.crm_id, e.crm_extra, e.created_at
FROM effect e
WHERE e.account_id = $1 AND e.client = $2 AND e.what IN ('create_contact', 'create_deal', 'create_lead')
  AND (e.state IN ('waiting', 'sending', 'unknown', 'held')
       OR (e.state = 'done' AND e.done_at > now() - interval '5 minutes' AND NOT EXISTS (
           SELECT 1 FROM directory_entity d
           WHERE d.account_id = e.account_id AND d.entity_id = e.crm_id
             AND d.kind = coalesce(e.crm_extra->>'kind', substr(e.what, 8)))
           AND NOT e.crm_extra ? 'gone'))
ORDER BY e.seq
"""


async def promises(conn: Conn, account_id: str, number: str) -> list[asyncpg.Record]:
    """Return creating effects of a client that are still to come, or done and not yet in the directory.

    What was heard to be gone since then is promised no more. Five minutes after they were done the directory is right
    whatever it says: then somebody has deleted the entity.
    """
    return list(await conn.fetch(_PROMISES, account_id, number))
