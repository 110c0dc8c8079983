"""Effects that happen once: ordered in the decision's own transaction, carried out later by the writer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import asyncpg

from crm.effects.store import orders as store
from crm.lane import Lane
from routing.client import ClientEntity, Ref
from routing.effects import Effect, system_of
from routing.orders import ORDER_KINDS, needs_of, promised_entity
from runtime.database.pool import Conn
from runtime.effects.store import hold as hold_all


async def order(
    conn: Conn,
    *,
    account_id: str,
    decision_id: str,
    call_id: str | None,
    client: str,
    lane: Lane,
    effects: Sequence[Effect],
    held: bool = False,
) -> int:
    """How many of these effects are new; a key that is known already changes nothing.

    Runs in the caller's transaction; their executors are told when that commits. client: E.164, or any stable name where the
    number is not known. held: the account is off or broken: keep them for a reactivation instead of sending them.
    """
    if not effects:
        return 0
    rows = [_row(effect) for effect in effects]
    return await store.insert(
        conn,
        account_id,
        rows,
        decision_id=decision_id,
        call_id=call_id,
        client=client,
        lane=lane,
        state="held" if held else "waiting",
    )


class ClientEffect(NamedTuple):
    """client: as of `order`. decision_id: that wants it."""

    client: str
    decision_id: str
    effect: Effect


async def order_each(conn: Conn, *, account_id: str, lane: Lane, effects: Sequence[ClientEffect]) -> int:
    """Order effects of many clients and decisions together, of no call. As `order` else."""
    if not effects:
        return 0
    rows = [replace(_row(e.effect), client=e.client, decision_id=e.decision_id) for e in effects]
    return await store.insert(
        conn, account_id, rows, decision_id="", call_id=None, client="", lane=lane, state="waiting"
    )


async def promised(conn: Conn, account_id: str, number: str) -> tuple[ClientEntity, ...]:
    """Entities that effects of ours will create or have just created for this client and the directory does not know.

    Their refs carry the effect's key while it waits and the CRM's id once it is done. Dead, skipped and expired effects
    promise nothing.
    """
    rows = await store.promises(conn, account_id, number)
    return tuple(_promise(row) for row in rows)


async def hold(conn: Conn, account_id: str) -> int:
    """Keep what waits for a reactivation, when the account is switched off; how many effects. Cards are skipped."""
    return await hold_all(conn, account_id)


def needs(effect: Effect) -> tuple[str, ...]:
    """Keys that must have been applied before this effect: those it says and those whose ids its order names."""
    return tuple(dict.fromkeys((*effect.after, *needs_of(effect.order))))


def _row(effect: Effect) -> store.NewEffect:
    return store.NewEffect(
        key=effect.key,
        system=system_of(effect.order),
        what=effect.order.do,
        order=effect.order.model_dump(mode="json"),
        after=needs(effect),
        not_before=effect.not_before,
    )


def _promise(row: asyncpg.Record) -> ClientEntity:
    kind = ORDER_KINDS[row["what"]].creates
    is_done = row["state"] == "done"
    kind = row["crm_extra"].get("kind", kind) if is_done else kind
    ref = Ref(kind=kind, id=row["crm_id"]) if is_done else Ref(kind=kind, effect=row["effect_key"])
    return promised_entity(row["order"], ref, row["created_at"])
