"""Looking in the CRM for what sends of unknown outcome may have created. Reads only; newest ids first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from crm.effects import match
from crm.effects.model import KnownEntities, StoredEffect
from crm.lane import Lane
from crm.port import Crm, CrmEntity, CrmNote, CrmTask
from routing.client import EntityKind, Ref
from routing.effects import AddNote, AttachCall, CreateContact, CreateDeal, CreateLead, CreateTask
from routing.orders import ORDER_KINDS

PAGES = 8
"""Pages of 250 that are read at most, where the CRM's newest things do not tell that nothing older can be ours."""
TARGETS = 100
"""Entities whose notes or tasks are asked for in one request, so that all of them fit into the answer."""

T = TypeVar("T")


@dataclass(slots=True)
class Found:
    """ids: effect key -> what it created. entities: of those, as the CRM has them. unclear: keys of what may be there as
    something that cannot be read."""

    ids: dict[str, str] = field(default_factory=dict)
    entities: list[CrmEntity] = field(default_factory=list)
    unclear: set[str] = field(default_factory=set)

    def add(self, key: str, id: str | None) -> None:
        if id is not None:
            self.ids[key] = id


Claimed = Callable[[Collection[str]], Awaitable[set[str]]]
KnownOf = Callable[[Collection[str]], Awaitable[dict[str, KnownEntities]]]


async def look_for(
    crm: Crm, lane: Lane, stored: Sequence[StoredEffect], claimed: Claimed, known: KnownOf
) -> Found:
    """Which of these effects (all of one kind of order) have happened. Updates and cards cannot be told: not found."""
    match ORDER_KINDS[stored[0].order.do].verified:
        case "entity":
            return await _entities(crm, lane, stored, claimed)
        case "note":
            return await _notes(crm, lane, stored, claimed, known)
        case "task":
            return await _tasks(crm, lane, stored, claimed)
        case _:
            return Found()


async def _entities(crm: Crm, lane: Lane, stored: Sequence[StoredEffect], claimed: Claimed) -> Found:
    kind = ORDER_KINDS[stored[0].order.do].creates
    assert kind is not None
    read: list[CrmEntity] = []
    lost: list[str] = []
    partial: set[str] = set()
    found = Found()
    for number in range(1, PAGES + 1):
        page = await crm.page(kind, lane, page=number, newest="id")
        read += page.items
        lost += page.lost
        partial |= {*page.partial}
        found = _match_entities(stored, read, await claimed([e.id for e in read]))
        if len(found.ids) == len(stored) or not page.has_next or _is_past(page.items, stored):
            break
    left = [s for s in stored if s.key not in found.ids]
    taken = await claimed([*lost, *partial, *(e.id for e in read)]) if left else set()
    lost = [id for id in lost if id not in taken]
    free = [e for e in read if e.id not in taken | set(found.ids.values())]
    found.unclear = {s.key for s in left if _is_unclear(s, free, lost, partial, read)}
    return found


def _is_unclear(
    effect: StoredEffect,
    free: Sequence[CrmEntity],
    lost: Sequence[str],
    partial: Collection[str],
    read: Sequence[CrmEntity],
) -> bool:
    """Whether it may be among what could not be read."""
    order = effect.order
    if not isinstance(order, CreateContact | CreateDeal | CreateLead):
        return False
    asked = getattr(order, "created_at", None)
    earliest = min(_sent(effect), asked or _sent(effect)) - match.CLOCK_SKEW
    return any(not match.is_before(id, read, earliest) for id in lost) or any(
        match.may_be_entity(order, e, earliest)
        for e in free
        if e.id in partial or not isinstance(order, CreateLead)
    )


def _is_past(page: Sequence[CrmEntity], stored: Iterable[StoredEffect]) -> bool:
    return all(match.is_past(page, _sent(s), getattr(s.order, "created_at", None)) for s in stored)


def _match_entities(stored: Sequence[StoredEffect], read: Sequence[CrmEntity], taken: set[str]) -> Found:
    found = Found()
    for effect in stored:
        match effect.order:
            case CreateContact() as order:
                found.add(effect.key, match.contact(order, read))
            case CreateDeal() as order:
                found.add(effect.key, match.deal(order, _sent(effect), read, taken))
                taken = taken | set(found.ids.values())
            case CreateLead() as order:
                found.add(effect.key, match.lead(order, read))
    wanted = set(found.ids.values())
    found.entities = [e for e in read if e.id in wanted]
    return found


async def _notes(
    crm: Crm, lane: Lane, stored: Sequence[StoredEffect], claimed: Claimed, known: KnownOf
) -> Found:
    clients = await known({s.client for s in stored if isinstance(s.order, AttachCall)})
    places: dict[EntityKind, set[str]] = defaultdict(set)
    for effect in stored:
        for kind, id in _places(effect, clients.get(effect.client)):
            places[kind].add(id)
    read: list[CrmNote] = []
    for kind, ids in places.items():
        for some in _chunks(sorted(ids), TARGETS):
            read += await crm.notes(kind, some, lane)
    found, taken = Found(), await claimed([n.id for n in read])
    for effect in stored:
        match effect.order:
            case AttachCall() as order:
                found.add(effect.key, match.call_note(order, read))
            case AddNote() as order:
                found.add(effect.key, match.note(order, _sent(effect), read, taken))
        taken |= set(found.ids.values())
    found.unclear = _unclear(stored, found, read, taken)
    return found


def _unclear(
    stored: Sequence[StoredEffect], found: Found, read: Sequence[CrmNote | CrmTask], taken: Collection[str]
) -> set[str]:
    """Keys of those that are not found and may be among what could not be read."""
    odd = [item for item in read if not item.is_whole and item.id not in taken]
    unclear = set()
    for effect in stored:
        order = effect.order
        target = order.target if isinstance(order, AddNote | CreateTask) else None
        if effect.key not in found.ids and any(match.may_be(i, target, _sent(effect), read) for i in odd):
            unclear.add(effect.key)
    return unclear


def _places(effect: StoredEffect, client: KnownEntities | None) -> Iterable[tuple[EntityKind, str]]:
    """Where the note may stand: its target; of a call, which the CRM may have placed itself, all of the client's."""
    target = getattr(effect.order, "target", None)
    if isinstance(target, Ref) and target.id:
        yield target.kind, target.id
    is_free = isinstance(effect.order, AttachCall) and (effect.lane == Lane.BACKFILL or target is None)
    if is_free and client is not None:
        yield client.contact
        for id, _ in client.deals:
            yield "deal", id


async def _tasks(crm: Crm, lane: Lane, stored: Sequence[StoredEffect], claimed: Claimed) -> Found:
    places: dict[EntityKind | None, set[str]] = defaultdict(set)
    for effect in stored:
        assert isinstance(effect.order, CreateTask)
        target = effect.order.target
        places[target.kind if target else None].add((target.id or "") if target else "")
    read: list[CrmTask] = []
    for kind, ids in places.items():
        for some in _chunks(sorted(ids), TARGETS) if kind else ([],):
            read += await crm.tasks(kind, some, lane)
    found, taken = Found(), await claimed([t.id for t in read])
    for effect in stored:
        assert isinstance(effect.order, CreateTask)
        found.add(effect.key, match.task(effect.order, _sent(effect), read, taken))
        taken |= set(found.ids.values())
    found.unclear = _unclear(stored, found, read, taken)
    return found


def _sent(effect: StoredEffect) -> datetime:
    return effect.sent_at or effect.created_at


def _chunks(items: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    return (items[i : i + size] for i in range(0, len(items), size))
