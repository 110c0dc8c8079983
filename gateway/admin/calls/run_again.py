"""A call that is over is run again: with the matrix, the people and the client as they are now. What it ordered before is not
ordered twice; what would be new is shown first, and ordered only if it is still the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from crm.effects.order import order
from crm.lane import Lane
from gateway.admin.refused import InputRefused
from gateway.at_work import AtWork
from gateway.calls.call import gone_from_crm, known_client
from gateway.calls.turns import turns_asked
from gateway.decisions.dry_run import made_decision, setup_at
from gateway.store.admin.accounts import Account
from gateway.store.admin.audit import AuditChange, record
from gateway.store.admin.matrices import current_version, matrix_at
from gateway.store.admin.staff import staff_of, write_snapshot
from gateway.store.calls.calls import effect_keys, lock_client
from gateway.store.decisions.decisions import DecisionRow, Explained, add_decisions
from routing.client_work.play import Played, play
from routing.client_work.values import CallRow
from routing.decision import decision_id_of
from routing.effects import CallClient, Effect, ShowCard
from runtime.database.pool import Conn


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAgain:
    """What running a call again comes to. decisions: as stored ones are shown, with their new effects only. fresh: keys of what is
    new; kept: how many orders of the call there are already."""

    decisions: Sequence[Explained]
    fresh: tuple[str, ...]
    kept: int


class AnotherOutcome(InputRefused):
    """What would be new is no longer what was shown."""

    code = "call-moved"

    def __init__(self) -> None:
        super().__init__("keys", "Meanwhile something else would be new", "look at it again")


async def plan_again(conn: Conn, account: Account, row: CallRow, at_work: AtWork) -> CallAgain:
    """Return what would be new; nothing is written. row: a call of a client that is over. Raises InputRefused for any other."""
    played, stored, version = await _played(conn, account, row, at_work)
    fresh = _fresh(played, stored)
    keys = {effect.key for effect in fresh}
    client = await known_client(conn, account.id, row.client or "")
    decisions = [
        made_decision(row, client, d.model_copy(update={"effects": _of(d.effects, keys)}), version)
        for d in played.decisions
    ]
    return CallAgain(decisions=decisions, fresh=tuple(e.key for e in fresh), kept=len(stored))


async def run_again(
    conn: Conn, account: Account, row: CallRow, at_work: AtWork, *, keys: Sequence[str], now: datetime
) -> int:
    """Order what is new; how much that is. keys: what was shown. Raises AnotherOutcome, InputRefused."""
    async with conn.transaction():
        await lock_client(conn, account.id, row.client or "")
        played, stored, version = await _played(conn, account, row, at_work)
        fresh = _fresh(played, stored)
        if [effect.key for effect in fresh] != list(keys):
            raise AnotherOutcome
        if fresh:
            await _order(conn, account, row, played, {effect.key for effect in fresh}, version, now)
            said = {"count": len(fresh), "names": [effect.key for effect in fresh]}
            change = AuditChange(
                what="call", object=row.call_id, action="run again", account_id=account.id, after=said
            )
            await record(conn, change)
        return len(fresh)


async def _played(
    conn: Conn, account: Account, row: CallRow, at_work: AtWork
) -> tuple[Played, frozenset[str], int]:
    """Return it with the keys of what was ordered, and the version of the people."""
    if row.client is None or not row.call.is_over or row.call.direction == "internal":
        raise InputRefused(
            "call", "Only a call of a client that is over can be run again", "wait until it is over"
        )
    staff = await staff_of(conn, account.id)
    matrix = await matrix_at(conn, account.id, await current_version(conn, account.id))
    client = await known_client(conn, account.id, row.client)
    turns = await turns_asked(conn, account, staff, at_work, matrix, client, row.call.started_at)
    played = play(
        matrix,
        row,
        client,
        setup_at(account, staff, row.call.started_at),
        gone_places=await gone_from_crm(conn, account, matrix),
        turns=turns,
    )
    return played, frozenset(await effect_keys(conn, account.id, row.call_id)), staff.version


def _fresh(played: Played, stored: frozenset[str]) -> list[Effect]:
    """Nobody is shown a card of a call that is over, and nobody is called."""
    late = (ShowCard, CallClient)
    return [e for e in played.effects if e.key not in stored and not isinstance(e.order, late)]


def _of(effects: Sequence[Effect], keys: set[str]) -> tuple[Effect, ...]:
    return tuple(effect for effect in effects if effect.key in keys)


async def _order(
    conn: Conn, account: Account, row: CallRow, played: Played, keys: set[str], version: int, now: datetime
) -> None:
    """Each decision with what it orders anew, as one of its own."""
    await write_snapshot(conn, account.id, await staff_of(conn, account.id))
    for decision, situation in zip(played.decisions, played.situations, strict=True):
        effects = _of(decision.effects, keys)
        if not effects:
            continue
        id = decision_id_of(account.id, row.call_id, f"again {decision.moment.value} {now.isoformat()}")
        inputs = situation.model_dump(mode="json", exclude={"staff", "turns"})
        made = DecisionRow(
            account_id=account.id,
            decision_id=id,
            kind="matrix",
            at=now,
            call_id=row.call_id,
            client=row.client,
            reason=decision.reason,
            outcome=decision.model_dump(mode="json", exclude={"steps"}),
            steps=[step.as_json() for step in decision.steps],
            inputs={**inputs, "matrix_version": decision.version, "staff_version": version},
        )
        await add_decisions(conn, [made])
        await order(
            conn,
            account_id=account.id,
            decision_id=id,
            call_id=row.call_id,
            client=row.client or "",
            lane=Lane.EVENTS,
            effects=effects,
            held=account.state != "on",
        )
