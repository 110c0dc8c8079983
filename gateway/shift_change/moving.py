"""One step of a run: what became of what was ordered, then the next piece, in one transaction with its journal and ledgers.

Killed anywhere, the next step goes on: what is planned is planned, what is ordered is carried out once by the account's writer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import asyncpg
import structlog

from crm.effects.model import ENTITY_GONE
from crm.effects.order import ClientEffect, order_each
from crm.effects.outcomes import CHANGED_MEANWHILE, CLOSED_MEANWHILE
from crm.effects.owners import OWNER_REFUSED
from crm.effects.store.work import is_on
from crm.lane import Lane
from crm.store.owned_deals import HAND_OVER, EntityNow, entities_now
from gateway.store.shift_change import moves, runs
from gateway.store.shift_change.moves import MovedKind, NextMove, OrderedMove, SentMove
from gateway.store.shift_change.runs import ShiftRun
from routing.client import Ref
from routing.effects import ChangeTask, Effect, UpdateEntity
from routing.shift_change.policy import ShiftPolicy
from runtime.database.pool import Conn

log = structlog.get_logger(__name__)

SLICE = 250
"""Deals of one piece: a full request of the CRM."""
AHEAD = 250
"""No more is ordered while more rows than these are on their way: a pause, a stop or a return holds up the rest."""
MOST_TRIES = 3

_WHY = {
    CHANGED_MEANWHILE: "changed",
    CLOSED_MEANWHILE: "closed",
    ENTITY_GONE: "gone",
    "not-found": "gone",
    "dependency": "deal_stays",
}
_AGAIN = frozenset(("too-late", "withdrawn"))
_ENDED = frozenset(("done", "dead", "skipped", "expired"))


class Receivers(Protocol):
    """Whoever says who gets the deals of a run, and keeps account of it."""

    async def give(
        self, conn: Conn, run: ShiftRun, deal_ids: Sequence[str], now: datetime
    ) -> list[tuple[str, str, str]]:
        """Return (deal, employee, CRM user) in the order of the deals, booked in this transaction; shorter than these where
        nobody is left."""
        ...

    async def take_back(self, conn: Conn, run: ShiftRun, deal_ids: Collection[str], now: datetime) -> None:
        """Book that these were not given after all."""
        ...


async def step(
    pool: asyncpg.Pool,
    account_id: str,
    run_id: int,
    policy: ShiftPolicy,
    receivers: Receivers,
    now: datetime,
) -> bool:
    """Whether anything changed, or is on its way."""
    async with pool.acquire() as conn, conn.transaction():
        run = await runs.run_of(conn, account_id, run_id, lock=True)
        if run is None or run.total is None:
            return False
        has_settled = await _settle(conn, account_id, run, receivers, now)
        on_the_way = await moves.count_ordered(conn, account_id, run_id)
        is_going = has_settled or on_the_way > 0
        if run.state != "running" or on_the_way > AHEAD or not await is_on(conn, account_id):
            return is_going
        wanted = await moves.next_moves(conn, account_id, run_id, SLICE)
        if wanted:
            return await _order(conn, account_id, run, policy, wanted, receivers, now) or is_going
        if not on_the_way:
            await runs.set_state(conn, account_id, run_id, "done", now=now)
            log.info("shift-run-done", account=account_id, run=run_id)
        return is_going


async def _settle(conn: Conn, account_id: str, run: ShiftRun, receivers: Receivers, now: datetime) -> bool:
    await moves.believe_the_crm(conn, account_id, run.run_id)
    ended = [
        one for one in await moves.sent_moves(conn, account_id, run.run_id) if one.effect_state in _ENDED
    ]
    if not ended:
        return False
    done = [one for one in ended if one.effect_state == "done"]
    rest = [one for one in ended if one.effect_state != "done"]
    again = [one for one in rest if _is_tried_again(one, run)]
    left = [one for one in rest if one not in again]
    await moves.set_moved(
        conn, account_id, run.run_id, run.kind, [(one.kind, one.entity_id, one.given_to) for one in done], now
    )
    await moves.plan_again(conn, account_id, run.run_id, [(one.kind, one.entity_id) for one in again])
    reasons = [(one.kind, one.entity_id, _why_left(one, run)) for one in left]
    await moves.set_left(conn, account_id, run.run_id, reasons, now)
    await moves.take_off_the_desk(
        conn, account_id, [one.effect_key for one in rest if one.effect_state == "dead"]
    )
    deals = [one.entity_id for one in rest if one.kind == "deal"]
    if deals and run.kind != "return":
        await receivers.take_back(conn, run, deals, now)
    return True


def _is_tried_again(move: SentMove, run: ShiftRun) -> bool:
    """Tell what was not sent at all, or was refused for who was to get it, apart from what stays where it is."""
    if not run.is_open:
        return False
    return move.code in _AGAIN or (
        move.effect_state == "dead" and move.code == OWNER_REFUSED and move.tries < MOST_TRIES
    )


def _why_left(move: SentMove, run: ShiftRun) -> str:
    if move.code in _AGAIN:
        return run.reason or run.state
    return _WHY.get(move.code or "", "refused")


async def _order(
    conn: Conn,
    account_id: str,
    run: ShiftRun,
    policy: ShiftPolicy,
    wanted: Sequence[NextMove],
    receivers: Receivers,
    now: datetime,
) -> bool:
    """Order these, but those that have become somebody else's matter since they were listed."""
    known = await entities_now(conn, account_id, [(m.kind, m.entity_id) for m in wanted if m.kind != "task"])
    why = {(m.kind, m.entity_id): _why_not(m, known, policy) for m in wanted}
    deals = [m for m in wanted if m.kind == "deal" and why[m.kind, m.entity_id] is None]
    ordered = await _given(conn, run, deals, receivers, now)
    if len(ordered) < len(deals):
        await runs.tell_reason(conn, account_id, run.run_id, "nobody_left")
        later = {m.entity_id for m in deals[len(ordered) :]}
    else:
        await runs.tell_reason(conn, account_id, run.run_id, "")
        later = set()
    along = [m for m in wanted if m.kind != "deal" and m.deal_id not in later]
    earlier = await moves.receivers_of(conn, account_id, run.run_id, [m.deal_id for m in along])
    by_deal = earlier | {move.entity_id: move for move in ordered}
    for move in along:
        deal = by_deal.get(move.deal_id)
        if deal is None:
            why[move.kind, move.entity_id] = why[move.kind, move.entity_id] or "deal_stays"
        elif why[move.kind, move.entity_id] is None:
            ordered.append(_ordered(run, move, deal.given_to, deal.employee_id))
    moves_of = {(m.kind, m.entity_id): m for m in wanted}
    effects = [_effect(run, moves_of[o.kind, o.entity_id], o, by_deal) for o in ordered]
    lane = Lane.EVENTS if run.kind == "new" else Lane.MOVES
    await order_each(conn, account_id=account_id, lane=lane, effects=effects)
    await moves.set_ordered(conn, account_id, run.run_id, ordered, now)
    left = [(kind, id, reason) for (kind, id), reason in why.items() if reason is not None]
    await moves.set_left(conn, account_id, run.run_id, left, now)
    return bool(ordered or left)


def _why_not(move: NextMove, known: Mapping[tuple[str, str], EntityNow], policy: ShiftPolicy) -> str | None:
    if move.kind == "task":
        return None
    now = known.get((move.kind, move.entity_id))
    if now is None:
        return "gone"
    if now.owner != move.owner_was:
        return "changed"
    if move.kind != "deal":
        return None
    if not now.is_open:
        return "closed"
    return None if now.pipeline_id in policy.pipelines else "other_pipeline"


async def _given(
    conn: Conn, run: ShiftRun, deals: Sequence[NextMove], receivers: Receivers, now: datetime
) -> list[OrderedMove]:
    if run.kind == "return":
        return [_ordered(run, move, run.user_id, run.employee_id) for move in deals]
    given = await receivers.give(conn, run, [m.entity_id for m in deals], now)
    by_id = {m.entity_id: m for m in deals}
    return [_ordered(run, by_id[deal], user, employee) for deal, employee, user in given]


def _ordered(run: ShiftRun, move: NextMove, user_id: str, employee_id: str) -> OrderedMove:
    key = f"{HAND_OVER}{run.run_id}:{move.kind}:{move.entity_id}:{move.tries}"
    return OrderedMove(
        kind=move.kind, entity_id=move.entity_id, given_to=user_id, employee_id=employee_id, effect_key=key
    )


def _effect(
    run: ShiftRun, move: NextMove, ordered: OrderedMove, by_deal: Mapping[str, OrderedMove]
) -> ClientEffect:
    """Return it with whom it is about. What goes along goes after its deal."""
    order: UpdateEntity | ChangeTask
    kind: MovedKind = move.kind
    if kind == "task":
        order = ChangeTask(task_id=move.entity_id, owner_id=ordered.given_to, owner_was=move.owner_was)
    else:
        order = UpdateEntity(
            target=Ref(kind=kind, id=move.entity_id),
            owner_id=ordered.given_to,
            owner_was=move.owner_was,
            is_given=True,
        )
    after = () if kind == "deal" else (by_deal[move.deal_id].effect_key,)
    effect = Effect(key=ordered.effect_key, order=order, after=after)
    return ClientEffect(f"{kind}:{move.entity_id}", f"shift-{run.run_id}", effect)
