"""What a run is to move: the directory's deals, and what only the CRM knows of them. Reads; the caller writes the plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

import asyncpg
import orjson

from crm.errors import CrmError
from crm.lane import Lane
from crm.open_tasks import OpenTasks
from crm.port import CrmEntity, CrmTask
from crm.portions import BATCH_LIMIT
from crm.store.owned_deals import KnownOwned, entities_now, open_deals
from gateway.shift_change.reserved import with_reserved
from gateway.store.shift_change import moves
from gateway.store.shift_change.moves import MovedKind, PlannedMove
from gateway.store.shift_change.runs import ShiftRun
from routing.client import EntityKind
from routing.shift_change.deals import OwnedDeal, in_order, why_stays
from routing.shift_change.policy import GoesAlong, ShiftPolicy
from routing.shift_change.returning import why_kept
from runtime.database.pool import Conn

_OVER = frozenset(("given_on", "changed", "closed"))
_ALONG: Mapping[EntityKind, GoesAlong] = {"contact": "contact", "company": "company"}
_TASKS: Mapping[EntityKind, GoesAlong] = {
    "deal": "deal_tasks",
    "contact": "contact_tasks",
    "company": "company_tasks",
}


@runtime_checkable
class MovingCrm(OpenTasks, Protocol):
    """What listing asks of a CRM."""

    async def by_ids(self, kind: EntityKind, ids: Sequence[str], lane: Lane) -> list[CrmEntity]: ...


class Listed:
    """planned: what to move, in order, and what stays for a reason worth telling. over: deals that are owed no more."""

    def __init__(self) -> None:
        self.planned: list[PlannedMove] = []
        self.over: list[str] = []

    @property
    def deals(self) -> int:
        return sum(move.kind == "deal" and move.state == "planned" for move in self.planned)


async def list_away(
    pool: asyncpg.Pool, crm: MovingCrm, account_id: str, policy: ShiftPolicy, run: ShiftRun, now: datetime
) -> Listed:
    """Return the open deals of who is gone, those first that somebody waits for, and what goes along. Raises CrmError."""
    async with pool.acquire() as conn:
        known = await open_deals(conn, account_id, run.user_id, policy.pipelines, run.since)
        if run.since is not None:
            met = await moves.met_since(conn, account_id, run.user_id, run.since)
            known = [one for one in known if one.deal.id not in met]
    by_id = {one.deal.id: one for one in known}
    tasks = await _open_tasks(crm, run.user_id, is_needed=policy.moves_tasks) if by_id else []
    due = _due(by_id.values(), tasks)
    deals = [replace(one.deal, task_due_at=due.get(one.deal.id)) for one in known]
    if policy.reads_deals:
        deals = await _as_the_crm_has_them(crm, deals)
    async with pool.acquire() as conn:
        deals = await with_reserved(conn, account_id, deals, run.user_id)
    listed = Listed()
    for position, deal in enumerate(in_order(deals, now)):
        why = why_stays(policy, deal, run.user_id, run.since)
        listed.planned.append(_deal_move(by_id[deal.id], position, run.user_id, why or ""))
    async with pool.acquire() as conn:
        await _add_along(conn, account_id, policy, run.user_id, listed, by_id, tasks)
    return listed


async def list_return(
    pool: asyncpg.Pool, crm: MovingCrm, account_id: str, policy: ShiftPolicy, run: ShiftRun
) -> Listed:
    """Return what comes back to who is there again. Raises CrmError."""
    async with pool.acquire() as conn:
        owed = await moves.owed_deals(conn, account_id, run.user_id)
    why = {deal.id: why_kept(policy, deal, run.user_id) for deal in owed}
    coming = [deal for deal in owed if why[deal.id] is None]
    if policy.reads_deals and coming:
        as_known = [OwnedDeal(id=d.id, owner=d.owner, pipeline_id=d.pipeline_id) for d in coming]
        read = {d.id: d for d in await _as_the_crm_has_them(crm, as_known)}
        why |= {d.id: why_stays(policy, read[d.id], d.given_to) for d in coming}  # type: ignore[misc]
        coming = [deal for deal in coming if why[deal.id] is None]
    listed = Listed()
    for position, deal in enumerate(coming):
        listed.planned.append(
            PlannedMove(
                kind="deal",
                entity_id=deal.id,
                deal_id=deal.id,
                position=position,
                owner_was=deal.given_to,
                created_for=deal.created_for,
            )
        )
    listed.over = [id for id, reason in why.items() if reason in _OVER]
    places = {move.deal_id: move.position for move in listed.planned}
    async with pool.acquire() as conn:
        along = await moves.owed_along(conn, account_id, run.user_id, list(places))
    listed.planned += [
        PlannedMove(
            kind=one.kind,
            entity_id=one.entity_id,
            deal_id=one.deal_id,
            position=places[one.deal_id],
            owner_was=one.given_to,
        )
        for one in along
    ]
    return listed


async def is_owed_anything(conn: Conn, account_id: str, policy: ShiftPolicy, user_id: str) -> bool:
    """Whether a return would move anything, as far as the directory knows."""
    owed = await moves.owed_deals(conn, account_id, user_id)
    return any(why_kept(policy, deal, user_id) is None for deal in owed)


async def _open_tasks(crm: MovingCrm, user_id: str, *, is_needed: bool) -> list[CrmTask]:
    """is_needed: they are to be moved; otherwise they only say what goes first."""
    found: dict[str, CrmTask] = {}
    page, has_next = 1, True
    while has_next:
        try:
            some = await crm.open_tasks(user_id, Lane.MOVES, page=page)
        except CrmError as err:
            if is_needed or err.retryable:
                raise
            break
        found |= {task.id: task for task in some.items}
        page, has_next = page + 1, some.has_next
    return list(found.values())


def _due(known: Iterable[KnownOwned], tasks: Iterable[CrmTask]) -> dict[str, datetime]:
    """Return, by deal, when the earliest task of it or its contacts is due."""
    deals_of: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in known:
        for ref in _refs(one):
            deals_of[ref].append(one.deal.id)
    due: dict[str, datetime] = {}
    for task in sorted(tasks, key=lambda task: task.due_at):
        for deal_id in deals_of.get((task.target_kind or "", task.target_id or ""), ()):
            due.setdefault(deal_id, task.due_at)
    return due


def _refs(known: KnownOwned) -> Iterable[tuple[EntityKind, str]]:
    yield "deal", known.deal.id
    yield from (("contact", id) for id in known.contacts)
    yield from (("company", id) for id in known.companies)


async def _as_the_crm_has_them(crm: MovingCrm, deals: Sequence[OwnedDeal]) -> list[OwnedDeal]:
    """Return them with their tags and fields, and whose they are at this moment. One that is gone is closed."""
    read: dict[str, CrmEntity] = {}
    for first in range(0, len(deals), BATCH_LIMIT):
        some = [deal.id for deal in deals[first : first + BATCH_LIMIT]]
        read |= {entity.id: entity for entity in await crm.by_ids("deal", some, Lane.MOVES)}
    return [_as_read(deal, read.get(deal.id)) for deal in deals]


def _as_read(deal: OwnedDeal, entity: CrmEntity | None) -> OwnedDeal:
    if entity is None:
        return replace(deal, is_open=False)
    fields: Any = orjson.loads(entity.fields) if entity.fields else {}
    return replace(
        deal,
        owner=entity.owner_id,
        pipeline_id=entity.pipeline_id,
        is_open=deal.is_open and entity.is_open,
        tags=frozenset(entity.tags or ()),
        fields=fields,
    )


def _deal_move(known: KnownOwned, position: int, user_id: str, why_it_stays: str) -> PlannedMove:
    return PlannedMove(
        kind="deal",
        entity_id=known.deal.id,
        deal_id=known.deal.id,
        position=position,
        owner_was=user_id,
        created_for=known.created_for,
        state="left" if why_it_stays else "planned",
        reason=why_it_stays,
    )


async def _add_along(
    conn: Conn,
    account_id: str,
    policy: ShiftPolicy,
    user_id: str,
    listed: Listed,
    by_id: Mapping[str, KnownOwned],
    tasks: Sequence[CrmTask],
) -> None:
    """Add contacts, companies and open tasks of the deals that move, as far as they are that person's: each goes along with the
    first of its deals. What belongs to others stays theirs."""
    first: dict[tuple[EntityKind, str], PlannedMove] = {}
    for planned in listed.planned:
        if planned.state == "planned":
            for ref in _refs(by_id[planned.deal_id]):
                first.setdefault(ref, planned)
    cards = [ref for ref in first if ref[0] in _ALONG and _ALONG[ref[0]] in policy.goes_along]
    now = await entities_now(conn, account_id, cards)
    theirs: list[tuple[MovedKind, str, PlannedMove]] = [
        (ref[0], ref[1], first[ref])  # type: ignore[misc]
        for ref in cards
        if ref in now and now[ref].owner == user_id
    ]
    for task in tasks:
        if task.target_kind is None or task.target_id is None:
            continue
        move = first.get((task.target_kind, task.target_id))
        if move is not None and _TASKS.get(task.target_kind) in policy.goes_along:
            theirs.append(("task", task.id, move))
    listed.planned += [
        PlannedMove(
            kind=kind, entity_id=id, deal_id=with_deal.deal_id, position=with_deal.position, owner_was=user_id
        )
        for kind, id, with_deal in theirs
    ]
