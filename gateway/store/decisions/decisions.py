"""Decisions as rows: what was decided, why, and from what. Written once, never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from gateway.store.admin.personal_data import KINDS
from runtime.database.pool import Conn, as_json

_COLUMNS = "account_id, decision_id, kind, at, call_id, client, reason, outcome, steps, inputs"
_OF_D = ", ".join(f"d.{name}" for name in _COLUMNS.split(", "))

_ADD = f"""
INSERT INTO decision ({_COLUMNS})
SELECT account_id, decision_id, kind, at, call_id, client, reason, outcome::jsonb, steps::jsonb, inputs::jsonb
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[]) AS d ({_COLUMNS})
ON CONFLICT (account_id, decision_id) DO NOTHING
"""  # noqa: S608 - a constant list of columns


_OF_CASE = f"""
SELECT {_OF_D}
FROM missed_case m JOIN decision d ON d.account_id = m.account_id AND d.client = m.client AND d.kind = 'case'
    AND d.outcome -> 'case' ->> 'id' = m.case_id
WHERE m.account_id = $1 AND m.client = $2 AND $3 = ANY(m.missed_calls) AND d.call_id IS DISTINCT FROM $3
    AND (d.call_id IS NULL OR d.outcome -> 'case' ->> 'state' = 'closed')
ORDER BY d.at, d.seq
"""  # noqa: S608 - a constant list of columns


# The index is asked for each in turn, and as many rows are read as are wanted.
_LATEST = f"""
{KINDS}, asked AS (SELECT $2::text AS kind WHERE $2 IS NOT NULL UNION ALL SELECT kind FROM kinds WHERE $2 IS NULL)
SELECT {_OF_D} FROM asked CROSS JOIN LATERAL (
    SELECT * FROM decision WHERE account_id = $1 AND kind = asked.kind AND at < coalesce($3::timestamptz, 'infinity')
    ORDER BY at DESC, seq DESC LIMIT $4) AS d
ORDER BY d.at DESC, d.seq DESC LIMIT $4
"""  # noqa: S608 - a constant list of columns

# Ids are found by account: where none is named, each is asked, which costs less than one more index of the largest table.
_IN_ACCOUNTS = """account_id = ANY(ARRAY(
    SELECT $1::text WHERE $1 IS NOT NULL UNION ALL SELECT account_id FROM account WHERE $1 IS NULL))"""


class NoSuchDecision(Exception):
    """No decision or call of this id. Lookups are readable after at most one second; old ones are cleaned away."""

    code = "no-such-decision"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRow:
    """kind: lookup, matrix, case, … at: aware UTC. client: E.164. outcome, steps, inputs: JSON values."""

    account_id: str
    decision_id: str
    kind: str
    at: datetime
    call_id: str | None
    client: str | None
    reason: str
    outcome: Mapping[str, Any]
    steps: Sequence[Mapping[str, Any]]
    inputs: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRow:
    """What became of one thing that a decision ordered. crm_id: what exists in the CRM now, None = nothing yet."""

    key: str
    what: str
    order: Mapping[str, Any]
    state: str
    crm_id: str | None
    crm_extra: Mapping[str, Any]
    was_found: bool
    error_code: str | None
    error_field: str | None
    error_detail: str | None
    created_at: datetime
    done_at: datetime | None
    attempts: int = 0
    next_try_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A decision with its effects. joined_by: of a lookup, how it is known to be of the call that was asked for."""

    decision: DecisionRow
    effects: tuple[EffectRow, ...]
    joined_by: str | None = None


async def add_decisions(conn: Conn, rows: Sequence[DecisionRow]) -> None:
    """In one statement. One that is there already stays as it is."""
    if not rows:
        return
    await conn.execute(
        _ADD,
        [r.account_id for r in rows],
        [r.decision_id for r in rows],
        [r.kind for r in rows],
        [r.at for r in rows],
        [r.call_id for r in rows],
        [r.client for r in rows],
        [r.reason for r in rows],
        [as_json(r.outcome) for r in rows],
        [as_json(r.steps) for r in rows],
        [as_json(r.inputs) for r in rows],
    )


async def decision(conn: Conn, account_id: str | None, decision_id: str) -> DecisionRow:
    """account_id None: of any account. Raises NoSuchDecision."""
    row = await conn.fetchrow(
        f"SELECT {_COLUMNS} FROM decision WHERE {_IN_ACCOUNTS} AND decision_id = $2",  # noqa: S608
        account_id,
        decision_id,
    )
    if row is None:
        raise NoSuchDecision(decision_id)
    return _decision(row)


async def decisions_named(conn: Conn, account_id: str, ids: Sequence[str]) -> dict[str, DecisionRow]:
    """Return those that are still stored, by id."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM decision WHERE account_id = $1 AND decision_id = ANY($2)",  # noqa: S608
        account_id,
        list(ids),
    )
    return {row["decision_id"]: _decision(row) for row in rows}


async def decisions_of_call(conn: Conn, account_id: str, call_id: str) -> list[DecisionRow]:
    """In the order in which they were taken."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM decision WHERE account_id = $1 AND call_id = $2 ORDER BY at, seq",  # noqa: S608
        account_id,
        call_id,
    )
    return [_decision(row) for row in rows]


async def decisions_of_client(
    conn: Conn,
    account_id: str,
    client: str,
    *,
    kind: str | None = None,
    before: datetime | None = None,
    limit: int = 50,
) -> list[DecisionRow]:
    """Newest first. client: E.164."""
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM decision WHERE account_id = $1 AND client = $2"  # noqa: S608
        " AND ($3::timestamptz IS NULL OR at < $3) AND ($5::text IS NULL OR kind = $5)"
        " ORDER BY at DESC, seq DESC LIMIT $4",
        account_id,
        client,
        before,
        limit,
        kind,
    )
    return [_decision(row) for row in rows]


async def latest_decisions(
    conn: Conn,
    account_id: str,
    *,
    kind: str | None = None,
    before: datetime | None = None,
    limit: int = 50,
) -> list[DecisionRow]:
    """Newest first."""
    rows = await conn.fetch(_LATEST, account_id, kind, before, limit)
    return [_decision(row) for row in rows]


async def explain(conn: Conn, account_id: str | None, id: str) -> list[Explained]:
    """Return the decision of this id, or all decisions of the call of this id, each with what it became in the CRM. To a call
    belongs too what became of the case that it opened or is counted in, without the calls that were only counted.

    Raises NoSuchDecision.
    """
    rows = await conn.fetch(
        f"SELECT {_COLUMNS} FROM decision WHERE {_IN_ACCOUNTS} AND (decision_id = $2 OR call_id = $2) ORDER BY at, seq",  # noqa: S608
        account_id,
        id,
    )
    if not rows:
        raise NoSuchDecision(id)
    found = [_decision(row) for row in rows]
    lookup, joined_by = await _of_its_question(conn, found, id)
    found += [*lookup, *await _of_its_case(conn, found, id)]
    found.sort(key=lambda d: d.at)
    effects = await conn.fetch(
        "SELECT * FROM effect JOIN unnest($1::text[], $2::text[]) AS asked (account_id, decision_id)"
        " USING (account_id, decision_id) ORDER BY seq",
        [d.account_id for d in found],
        [d.decision_id for d in found],
    )
    return [
        Explained(
            decision=d,
            effects=tuple(
                _effect(e)
                for e in effects
                if (e["account_id"], e["decision_id"]) == (d.account_id, d.decision_id)
            ),
            joined_by=joined_by if d in lookup else None,
        )
        for d in found
    ]


async def _of_its_question(
    conn: Conn, found: Sequence[DecisionRow], call_id: str
) -> tuple[list[DecisionRow], str | None]:
    """Of this call: the PBX's question about it, and how it was joined to it."""
    account_id = next((d.account_id for d in found if d.call_id == call_id), None)
    row = await conn.fetchrow(
        f"SELECT {_OF_D}, c.lookup_by FROM call c"  # noqa: S608
        " JOIN decision d ON d.account_id = c.account_id AND d.decision_id = c.lookup_id"
        " WHERE c.account_id = $1 AND c.call_id = $2",
        account_id,
        call_id,
    )
    if row is None:
        return [], None
    told = dict(row)
    joined_by = told.pop("lookup_by")
    return [DecisionRow(**told)], joined_by


async def _of_its_case(conn: Conn, found: Sequence[DecisionRow], call_id: str) -> list[DecisionRow]:
    """Of the case of this call: what was decided without a call, and what closed it."""
    of_call = next((d for d in found if d.call_id == call_id and d.client), None)
    if of_call is None:
        return []
    rows = await conn.fetch(_OF_CASE, of_call.account_id, of_call.client, call_id)
    return [_decision(row) for row in rows]


async def delete_older_than(conn: Conn, account_id: str, before: datetime, *, limit: int = 5000) -> int:
    """Delete older decisions, nothing of an open case, of a call that goes on, or with effects that still wait."""
    done: str = await conn.execute(
        f"{KINDS} DELETE FROM decision WHERE (account_id, decision_id) IN (SELECT d.account_id, d.decision_id FROM decision d"  # noqa: S608
        " WHERE d.account_id = $1 AND d.kind = ANY(ARRAY(SELECT kind FROM kinds)) AND d.at < $2 AND NOT EXISTS (SELECT 1 FROM missed_case m WHERE m.account_id = d.account_id"
        " AND m.client = d.client AND m.state = 'open') AND NOT EXISTS (SELECT 1 FROM effect e"
        " WHERE e.account_id = d.account_id AND e.call_id = d.call_id"
        " AND e.state IN ('waiting', 'sending', 'unknown', 'held', 'dead'))"
        " AND NOT EXISTS (SELECT 1 FROM call c WHERE c.account_id = d.account_id AND c.call_id = d.call_id"
        " AND (NOT c.is_over OR c.due_at IS NOT NULL)) LIMIT $3)",
        account_id,
        before,
        limit,
    )
    return int(done.split()[-1])


def _decision(row: asyncpg.Record) -> DecisionRow:
    return DecisionRow(**dict(row))


def _effect(row: asyncpg.Record) -> EffectRow:
    return EffectRow(
        key=row["effect_key"],
        what=row["what"],
        order=row["order"],
        state=row["state"],
        crm_id=row["crm_id"],
        crm_extra=row["crm_extra"],
        was_found=row["was_found"],
        error_code=row["error_code"],
        error_field=row["error_field"],
        error_detail=row["error_detail"],
        created_at=row["created_at"],
        done_at=row["done_at"],
        attempts=row["attempts"],
        next_try_at=row["next_try_at"],
    )
