"""What is to be given and what was, as rows: each once for a deal and its entry into a stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import asyncpg

from routing.decision import stable_id
from runtime.database.errors import storable
from runtime.database.pool import Conn

ItemState = Literal["waiting", "given", "kept", "nobody", "cancelled", "failed"]
ListedKind = Literal["deal", "call"]
ItemSource = Literal["event", "sweep", "hook", "stage", "api", "call", "chat"]

_ADD = """
INSERT INTO distribution_item (account_id, item_id, template, kind, entity_id, pipeline_id, stage_id, event_id, source,
    entered_at, due_at, opens_at, created_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, greatest(now(), gate.due_at), gate.opens_at, clock_timestamp()
FROM (SELECT) one LEFT JOIN LATERAL (
    SELECT due_at, opens_at FROM distribution_item w WHERE w.account_id = $1 AND w.template = $3 AND w.state = 'waiting'
      AND w.opens_at <= now() AND w.due_at > now() ORDER BY w.due_at LIMIT 1) gate ON true
ON CONFLICT DO NOTHING RETURNING item_id
"""

_ITEMS = "SELECT * FROM distribution_item WHERE account_id = $1 AND item_id = ANY($2) ORDER BY item_id"

_OPEN_OF_DEAL = """
SELECT * FROM distribution_item WHERE account_id = $1 AND kind = 'deal' AND entity_id = $2
    AND (state = 'waiting' OR state = 'given') ORDER BY created_at DESC LIMIT 20
"""

_DUE = """
SELECT account_id, template, item_id, state FROM distribution_item i
WHERE due_at <= now() AND EXISTS (SELECT 1 FROM account a WHERE a.account_id = i.account_id AND a.state = 'on')
ORDER BY account_id, template, entered_at, length(entity_id), entity_id, created_at, item_id LIMIT $1
"""

# Everybody takes several items in the order of their ids (see items_of): then no two sessions wait for each other.
_PUT_OFF_ALIKE = """
UPDATE distribution_item SET due_at = $4 WHERE (account_id, item_id) IN (
    SELECT account_id, item_id FROM distribution_item WHERE account_id = $1 AND state = 'waiting' AND template = $2
      AND reason = $3 AND due_at <= now() ORDER BY account_id, item_id FOR UPDATE)
"""
# least() passes over NULL: what waits for something else than working time must not seem to be gathered.
_LOOK_AGAIN = """
UPDATE distribution_item SET opens_at = CASE WHEN opens_at IS NOT NULL THEN least(opens_at, now()) END, due_at = now()
WHERE (account_id, item_id) IN (
    SELECT account_id, item_id FROM distribution_item WHERE account_id = ANY($1) AND state = 'waiting'
      AND coalesce(opens_at, due_at) > now() AND ($2::text IS NULL OR template = $2)
    ORDER BY account_id, item_id FOR UPDATE)
"""
_CANCEL_WAITING = """
UPDATE distribution_item SET state = 'cancelled', reason = $3, due_at = NULL, take_until = NULL
WHERE (account_id, item_id) IN (
    SELECT account_id, item_id FROM distribution_item WHERE account_id = $1 AND state = 'waiting' AND template = $2
    ORDER BY account_id, item_id FOR UPDATE)
"""

_SAVE = """
UPDATE distribution_item SET state = $3, reason = $4, employee_id = $5, owner_before = $6, decision_id = $7, round = $8,
    tried = $9, decided_at = $10, due_at = $11, opens_at = $12, take_until = $13, version = $14, refused = $15,
    is_written = $16, failures = 0, error = NULL, taken_at = NULL, overridden_by = NULL
WHERE account_id = $1 AND item_id = $2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRow:
    """entity_id: of the deal, or of the call because of which it was given. stage: (pipeline, stage), None where it was not told. round: how often it was decided.
    employee_id: who has it by us. tried: who is not asked again: had it and did not take it. refused: whom the CRM would not have. opens_at: when the working time that it waits for begins."""

    account_id: str
    item_id: str
    template: str
    version: int | None
    kind: ListedKind
    entity_id: str
    pipeline_id: str | None
    stage_id: str | None
    event_id: int | None
    source: ItemSource
    state: ItemState
    reason: str
    employee_id: str | None
    owner_before: str | None
    decision_id: str | None
    round: int
    tried: tuple[str, ...]
    refused: tuple[str, ...]
    entered_at: datetime
    created_at: datetime
    decided_at: datetime | None
    due_at: datetime | None
    opens_at: datetime | None
    take_until: datetime | None
    taken_at: datetime | None
    is_written: bool
    overridden_by: str | None
    failures: int
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewItem:
    """event_id: of the CRM's change by which it came; key: what tells it apart where there is none."""

    template: str
    entity_id: str
    source: ItemSource
    entered_at: datetime
    pipeline_id: str | None = None
    stage_id: str | None = None
    event_id: int | None = None
    key: str = ""
    kind: ListedKind = "deal"


async def add_item(conn: Conn, account_id: str, new: NewItem) -> str | None:
    """Keep it; it is looked at at once, or with those that wait for the same opening. None: it is there already."""
    item_id = item_id_of(account_id, new)
    added: str | None = await conn.fetchval(
        _ADD,
        account_id,
        item_id,
        new.template,
        new.kind,
        new.entity_id,
        new.pipeline_id,
        new.stage_id,
        new.event_id,
        new.source,
        new.entered_at,
    )
    return added


def item_id_of(account_id: str, new: NewItem) -> str:
    """Return under which number it is kept."""
    key = f"event {new.event_id}" if new.event_id is not None else f"{new.source} {new.key}"
    return stable_id(account_id, "distribution item", new.kind, new.entity_id, key)


async def item_of(conn: Conn, account_id: str, item_id: str, *, lock: bool = False) -> ItemRow | None:
    found = await items_of(conn, account_id, [item_id], lock=lock)
    return found[0] if found else None


async def items_of(
    conn: Conn, account_id: str, item_ids: Sequence[str], *, lock: bool = False
) -> list[ItemRow]:
    """Return those that there are, in this order. lock: nobody else changes them until the transaction ends."""
    rows = await conn.fetch(
        _ITEMS + (" FOR UPDATE" if lock else ""),
        account_id,
        list(item_ids),
    )
    found = {row["item_id"]: as_item(row) for row in rows}
    return [found[id] for id in dict.fromkeys(item_ids) if id in found]


async def due_items(conn: Conn, limit: int) -> list[tuple[str, str, str, ItemState]]:
    """(account, template, item, state) of what is to be looked at, of each template the oldest first. The CRM tells whole
    seconds: of what came in the same one the lower number is the older."""
    return [tuple(row) for row in await conn.fetch(_DUE, limit)]


async def is_any_waiting(conn: Conn, account_id: str, template: str, but: str) -> bool:
    """Whether something else waits for this template: who comes later does not go first."""
    found: bool = await conn.fetchval(
        "SELECT EXISTS (SELECT 1 FROM distribution_item WHERE account_id = $1 AND template = $2 AND state = 'waiting'"
        " AND item_id <> $3)",
        account_id,
        template,
        but,
    )
    return found


async def save_item(conn: Conn, item: ItemRow) -> None:
    """Write what was decided of it."""
    await save_items(conn, [item])


async def save_items(conn: Conn, items: Sequence[ItemRow]) -> None:
    """Write what was decided of each."""
    await conn.executemany(_SAVE, [_saved_values(item) for item in items])


def _saved_values(item: ItemRow) -> tuple[object, ...]:
    return (
        item.account_id,
        item.item_id,
        item.state,
        item.reason,
        item.employee_id,
        item.owner_before,
        item.decision_id,
        item.round,
        list(item.tried),
        item.decided_at,
        item.due_at,
        item.opens_at,
        item.take_until,
        item.version,
        list(item.refused),
        item.is_written,
    )


async def put_off(conn: Conn, account_id: str, item_id: str, until: datetime | None) -> None:
    """Look at it again then, None = never."""
    await conn.execute(
        "UPDATE distribution_item SET due_at = $3 WHERE account_id = $1 AND item_id = $2",
        account_id,
        item_id,
        until,
    )


async def item_failed(
    conn: Conn, account_id: str, item_id: str, error: str, pauses: Sequence[timedelta]
) -> None:
    """Note a failure: looked at again after the pause of as many failures, and set aside when there are none left."""
    await conn.execute(
        "UPDATE distribution_item SET failures = failures + 1, error = $3, due_at = now() + ($4::interval[])[failures + 1],"
        " state = CASE WHEN failures >= cardinality($4::interval[]) AND state = 'waiting' THEN 'failed' ELSE state END,"
        " reason = CASE WHEN failures >= cardinality($4::interval[]) AND state = 'waiting' THEN 'error' ELSE reason END"
        " WHERE account_id = $1 AND item_id = $2",
        account_id,
        item_id,
        error[:2000],
        list(pauses),
    )


async def note_error(conn: Conn, account_id: str, item_id: str, error: str) -> None:
    await conn.execute(
        "UPDATE distribution_item SET error = $3 WHERE account_id = $1 AND item_id = $2",
        account_id,
        item_id,
        storable(error)[:2000],
    )


async def put_off_alike(conn: Conn, account_id: str, template: str, reason: str, until: datetime) -> int:
    """Put off all that is due and waits for the same: nobody can get any of it just now. How many."""
    done: str = await conn.execute(_PUT_OFF_ALIKE, account_id, template, reason, until)
    return int(done.split()[-1])


async def look_again(conn: Conn, account_ids: Sequence[str], template: str | None = None) -> int:
    """Look now at what is held until some hour: hours may have changed. Where work has begun by the new ones it goes out as it
    would in the morning, the oldest first, not all at once. template: None = of every one. How many."""
    done: str = await conn.execute(_LOOK_AGAIN, list(account_ids), template)
    return int(done.split()[-1])


async def cancel_waiting(conn: Conn, account_id: str, template: str, reason: str) -> None:
    """Give up all that waits for this template."""
    await conn.execute(_CANCEL_WAITING, account_id, template, reason)


async def look_at_deal(conn: Conn, account_id: str, deal_id: str) -> None:
    """Look at what waits of this deal within a second: it has changed."""
    await conn.execute(
        "UPDATE distribution_item SET due_at = now() WHERE account_id = $1 AND kind = 'deal' AND entity_id = $2"
        " AND state = 'waiting' AND due_at > now()",
        account_id,
        deal_id,
    )


async def open_items_of_deal(
    conn: Conn, account_id: str, deal_id: str, *, lock: bool = False
) -> list[ItemRow]:
    """Those that wait, and those that were given, newest first. lock: nobody else changes them until the transaction ends."""
    rows = await conn.fetch(
        _OPEN_OF_DEAL + (" FOR UPDATE" if lock else ""),
        account_id,
        deal_id,
    )
    return [as_item(row) for row in rows]


async def mark_overridden(conn: Conn, account_id: str, item_id: str, by: str) -> None:
    await conn.execute(
        "UPDATE distribution_item SET overridden_by = $3, due_at = NULL, take_until = NULL"
        " WHERE account_id = $1 AND item_id = $2",
        account_id,
        item_id,
        by,
    )


async def mark_taken(conn: Conn, account_id: str, item_id: str, at: datetime) -> None:
    await conn.execute(
        "UPDATE distribution_item SET taken_at = $3, due_at = NULL WHERE account_id = $1 AND item_id = $2",
        account_id,
        item_id,
        at,
    )


async def given_since(conn: Conn, account_id: str, template: str | None, since: datetime) -> dict[str, int]:
    """Return how many deals each employee was given since then, by this template or (None) by any."""
    rows = await conn.fetch(
        "SELECT employee_id, count(*) AS n FROM distribution_item WHERE account_id = $1"
        " AND ($2::text IS NULL OR template = $2) AND state = 'given' AND decided_at >= $3 AND employee_id IS NOT NULL"
        " GROUP BY employee_id",
        account_id,
        template,
        since,
    )
    return {row["employee_id"]: row["n"] for row in rows}


async def given_not_seen_yet(conn: Conn, account_id: str) -> dict[str, int]:
    """Return how many deals each employee was given a moment ago that the directory still shows as another's."""
    rows = await conn.fetch(
        "SELECT i.employee_id, count(*) AS n FROM distribution_item i"
        " JOIN effect e ON e.account_id = i.account_id AND e.decision_id = i.decision_id"
        " AND e.effect_key = i.decision_id || ':deal'"
        " LEFT JOIN directory_entity d ON d.account_id = i.account_id AND d.kind = 'deal' AND d.entity_id = i.entity_id"
        " WHERE i.account_id = $1 AND i.state = 'given' AND i.decided_at > now() - interval '15 minutes'"
        " AND i.kind = 'deal' AND e.state IN ('waiting', 'sending', 'unknown', 'held', 'done')"
        " AND d.owner_id IS DISTINCT FROM e.\"order\"->>'owner_id' AND coalesce(d.is_open, true) GROUP BY 1",
        account_id,
    )
    return {row["employee_id"]: row["n"] for row in rows}


def as_item(row: asyncpg.Record) -> ItemRow:
    values: dict[str, Any] = dict(row)
    return ItemRow(**{**values, "tried": tuple(values["tried"]), "refused": tuple(values["refused"])})


async def try_again(conn: Conn, account_id: str, item_id: str) -> bool:
    """Let what came to nothing, or waits, be looked at now; whether there was such an item."""
    done: str = await conn.execute(
        "UPDATE distribution_item SET state = 'waiting', due_at = now(), opens_at = NULL, failures = 0, error = NULL"
        " WHERE account_id = $1 AND item_id = $2 AND state IN ('waiting', 'nobody', 'failed', 'cancelled')",
        account_id,
        item_id,
    )
    return done != "UPDATE 0"


async def give_up(conn: Conn, account_id: str, item_id: str) -> bool:
    """Whether it was waiting, and is not any more."""
    done: str = await conn.execute(
        "UPDATE distribution_item SET state = 'cancelled', reason = 'stopped', due_at = NULL, opens_at = NULL"
        " WHERE account_id = $1 AND item_id = $2 AND state = 'waiting'",
        account_id,
        item_id,
    )
    return done != "UPDATE 0"
