"""What the CRM tells of itself: account, users, pipelines, fields. Each writer says whether anything changed."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from crm.port import CrmAccount, CrmField, CrmUser, Pipeline, Stage
from routing.client import EntityKind
from runtime.database.pool import Conn


async def store_users(conn: Conn, account_id: str, users: Sequence[CrmUser]) -> bool:
    """Store the users; one whom the CRM no longer lists stays, inactive: calls and deals of the past name them."""
    held = {u.id: u for u in await users_of(conn, account_id)}
    wanted = {u.id: u for u in users}
    gone = [id for id, u in held.items() if id not in wanted and u.is_active]
    new = [u for u in wanted.values() if held.get(u.id) != u]
    await conn.execute(
        "UPDATE crm_user SET is_active = false WHERE account_id = $1 AND user_id = ANY($2)", account_id, gone
    )
    await conn.executemany(
        "INSERT INTO crm_user (account_id, user_id, name, email, is_active, is_admin, group_id)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (account_id, user_id) DO UPDATE"
        " SET name = excluded.name, email = excluded.email, is_active = excluded.is_active,"
        " is_admin = excluded.is_admin, group_id = excluded.group_id",
        [(account_id, u.id, u.name, u.email, u.is_active, u.is_admin, u.group_id) for u in new],
    )
    return bool(gone or new)


async def users_of(conn: Conn, account_id: str) -> list[CrmUser]:
    rows = await conn.fetch(
        "SELECT user_id AS id, name, email, is_active, is_admin, group_id FROM crm_user"
        " WHERE account_id = $1 ORDER BY user_id",
        account_id,
    )
    return [CrmUser(**r) for r in rows]


# One statement: the list of places is kept once for each (migration 0845).
_STORE_PIPELINES = """
INSERT INTO crm_pipeline (account_id, pipeline_id, name, is_main, is_archived, is_unsorted_on, stages, stage_colours)
SELECT $1, p.* FROM jsonb_to_recordset($2::text::jsonb) AS p (pipeline_id text, name text, is_main bool,
    is_archived bool, is_unsorted_on bool, stages jsonb, stage_colours jsonb)
"""


async def store_pipelines(conn: Conn, account_id: str, pipelines: Sequence[Pipeline]) -> bool:
    held = await pipelines_of(conn, account_id)
    if sorted(held, key=lambda p: p.id) == sorted(pipelines, key=lambda p: p.id):
        return False
    await conn.execute("DELETE FROM crm_pipeline WHERE account_id = $1", account_id)
    rows = [
        {
            "pipeline_id": p.id,
            "name": p.name,
            "is_main": p.is_main,
            "is_archived": p.is_archived,
            "is_unsorted_on": p.is_unsorted_on,
            "stages": _stages(p),
            "stage_colours": _colours(p),
        }
        for p in pipelines
    ]
    await conn.execute(_STORE_PIPELINES, account_id, json.dumps(rows))
    return True


async def pipelines_of(conn: Conn, account_id: str) -> list[Pipeline]:
    """Return the pipelines, the main one first."""
    rows = await conn.fetch(
        "SELECT pipeline_id, name, is_main, is_archived, is_unsorted_on, stages, stage_colours FROM crm_pipeline"
        " WHERE account_id = $1 ORDER BY is_main DESC, name, pipeline_id",
        account_id,
    )
    return [_pipeline(dict(r)) for r in rows]


async def pipelines_then(conn: Conn, account_id: str, at: datetime) -> list[Pipeline]:
    """Return the pipelines as they were at that time; as they were first read, where that was later. The main one first."""
    stored = await conn.fetchval(
        "SELECT coalesce("
        "(SELECT pipelines FROM crm_places_then WHERE account_id = $1 AND since <= $2 ORDER BY since DESC LIMIT 1),"
        "(SELECT pipelines FROM crm_places_then WHERE account_id = $1 ORDER BY since LIMIT 1))",
        account_id,
        at,
    )
    return sorted((_pipeline(row) for row in stored or ()), key=lambda p: (not p.is_main, p.name, p.id))


async def delete_places_older_than(conn: Conn, before: datetime, *, limit: int) -> int:
    """Delete lists that a later one had followed by then: no decision that is kept was taken under them. How many."""
    done: str = await conn.execute(
        "DELETE FROM crm_places_then WHERE (account_id, since) IN (SELECT account_id, since FROM crm_places_then p"
        " WHERE since < $1 AND EXISTS (SELECT 1 FROM crm_places_then later WHERE later.account_id = p.account_id"
        " AND later.since > p.since AND later.since < $1) LIMIT $2)",
        before,
        limit,
    )
    return int(done.split()[-1])


_GONE = """
SELECT ARRAY(SELECT p FROM unnest($2::text[]) p WHERE NOT EXISTS (
        SELECT 1 FROM crm_pipeline c WHERE c.account_id = $1 AND c.pipeline_id = p) ORDER BY p) AS pipelines,
    ARRAY(SELECT s FROM unnest($3::text[]) s WHERE NOT EXISTS (
        SELECT 1 FROM crm_pipeline c WHERE c.account_id = $1
        AND c.stages @> jsonb_build_array(jsonb_build_object('id', s))) ORDER BY s) AS stages
WHERE EXISTS (SELECT 1 FROM crm_pipeline WHERE account_id = $1)
"""


async def gone_places(
    conn: Conn, account_id: str, pipelines: Collection[str], stages: Collection[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those of these pipelines and stages that the CRM has no longer; none before its pipelines were read."""
    row = await conn.fetchrow(_GONE, account_id, list(pipelines), list(stages))
    return (tuple(row["pipelines"]), tuple(row["stages"])) if row else ((), ())


async def closed_stages(conn: Conn, account_id: str) -> set[tuple[str, str]]:
    """(pipeline id, stage id) of every stage that closes a deal."""
    pipelines = await pipelines_of(conn, account_id)
    return {(p.id, s.id) for p in pipelines for s in p.stages if s.is_closed}


async def store_fields(conn: Conn, account_id: str, kind: EntityKind, fields: Sequence[CrmField]) -> bool:
    held = await fields_of(conn, account_id, kind)
    if sorted(held, key=lambda f: f.id) == sorted(fields, key=lambda f: f.id):
        return False
    await conn.execute("DELETE FROM crm_field WHERE account_id = $1 AND kind = $2", account_id, kind)
    await conn.executemany(
        "INSERT INTO crm_field (account_id, kind, field_id, code, name, type, choices)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [(account_id, kind, f.id, f.code, f.name, f.type, dict(f.choices)) for f in fields],
    )
    return True


async def fields_of(conn: Conn, account_id: str, kind: EntityKind) -> list[CrmField]:
    rows = await conn.fetch(
        "SELECT field_id AS id, code, name, type, choices FROM crm_field"
        " WHERE account_id = $1 AND kind = $2 ORDER BY name, field_id",
        account_id,
        kind,
    )
    return [CrmField(**r) for r in rows]


async def store_account(conn: Conn, account_id: str, account: CrmAccount) -> bool:
    """read_at moves at every call; the answer says whether anything else did."""
    changed = await account_of(conn, account_id) != account
    await conn.execute(
        "INSERT INTO crm_account"
        " (account_id, crm_id, name, time_zone, is_unsorted_on, are_filters_on, task_types, read_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, now()) ON CONFLICT (account_id) DO UPDATE"
        " SET crm_id = excluded.crm_id, name = excluded.name, time_zone = excluded.time_zone,"
        " is_unsorted_on = excluded.is_unsorted_on, are_filters_on = excluded.are_filters_on,"
        " task_types = excluded.task_types, read_at = excluded.read_at",
        account_id,
        account.id,
        account.name,
        account.time_zone,
        account.is_unsorted_on,
        account.are_filters_on,
        _plain(account.task_types),
    )
    return changed


async def account_of(conn: Conn, account_id: str) -> CrmAccount | None:
    """None until it was read for the first time."""
    row = await conn.fetchrow(
        "SELECT crm_id AS id, name, time_zone, is_unsorted_on, are_filters_on, task_types FROM crm_account"
        " WHERE account_id = $1",
        account_id,
    )
    return CrmAccount(**row) if row else None


async def connected_twice(conn: Conn) -> list[list[str]]:
    """Return names of accounts, not switched off, that are one and the same account of the CRM at one address or several."""
    rows = await conn.fetch(
        "SELECT array_agg(c.account_id ORDER BY c.account_id) AS names FROM crm_account c"
        " JOIN account a ON a.account_id = c.account_id AND a.state <> 'off' GROUP BY c.crm_id HAVING count(*) > 1"
    )
    return [row["names"] for row in rows]


async def others_of_crm(conn: Conn, account_id: str) -> list[str]:
    """Return names of other accounts, not switched off, that are the same account of the CRM as this one, which is off."""
    rows = await conn.fetch(
        "SELECT o.account_id FROM account me JOIN crm_account c USING (account_id)"
        " JOIN crm_account o ON o.crm_id = c.crm_id AND o.account_id <> c.account_id"
        " JOIN account a ON a.account_id = o.account_id AND a.state <> 'off'"
        " WHERE me.account_id = $1 AND me.state = 'off' ORDER BY 1",
        account_id,
    )
    return [row["account_id"] for row in rows]


def _stages(pipeline: Pipeline) -> list[dict[str, Any]]:
    return [
        {"id": s.id, "name": s.name, "sort": s.sort, "is_closed": s.is_closed, "is_unsorted": s.is_unsorted}
        for s in pipeline.stages
    ]


def _colours(pipeline: Pipeline) -> dict[str, str]:
    """Apart from the stages: an older program reads those, and knows no colours."""
    return {s.id: s.colour for s in pipeline.stages if s.colour}


def _pipeline(row: Mapping[str, Any]) -> Pipeline:
    colours = row["stage_colours"]
    return Pipeline(
        id=row["pipeline_id"],
        name=row["name"],
        is_main=row["is_main"],
        is_archived=row["is_archived"],
        is_unsorted_on=row["is_unsorted_on"],
        stages=tuple(Stage(**s, colour=colours.get(s["id"], "")) for s in row["stages"]),
    )


def _plain(values: Mapping[str, str]) -> dict[str, str]:
    return dict(values)
