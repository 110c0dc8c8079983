"""Items that go out, as rows: what waits, what is under way and how each ended."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

import asyncpg

from runtime.database.pool import Conn

OutboundKind = Literal["sms", "callback", "campaign"]
OutboundSource = Literal["trigger", "matrix", "api", "campaign"]
OutboundState = Literal[
    "held",
    "waiting",
    "dialling",
    "sending",
    "succeeded",
    "failed",
    "unknown",
    "expired",
    "cleared",
    "dropped",
]
EndState = Literal["succeeded", "failed", "unknown", "expired", "cleared", "dropped"]
"""unknown: somebody may have been reached; a late report or a person may still settle it. Every other one is final."""

# Whose number is not read yet is the contact's: where that one has other numbers, the claim chooses among them.
_DROP = """
UPDATE outbound_item SET state = 'dropped', reason = $4, ended_at = now() WHERE (account_id, item_id) IN (
    SELECT account_id, item_id FROM outbound_item i WHERE account_id = $1 AND state IN ('held', 'waiting')
      AND ($3 = '' OR campaign = $3) AND (client = ANY($2) OR (client IS NULL AND EXISTS (
        SELECT FROM directory_number n WHERE n.account_id = $1 AND n.kind = 'contact' AND n.entity_id = i.contact_id
          AND n.number = ANY($5)) AND NOT EXISTS (
        SELECT FROM directory_number n WHERE n.account_id = $1 AND n.kind = 'contact' AND n.entity_id = i.contact_id
          AND n.number <> ALL($5))))
    ORDER BY item_id FOR UPDATE)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundItem:
    """client: E.164, None until it was claimed. state: held = its turn in its campaign has not come. target: as the action has it. order: the action as saved, with the trigger and
    its version. counters: what came of attempts so far, by rule. reason: why it waits, or how it ended. look_at: of what waits,
    when it is looked at next, None = at once."""

    account_id: str
    item_id: str
    kind: OutboundKind
    firing_id: str | None
    source: OutboundSource
    deal_id: str | None
    contact_id: str | None
    client: str | None
    target: Mapping[str, Any] | None
    connection: str | None
    line: str | None
    priority: int
    not_before: datetime
    expires_at: datetime | None
    state: OutboundState
    reason: str
    employee_id: str | None
    counters: Mapping[str, int]
    campaign: str | None
    order: Mapping[str, Any]
    created_at: datetime
    ended_at: datetime | None
    look_at: datetime | None

    @property
    def action(self) -> Mapping[str, Any]:
        """Return what is to be done, as a trigger's action is written."""
        found: Mapping[str, Any] = self.order.get("action", {})
        return found


_COLUMNS = tuple(field.name for field in fields(OutboundItem))


async def item_of(conn: Conn, account_id: str, item_id: str) -> OutboundItem | None:
    row = await conn.fetchrow(
        "SELECT * FROM outbound_item WHERE account_id = $1 AND item_id = $2", account_id, item_id
    )
    return as_item(row) if row else None


async def items_named(conn: Conn, account_id: str, ids: Collection[str]) -> dict[str, OutboundItem]:
    """Return them by id; what is no longer stored is missing."""
    rows = await conn.fetch(
        "SELECT * FROM outbound_item WHERE account_id = $1 AND item_id = ANY($2)", account_id, list(ids)
    )
    return {row["item_id"]: as_item(row) for row in rows}


async def lock(conn: Conn, account_id: str, item_id: str) -> OutboundItem | None:
    """As `item_of`; nobody else changes it until the transaction ends."""
    row = await conn.fetchrow(
        "SELECT * FROM outbound_item WHERE account_id = $1 AND item_id = $2 FOR UPDATE", account_id, item_id
    )
    return as_item(row) if row else None


async def end_item(conn: Conn, row: OutboundItem, state: EndState, reason: str) -> bool:
    """Say how it ended. False: it had ended before, and stays as it was; of those only what was unknown may be settled."""
    done: str = await conn.execute(
        "UPDATE outbound_item SET state = $3, reason = $4, ended_at = now(), look_at = NULL WHERE account_id = $1"
        " AND item_id = $2 AND state IN ('held', 'waiting', 'dialling', 'sending', 'unknown') AND state <> $3",
        row.account_id,
        row.item_id,
        state,
        reason,
    )
    return done != "UPDATE 0"


async def put_back(
    conn: Conn,
    row: OutboundItem,
    not_before: datetime,
    reason: str,
    counters: Mapping[str, int],
    *,
    client: str | None = None,
) -> bool:
    """Let it wait for another try. False: it is not under way. client: whom then, None = as before."""
    done: str = await conn.execute(
        "UPDATE outbound_item SET state = 'waiting', not_before = $3, look_at = NULL, reason = $4, counters = $5,"
        " client = coalesce($6, client) WHERE account_id = $1 AND item_id = $2 AND state IN ('dialling', 'sending')",
        row.account_id,
        row.item_id,
        not_before,
        reason,
        dict(counters),
        client,
    )
    return done != "UPDATE 0"


async def drop_waiting_for(
    conn: Conn, account_id: str, number: str, reason: str = "do_not_call", campaign: str = ""
) -> int:
    """Drop what waits for this client, without stage and task; what is under way goes on. number: E.164. campaign: only what is
    of this one, '' = everything. How many were dropped."""
    return await drop_waiting_for_all(conn, account_id, [number], reason, campaign)


async def drop_waiting_for_all(
    conn: Conn, account_id: str, numbers: Sequence[str], reason: str = "do_not_call", campaign: str = ""
) -> int:
    done: str = await conn.execute(
        _DROP, account_id, list(numbers), campaign, reason, [int(number.lstrip("+")) for number in numbers]
    )
    return int(done.split()[-1])


def as_item(row: asyncpg.Record) -> OutboundItem:
    """Read a whole row; columns of a newer version are left alone."""
    return OutboundItem(**{name: row[name] for name in _COLUMNS})
