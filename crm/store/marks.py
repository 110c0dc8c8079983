"""Tags and values of custom fields that an account asks for, and which entities bear them. Nothing else of the kind is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson

from crm.port import CrmEntity
from routing.client import EntityKind
from routing.one_person import marks_of
from runtime.database import channels
from runtime.database.pool import Conn

_Marked = tuple[str, str, str]
"""(kind, id, mark)"""


async def watch_marks(conn: Conn, account_id: str, marks: Collection[str]) -> bool:
    """Keep these from now on; whether some are new, so that everything has to be read again to find who bears them."""
    before = await _watched(conn, account_id)
    wanted = frozenset(marks)
    if wanted == before:
        return False
    await conn.execute(
        "INSERT INTO directory_watched (account_id, marks) VALUES ($1, $2)"
        " ON CONFLICT (account_id) DO UPDATE SET marks = excluded.marks",
        account_id,
        sorted(wanted),
    )
    await conn.execute(
        "DELETE FROM directory_mark WHERE account_id = $1 AND NOT split_part(mark, '=', 1) = ANY($2) AND NOT mark = ANY($2)",
        account_id,
        sorted(wanted),
    )
    return bool(wanted - before)


async def set_marks(conn: Conn, account_id: str, entities: Sequence[CrmEntity]) -> None:
    """Take over what these bear now, where the CRM told it."""
    told = [e for e in entities if e.kind != "lead" and e.tags is not None]
    watched = await _watched(conn, account_id) if told else frozenset()
    if not watched:
        return
    rows = await conn.fetch(
        "SELECT m.kind, m.entity_id, m.mark FROM unnest($2::text[], $3::text[]) AS r (kind, entity_id)"
        " JOIN directory_mark m ON m.account_id = $1 AND m.kind = r.kind AND m.entity_id = r.entity_id",
        account_id,
        [e.kind for e in told],
        [e.id for e in told],
    )
    held: set[_Marked] = {(r["kind"], r["entity_id"], r["mark"]) for r in rows}
    needed: set[_Marked] = {(e.kind, e.id, mark) for e in told for mark in _marks(e, watched)}
    if held != needed:
        await _change(conn, account_id, held - needed, needed - held)


async def remove_marks(conn: Conn, account_id: str, kinds: Sequence[str], ids: Sequence[str]) -> None:
    """Of entities that are gone."""
    await conn.execute(
        "DELETE FROM directory_mark t USING unnest($2::text[], $3::text[]) AS r (kind, entity_id)"
        " WHERE t.account_id = $1 AND t.kind = r.kind AND t.entity_id = r.entity_id",
        account_id,
        kinds,
        ids,
    )


async def marked_entities(conn: Conn, account_id: str) -> dict[str, list[str]]:
    """Return the marks of all that bear one, by `<kind>:<id>`; closed deals bear none."""
    rows = await conn.fetch(
        "SELECT m.kind, m.entity_id, m.mark FROM directory_mark m JOIN directory_entity e"
        " USING (account_id, kind, entity_id) WHERE m.account_id = $1 AND (e.is_open OR e.kind <> 'deal')",
        account_id,
    )
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        found[f"{row['kind']}:{row['entity_id']}"].append(row["mark"])
    return found


async def marks_by_entity(
    conn: Conn, account_id: str, refs: Sequence[tuple[EntityKind, str]]
) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Return the marks of these, sorted; who bears none is absent."""
    rows = await conn.fetch(
        "SELECT m.kind, m.entity_id, array_agg(m.mark ORDER BY m.mark) AS marks"
        " FROM unnest($2::text[], $3::text[]) AS r (kind, entity_id) JOIN directory_mark m"
        " ON m.account_id = $1 AND m.kind = r.kind AND m.entity_id = r.entity_id GROUP BY m.kind, m.entity_id",
        account_id,
        [kind for kind, _ in refs],
        [id for _, id in refs],
    )
    return {(r["kind"], r["entity_id"]): tuple(r["marks"]) for r in rows}


def _marks(entity: CrmEntity, watched: Collection[str]) -> frozenset[str]:
    fields: Any = orjson.loads(entity.fields) if entity.fields else {}
    return marks_of(entity.tags or (), fields, watched)


async def _watched(conn: Conn, account_id: str) -> frozenset[str]:
    found = await conn.fetchval("SELECT marks FROM directory_watched WHERE account_id = $1", account_id)
    return frozenset(found or ())


async def _change(conn: Conn, account_id: str, gone: set[_Marked], new: set[_Marked]) -> None:
    await conn.execute(
        "DELETE FROM directory_mark t USING unnest($2::text[], $3::text[], $4::text[]) AS g (kind, entity_id, mark)"
        " WHERE t.account_id = $1 AND t.kind = g.kind AND t.entity_id = g.entity_id AND t.mark = g.mark",
        account_id,
        *_columns(gone),
    )
    await conn.execute(
        "INSERT INTO directory_mark (account_id, kind, entity_id, mark)"
        " SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[]) ON CONFLICT DO NOTHING",
        account_id,
        *_columns(new),
    )
    await channels.notify(conn, channels.TURNS, account_id)  # gateways look anew who may be rung for whom


def _columns(rows: set[_Marked]) -> tuple[list[str], list[str], list[str]]:
    ordered = sorted(rows)
    return [row[0] for row in ordered], [row[1] for row in ordered], [row[2] for row in ordered]
