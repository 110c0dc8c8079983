"""SQL of what is given by one user to another: whose it is now, and that it is the other one's as soon as the CRM said so."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from crm.effects.model import OwnedNow, StoredEffect
from crm.store.directory import numbers_of
from crm.store.entries import lock_directory, refresh_entries
from routing.effects import UpdateEntity
from runtime.database.pool import Conn

_OWNED = """
SELECT w.key, d.owner_id, d.is_open
FROM unnest($2::text[], $3::text[], $4::text[]) AS w (key, kind, id)
JOIN directory_entity d ON d.account_id = $1 AND d.kind = w.kind AND d.entity_id = w.id
UNION ALL
SELECT w.key, s.value, coalesce(c.value <> '1', true)
FROM unnest($2::text[], $3::text[], $4::text[]) AS w (key, kind, id)
JOIN crm_entity_state s ON s.account_id = $1 AND s.entity_kind = 'task' AND s.entity_id = w.id AND s.aspect = 'responsible'
LEFT JOIN crm_entity_state c ON c.account_id = $1 AND c.entity_kind = 'task' AND c.entity_id = w.id
    AND c.aspect = 'completed'
WHERE w.kind = 'task'
"""

_GIVEN = """
SELECT e.what, e."order"->'target'->>'kind' AS kind, coalesce(e."order"->>'task_id', e."order"->'target'->>'id') AS id,
       coalesce(nullif(e.crm_extra->>'owner', ''), e."order"->>'owner_id') AS owner_id,
       e."order"->>'owner_was' AS owner_was
FROM effect e WHERE e.account_id = $1 AND e.effect_key = ANY($2) AND e."order"->>'owner_was' IS NOT NULL
"""

_TAKE_OVER = """
UPDATE directory_entity d SET owner_id = g.owner_id
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS g (kind, id, owner_id, owner_was)
WHERE d.account_id = $1 AND d.kind = g.kind AND d.entity_id = g.id AND d.owner_id = g.owner_was
RETURNING d.kind, d.entity_id
"""

_TAKE_OVER_TASKS = """
UPDATE crm_entity_state s SET value = g.owner_id
FROM unnest($2::text[], $3::text[], $4::text[]) AS g (id, owner_id, owner_was)
WHERE s.account_id = $1 AND s.entity_kind = 'task' AND s.entity_id = g.id AND s.aspect = 'responsible'
  AND s.value = g.owner_was
"""


async def owned_now(conn: Conn, account_id: str, effects: Sequence[StoredEffect]) -> dict[str, OwnedNow]:
    """Return, by effect, what the CRM has told of what it changes."""
    refs = [_ref_of(effect) for effect in effects]
    kinds, ids = [kind for kind, _ in refs], [id for _, id in refs]
    found = await conn.fetch(_OWNED, account_id, [effect.key for effect in effects], kinds, ids)
    return {row["key"]: OwnedNow(owner_id=row["owner_id"], is_open=row["is_open"]) for row in found}


async def take_over(conn: Conn, account_id: str, keys: Sequence[str]) -> None:
    """Make the directory say what these effects, which are done, have made of it; whoever asks next must not read what was.

    The times stay as the CRM told them: what a person does a second later is newer.
    """
    given = await conn.fetch(_GIVEN, account_id, list(keys)) if keys else []
    if not given:
        return
    tasks = [row for row in given if row["what"] == "change_task"]
    cards = [row for row in given if row["what"] != "change_task"]
    await lock_directory(conn, account_id)
    await conn.execute(_TAKE_OVER_TASKS, account_id, *_columns(tasks, "id", "owner_id", "owner_was"))
    changed = await conn.fetch(
        _TAKE_OVER, account_id, *_columns(cards, "kind", "id", "owner_id", "owner_was")
    )
    touched = await numbers_of(conn, account_id, [(row["kind"], row["entity_id"]) for row in changed])
    await refresh_entries(conn, account_id, touched)


def _columns(rows: Sequence[asyncpg.Record], *names: str) -> list[list[str]]:
    return [[row[name] for row in rows] for name in names]


def _ref_of(effect: StoredEffect) -> tuple[str, str | None]:
    order = effect.order
    return (
        (order.target.kind, order.target.id)
        if isinstance(order, UpdateEntity)
        else ("task", effect.changed_id)
    )
