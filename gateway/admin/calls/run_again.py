"""A call that is over is run again: with the matrix, the people and the client as they are now. What it ordered before is not
ordered twice; what would be new is shown first, and ordered only if it is still the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from crm.effects.order import order
from crm.lane import Lane
from gateway.admin.refused import InputRefused
from gateway.calls.call import gone_from_crm, known_client, open_case
from gateway.calls.client_job import ClientJob
from gateway.calls.context import JobContext
from gateway.calls.turns import turns_asked
from gateway.decisions.dry_run import made_decision, setup_at
from gateway.store.admin.audit import AuditChange, record
from gateway.store.admin.matrices import current_version, matrix_at
from gateway.store.admin.staff import write_snapshot
from gateway.store.calls import missed_calls
from gateway.store.calls.calls import effect_keys, latest_talk, lock_client
from gateway.store.decisions.decisions import DecisionRow, Explained, add_decisions
from routing.client import Client
from routing.client_work.cases import on_missed, split_callback_task
from routing.client_work.play import Played, play
from routing.client_work.values import CallRow, CaseDecided, ClientState
from routing.decision import decision_id_of
from routing.effects import CallClient, CreateTask, Effect, ShowCard
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


class _Replayed(NamedTuple):
    """fresh: what is new. of_case: what the call-back task among it is to its client's case; None where none is new. stored: keys
    of what was ordered."""

    played: Played
    fresh: tuple[Effect, ...]
    of_case: CaseDecided | None
    stored: frozenset[str]


def can_run_again(row: CallRow) -> bool:
    """Whether it is a call of a client, and over."""
    return row.client is not None and row.call.is_over and row.call.direction != "internal"


async def plan_again(conn: Conn, job: ClientJob, account_id: str, row: CallRow) -> CallAgain:
    """Return what would be new; nothing is written. row: a call of a client that is over. Raises InputRefused for any other."""
    context = await job.context(conn, account_id)
    again = await _replayed(context, row)
    keys = {effect.key for effect in again.fresh}
    client = await known_client(conn, account_id, row.client or "")
    decisions = [
        made_decision(
            row, client, d.model_copy(update={"effects": _of(d.effects, keys)}), context.staff.version
        )
        for d in again.played.decisions
    ]
    return CallAgain(decisions=decisions, fresh=tuple(e.key for e in again.fresh), kept=len(again.stored))


async def run_again(conn: Conn, job: ClientJob, account_id: str, row: CallRow, *, keys: Sequence[str]) -> int:
    """Order what is new; how much that is. keys: what was shown. Raises AnotherOutcome, InputRefused."""
    async with conn.transaction():
        await lock_client(conn, account_id, row.client or "")
        context = await job.context(conn, account_id)
        again = await _replayed(context, row)
        if [effect.key for effect in again.fresh] != list(keys):
            raise AnotherOutcome
        if again.fresh:
            await _order(context, row, again)
            said = {"count": len(again.fresh), "names": [effect.key for effect in again.fresh]}
            change = AuditChange(
                what="call", object=row.call_id, action="run again", account_id=account_id, after=said
            )
            await record(conn, change)
        return len(again.fresh)


async def _replayed(context: JobContext, row: CallRow) -> _Replayed:
    if row.client is None or not can_run_again(row):
        raise InputRefused(
            "call", "Only a call of a client that is over can be run again", "wait until it is over"
        )
    conn, account, staff = context.conn, context.account, context.staff
    matrix = await matrix_at(conn, account.id, await current_version(conn, account.id))
    client = await known_client(conn, account.id, row.client)
    turns = await turns_asked(conn, account, staff, context.at_work, matrix, client, row.call.started_at)
    played = play(
        matrix,
        row,
        client,
        setup_at(account, staff, row.call.started_at),
        gone_places=await gone_from_crm(conn, account, matrix),
        turns=turns,
    )
    stored = frozenset(await effect_keys(conn, account.id, row.call_id))
    kept, task = split_callback_task(row.call, played.effects)
    of_case = await _of_case(context, row, task) if task is not None else None
    wanted = played.effects if of_case is not None else kept
    return _Replayed(played, _fresh(wanted, stored), of_case, stored)


async def _of_case(context: JobContext, row: CallRow, task: CreateTask) -> CaseDecided | None:
    """Return what the call-back task does to the client's case; None where it was decided already, or nothing is to be done."""
    conn, account_id = context.conn, context.account.id
    if await missed_calls.was_decided_for(conn, account_id, row.call_id):
        return None
    state = ClientState(
        Client(number=row.client or ""),
        case=await missed_calls.open_case(conn, account_id, row.client or ""),
        talk=await latest_talk(conn, account_id, row.client or "", context.now),
    )
    [act] = on_missed(row, task, state, context.setup)
    return act if isinstance(act, CaseDecided) and act.decision.effects else None


def _fresh(effects: Sequence[Effect], stored: frozenset[str]) -> tuple[Effect, ...]:
    """Nobody is shown a card of a call that is over, and nobody is called."""
    late = (ShowCard, CallClient)
    return tuple(e for e in effects if e.key not in stored and not isinstance(e.order, late))


def _of(effects: Sequence[Effect], keys: set[str]) -> tuple[Effect, ...]:
    return tuple(effect for effect in effects if effect.key in keys)


async def _order(context: JobContext, row: CallRow, again: _Replayed) -> None:
    """Each decision with what it orders anew, as one of its own; the call-back task is its case's."""
    conn, account, now = context.conn, context.account, context.now
    await write_snapshot(conn, account.id, context.staff)
    kept, _ = split_callback_task(row.call, again.fresh)
    keys = {effect.key for effect in kept}
    for decision, situation in zip(again.played.decisions, again.played.situations, strict=True):
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
            inputs={**inputs, "matrix_version": decision.version, "staff_version": context.staff.version},
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
            held=context.is_held,
        )
    if again.of_case is not None:
        await open_case(context, row, again.of_case)
