"""What each run moves, row by row: planned, ordered from the CRM, moved or left where it was."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import orjson

from routing.shift_change.returning import TakenDeal
from runtime.database.pool import Conn

MovedKind = Literal["deal", "contact", "company", "task"]
MoveState = Literal["planned", "ordered", "moved", "left"]

_PLAN = """
INSERT INTO shift_move (account_id, run_id, kind, entity_id, deal_id, position, state, reason, owner_was, taken_from, created_for,
    settled_at)
SELECT $1, $2, p.kind, p.entity_id, p.deal_id, p.position, p.state, p.reason, p.owner_was,
    coalesce(l.taken_from, p.owner_was), p.created_for, CASE WHEN p.state = 'left' THEN now() END
FROM jsonb_to_recordset($3::text::jsonb) AS p (kind text, entity_id text, deal_id text, position int, state text, reason text,
    owner_was text, created_for text)
-- what we gave to who has it now, and nobody has touched since, was somebody else's before
LEFT JOIN shift_move l ON l.account_id = $1 AND l.kind = p.kind AND l.entity_id = p.entity_id AND l.is_last
    AND l.given_to = p.owner_was AND $4::text <> 'return'
    AND NOT EXISTS (SELECT 1 FROM crm_event v WHERE v.account_id = $1 AND v.entity_kind = l.kind AND v.entity_id = l.entity_id
        AND v.aspect = 'responsible' AND v.at > l.ordered_at + interval '1 second' AND NOT v.is_ours
        AND NOT EXISTS (SELECT 1 FROM effect u WHERE u.account_id = $1 AND u.what IN ('update_entity', 'change_task')
            AND coalesce(u."order"->>'task_id', u."order"->'target'->>'id') = v.entity_id
            AND u."order"->>'owner_id' = v.new_value AND abs(extract(epoch FROM u.sent_at - v.at)) < 120))
ON CONFLICT DO NOTHING
"""

_CHANGED = """
SELECT 1 FROM crm_event v WHERE v.account_id = m.account_id AND v.entity_kind = m.kind AND v.entity_id = m.entity_id
  AND v.aspect = 'responsible' AND v.at > m.ordered_at + interval '1 second' AND NOT v.is_ours
  AND NOT EXISTS (SELECT 1 FROM effect u WHERE u.account_id = v.account_id AND u.what = 'update_entity'
      AND u."order"->'target'->>'id' = v.entity_id AND u."order"->>'owner_id' = v.new_value
      AND abs(extract(epoch FROM u.sent_at - v.at)) < 120)
"""

_OWED = f"""
SELECT m.entity_id, m.taken_from, m.created_for, m.given_to, d.owner_id, coalesce(d.is_open, false) AS is_open, d.pipeline_id,
    EXISTS ({_CHANGED}) AS was_changed
FROM shift_move m
LEFT JOIN directory_entity d ON d.account_id = m.account_id AND d.kind = 'deal' AND d.entity_id = m.entity_id
WHERE m.account_id = $1 AND m.is_last AND m.kind = 'deal' AND m.taken_from = $2
ORDER BY m.run_id, m.position
"""  # noqa: S608 - constants

# What went along with these deals, and still belongs to whom we gave it.
_OWED_ALONG = """
SELECT m.kind, m.entity_id, m.deal_id, m.given_to FROM shift_move m
LEFT JOIN directory_entity d ON d.account_id = m.account_id AND d.kind = m.kind AND d.entity_id = m.entity_id
WHERE m.account_id = $1 AND m.is_last AND m.kind <> 'deal' AND m.taken_from = $2 AND m.deal_id = ANY($3)
  AND (m.kind = 'task' OR d.owner_id = m.given_to)
ORDER BY m.run_id, m.position
"""

_NEXT = """
SELECT m.kind, m.entity_id, m.deal_id, m.position, m.owner_was, m.taken_from, m.created_for, m.tries FROM shift_move m
WHERE m.account_id = $1 AND m.run_id = $2 AND m.state = 'planned' AND m.position <= coalesce((
    SELECT p.position FROM shift_move p WHERE p.account_id = $1 AND p.run_id = $2 AND p.state = 'planned' AND p.kind = 'deal'
    ORDER BY p.position OFFSET $3 - 1 LIMIT 1), 2147483647)
ORDER BY m.position, m.kind <> 'deal', m.kind, m.entity_id
"""

_ORDERED = """
UPDATE shift_move m SET state = 'ordered', given_to = o.given_to, employee_id = o.employee_id, effect_key = o.effect_key,
    tries = m.tries + 1, ordered_at = $4
FROM jsonb_to_recordset($3::text::jsonb) AS o (kind text, entity_id text, given_to text, employee_id text, effect_key text)
WHERE m.account_id = $1 AND m.run_id = $2 AND m.kind = o.kind AND m.entity_id = o.entity_id
"""

_LEFT = """
UPDATE shift_move m SET state = 'left', reason = o.reason, settled_at = $4
FROM jsonb_to_recordset($3::text::jsonb) AS o (kind text, entity_id text, reason text)
WHERE m.account_id = $1 AND m.run_id = $2 AND m.kind = o.kind AND m.entity_id = o.entity_id
  AND m.state IN ('planned', 'ordered')
"""

_SENT = """
SELECT m.kind, m.entity_id, m.effect_key, m.employee_id, m.tries, e.state, e.error_code,
    coalesce(nullif(e.crm_extra->>'owner', ''), m.given_to) AS given_to
FROM shift_move m JOIN effect e ON e.account_id = m.account_id AND e.effect_key = m.effect_key
WHERE m.account_id = $1 AND m.run_id = $2 AND m.state = 'ordered'
"""

_MOVED = """
WITH moved AS (
    UPDATE shift_move m SET state = 'moved', is_last = $4::text <> 'return', given_to = o.given_to, settled_at = $5
    FROM jsonb_to_recordset($3::text::jsonb) AS o (kind text, entity_id text, given_to text)
    WHERE m.account_id = $1 AND m.run_id = $2 AND m.kind = o.kind AND m.entity_id = o.entity_id AND m.state = 'ordered'
    RETURNING m.kind, m.entity_id
)
UPDATE shift_move p SET is_last = false FROM moved
WHERE p.account_id = $1 AND p.run_id <> $2 AND p.is_last AND p.kind = moved.kind AND p.entity_id = moved.entity_id
"""

# The CRM has told that it is done, before its answer to us came or was looked for.
_TOLD = """
UPDATE effect e SET state = 'done', was_found = true, done_at = now(), next_try_at = NULL, error_code = NULL,
    error_field = NULL, error_detail = NULL
FROM shift_move m JOIN directory_entity d ON d.account_id = m.account_id AND d.kind = m.kind AND d.entity_id = m.entity_id
WHERE m.account_id = $1 AND m.run_id = $2 AND m.state = 'ordered' AND e.account_id = m.account_id
  AND e.effect_key = m.effect_key AND e.state = 'unknown' AND d.owner_id = e."order"->>'owner_id'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedMove:
    """state planned, or left with its reason. created_for: of a deal."""

    kind: MovedKind
    entity_id: str
    deal_id: str
    position: int
    owner_was: str
    created_for: str | None = None
    state: MoveState = "planned"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextMove:
    kind: MovedKind
    entity_id: str
    deal_id: str
    position: int
    owner_was: str
    taken_from: str
    created_for: str | None
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedMove:
    kind: MovedKind
    entity_id: str
    given_to: str
    employee_id: str
    effect_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMove:
    """effect_state, code: of what was ordered from the CRM. given_to: to whom, after all."""

    kind: MovedKind
    entity_id: str
    effect_key: str
    employee_id: str
    given_to: str
    effect_state: str
    code: str | None
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedAlong:
    kind: MovedKind
    entity_id: str
    deal_id: str
    given_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRow:
    """A line of the journal."""

    kind: MovedKind
    entity_id: str
    deal_id: str
    position: int
    state: MoveState
    reason: str
    owner_was: str
    given_to: str | None
    employee_id: str | None
    created_for: str | None
    ordered_at: datetime | None
    settled_at: datetime | None


async def plan(conn: Conn, account_id: str, run_id: int, run_kind: str, moves: Iterable[PlannedMove]) -> None:
    rows = [{name: getattr(move, name) for name in PlannedMove.__slots__} for move in moves]
    await conn.execute(_PLAN, account_id, run_id, orjson.dumps(rows).decode(), run_kind)


async def owed_deals(conn: Conn, account_id: str, user_id: str) -> list[TakenDeal]:
    """Return what was taken from this user by us and is not given back, in the order in which it was moved."""
    return [
        TakenDeal(
            id=row["entity_id"],
            taken_from=row["taken_from"],
            created_for=row["created_for"],
            given_to=row["given_to"],
            owner=row["owner_id"],
            is_open=row["is_open"],
            pipeline_id=row["pipeline_id"],
            was_changed=row["was_changed"],
        )
        for row in await conn.fetch(_OWED, account_id, user_id)
    ]


async def owed_along(conn: Conn, account_id: str, user_id: str, deal_ids: Collection[str]) -> list[OwedAlong]:
    """Return what went along with these deals from this user, and belongs to whom we gave it."""
    rows = await conn.fetch(_OWED_ALONG, account_id, user_id, list(deal_ids))
    return [OwedAlong(**dict(row)) for row in rows]


async def met_since(conn: Conn, account_id: str, user_id: str, since: datetime) -> set[str]:
    """Return deals of this user that a run has had in hand since then, moved or left."""
    rows = await conn.fetch(
        "SELECT m.entity_id FROM shift_move m JOIN shift_run r USING (account_id, run_id)"
        " WHERE r.account_id = $1 AND r.started_at >= $3 AND m.kind = 'deal' AND m.owner_was = $2",
        account_id,
        user_id,
        since,
    )
    return {row["entity_id"] for row in rows}


async def receivers_of(
    conn: Conn, account_id: str, run_id: int, deal_ids: Collection[str]
) -> dict[str, OrderedMove]:
    """Return to whom this run gave these deals; those that it left, or has not given yet, are absent."""
    rows = await conn.fetch(
        "SELECT kind, entity_id, given_to, employee_id, effect_key FROM shift_move WHERE account_id = $1 AND run_id = $2"
        " AND kind = 'deal' AND entity_id = ANY($3) AND state IN ('ordered', 'moved')",
        account_id,
        run_id,
        list(deal_ids),
    )
    return {row["entity_id"]: OrderedMove(**dict(row)) for row in rows}


async def end_chains(conn: Conn, account_id: str, user_id: str, deal_ids: Collection[str]) -> None:
    """Owe these deals to this user no more: somebody has done something else with them."""
    await conn.execute(
        "UPDATE shift_move SET is_last = false WHERE account_id = $1 AND is_last AND taken_from = $2 AND deal_id = ANY($3)",
        account_id,
        user_id,
        list(deal_ids),
    )


async def next_moves(conn: Conn, account_id: str, run_id: int, deals: int) -> list[NextMove]:
    """Return the next so many deals that are planned, and what goes along with them."""
    return [NextMove(**dict(row)) for row in await conn.fetch(_NEXT, account_id, run_id, deals)]


async def count_ordered(conn: Conn, account_id: str, run_id: int) -> int:
    found: int = await conn.fetchval(
        "SELECT count(*) FROM shift_move WHERE account_id = $1 AND run_id = $2 AND state = 'ordered'",
        account_id,
        run_id,
    )
    return found


async def set_ordered(
    conn: Conn, account_id: str, run_id: int, moves: Sequence[OrderedMove], now: datetime
) -> None:
    rows = [{name: getattr(move, name) for name in OrderedMove.__slots__} for move in moves]
    await conn.execute(_ORDERED, account_id, run_id, orjson.dumps(rows).decode(), now)


async def set_left(
    conn: Conn,
    account_id: str,
    run_id: int,
    reasons: Iterable[tuple[MovedKind, str, str]],
    now: datetime,
) -> None:
    """reasons: (kind, id, why)."""
    rows = [{"kind": kind, "entity_id": id, "reason": why} for kind, id, why in reasons]
    if rows:
        await conn.execute(_LEFT, account_id, run_id, orjson.dumps(rows).decode(), now)


async def leave_the_rest(conn: Conn, account_id: str, run_id: int, reason: str, now: datetime) -> int:
    """Leave what was not sent yet where it is: nothing of this run is moved from now on. How many rows."""
    await conn.execute(
        "UPDATE effect e SET state = 'skipped', error_code = 'withdrawn' FROM shift_move m"
        " WHERE m.account_id = $1 AND m.run_id = $2 AND m.state = 'ordered' AND e.account_id = m.account_id"
        " AND e.effect_key = m.effect_key AND e.state IN ('waiting', 'held')",
        account_id,
        run_id,
    )
    done: str = await conn.execute(
        "UPDATE shift_move SET state = 'left', reason = $3, settled_at = $4"
        " WHERE account_id = $1 AND run_id = $2 AND state = 'planned'",
        account_id,
        run_id,
        reason,
        now,
    )
    return int(done.split()[-1])


async def hold_back(conn: Conn, account_id: str, run_id: int) -> None:
    """Plan again what was ordered and not sent yet."""
    await conn.execute(
        "WITH back AS (UPDATE effect e SET state = 'skipped', error_code = 'withdrawn' FROM shift_move m"
        "  WHERE m.account_id = $1 AND m.run_id = $2 AND m.state = 'ordered' AND e.account_id = m.account_id"
        "  AND e.effect_key = m.effect_key AND e.state IN ('waiting', 'held') RETURNING e.effect_key)"
        " UPDATE shift_move SET state = 'planned' WHERE account_id = $1 AND run_id = $2"
        " AND effect_key IN (SELECT effect_key FROM back)",
        account_id,
        run_id,
    )


async def believe_the_crm(conn: Conn, account_id: str, run_id: int) -> None:
    """Settle what is in doubt and what the CRM has told meanwhile to be as ordered."""
    await conn.execute(_TOLD, account_id, run_id)


async def sent_moves(conn: Conn, account_id: str, run_id: int) -> list[SentMove]:
    """Return what is ordered, with what became of it."""
    return [
        SentMove(
            kind=row["kind"],
            entity_id=row["entity_id"],
            effect_key=row["effect_key"],
            employee_id=row["employee_id"],
            given_to=row["given_to"],
            effect_state=row["state"],
            code=row["error_code"],
            tries=row["tries"],
        )
        for row in await conn.fetch(_SENT, account_id, run_id)
    ]


async def set_moved(
    conn: Conn,
    account_id: str,
    run_id: int,
    run_kind: str,
    moves: Iterable[tuple[MovedKind, str, str]],
    now: datetime,
) -> None:
    """Note where they went, (kind, id, CRM user) each. What is given back is owed no more."""
    rows = [{"kind": kind, "entity_id": id, "given_to": user} for kind, id, user in moves]
    if rows:
        await conn.execute(_MOVED, account_id, run_id, orjson.dumps(rows).decode(), run_kind, now)


async def plan_again(conn: Conn, account_id: str, run_id: int, refs: Iterable[tuple[MovedKind, str]]) -> None:
    found = list(refs)
    await conn.execute(
        "UPDATE shift_move m SET state = 'planned' FROM unnest($3::text[], $4::text[]) AS w (kind, entity_id)"
        " WHERE m.account_id = $1 AND m.run_id = $2 AND m.kind = w.kind AND m.entity_id = w.entity_id AND m.state = 'ordered'",
        account_id,
        run_id,
        [kind for kind, _ in found],
        [id for _, id in found],
    )


async def take_off_the_desk(conn: Conn, account_id: str, keys: Collection[str]) -> None:
    """Nobody has to look at what the CRM refused: its deal stays where it is, and the journal says why."""
    await conn.execute(
        "UPDATE effect SET state = 'skipped', note = 'shift change'"
        " WHERE account_id = $1 AND effect_key = ANY($2) AND state = 'dead'",
        account_id,
        list(keys),
    )


async def journal(
    conn: Conn, account_id: str, run_id: int, *, after: tuple[int, str, str] | None = None, limit: int = 200
) -> list[MoveRow]:
    """Return the lines of a run in order. after: (position, kind, id) of the last one read."""
    rows = await conn.fetch(
        "SELECT kind, entity_id, deal_id, position, state, reason, owner_was, given_to, employee_id, created_for,"
        " ordered_at, settled_at FROM shift_move WHERE account_id = $1 AND run_id = $2"
        " AND ($3::int IS NULL OR (position, kind, entity_id) > ($3, $4, $5)) ORDER BY position, kind, entity_id LIMIT $6",
        account_id,
        run_id,
        *(after or (None, None, None)),
        limit,
    )
    return [MoveRow(**dict(row)) for row in rows]
