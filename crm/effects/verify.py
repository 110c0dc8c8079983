"""Looking in the CRM for what sends of unknown outcome may have created. Reads only; newest ids first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from crm.effects import match
from crm.effects.model import KnownEntities, StoredEffect
from crm.lane import Lane
from crm.port import Crm, CrmEntity, CrmNote, CrmTask
from crm.portions import halves
from routing.client import EntityKind, Ref
from routing.effects import AddNote, AttachCall, CreateContact, CreateDeal, CreateLead, CreateTask
from routing.orders import ORDER_KINDS

PAGES = 8
"""Pages of 250 that are read at most, where the CRM's newest things do not tell that nothing older can be ours. What is not
on them may be there all the same."""
FULL = 250
"""Notes or tasks in one answer: there may be more, older ones."""
TARGETS = 100
"""Entities whose notes or tasks are asked for in one request, so that all of them fit into the answer."""

T = TypeVar("T")
K = TypeVar("K")
N = TypeVar("N", bound=CrmNote | CrmTask)


@dataclass(slots=True)
class Found:
    """ids: effect key -> what it created. entities: of those, as the CRM has them. unclear: keys of what may be there as
    something that cannot be read, or that stands where nobody has read."""

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
    found, is_to_the_end = Found(), False
    for number in range(1, PAGES + 1):
        page = await crm.page(kind, lane, page=number, newest="id")
        read += page.items
        lost += page.lost
        partial |= {*page.partial}
        found = _match_entities(stored, read, await claimed([e.id for e in read]))
        is_to_the_end = not page.has_next or _is_past(page.items, stored)
        if len(found.ids) == len(stored) or is_to_the_end:
            break
    left = [s for s in stored if s.key not in found.ids]
    if left and not is_to_the_end:
        seen = {e.id for e in read}
        read += [e for e in await _of_the_clients(crm, lane, left) if e.id not in seen]
        found = _match_entities(stored, read, await claimed([e.id for e in read]))
        left = [s for s in stored if s.key not in found.ids]
    taken = await claimed([*lost, *partial, *(e.id for e in read)]) if left else set()
    lost = [id for id in lost if id not in taken]
    free = [e for e in read if e.id not in taken | set(found.ids.values())]
    found.unclear = {s.key for s in left if _is_unclear(s, free, lost, partial, read)}
    found.unclear |= {s.key for s in left if not is_to_the_end and not _is_findable_by_client(s)}
    return found


async def _of_the_clients(crm: Crm, lane: Lane, stored: Sequence[StoredEffect]) -> list[CrmEntity]:
    """Read what these may have made by whose it is, where more was made since than lists are read for: contacts by their
    number, deals by their contact or company."""
    numbers = {s.order.number for s in stored if isinstance(s.order, CreateContact)} - {""}
    read = [e for number in sorted(numbers) for e in await crm.find_by_number("contact", number, lane)]
    owners: dict[EntityKind, set[str]] = defaultdict(set)
    for effect in stored:
        if isinstance(effect.order, CreateDeal) and (owner := effect.order.contact) and owner.id:
            owners[owner.kind].add(owner.id)
    deals: set[str] = set()
    for kind, ids in owners.items():
        for some in _chunks(sorted(ids), TARGETS):
            deals |= {id for e in await crm.by_ids(kind, some, lane) for id in e.deal_ids}
    for some in _chunks(sorted(deals), TARGETS):
        read += await crm.by_ids("deal", some, lane)
    return read


def _is_findable_by_client(effect: StoredEffect) -> bool:
    order = effect.order
    return (isinstance(order, CreateContact) and bool(order.number)) or (
        isinstance(order, CreateDeal) and order.contact is not None and order.contact.id is not None
    )


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
                found.add(effect.key, match.contact(order, _sent(effect), read, taken))
                taken = taken | set(found.ids.values())
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
    at = {s.key: set(_places(s, clients.get(s.client))) for s in stored}

    async def ask(kind: EntityKind, some: Sequence[str]) -> list[CrmNote]:
        return await crm.notes(kind, some, lane)

    read, hidden = await _read_at(ask, set().union(*at.values()), _earliest(stored))
    found, taken = Found(), await claimed([n.id for n in read])
    for effect in stored:
        match effect.order:
            case AttachCall() as order:
                found.add(effect.key, match.call_note(order, read))
            case AddNote() as order:
                found.add(effect.key, match.note(order, _sent(effect), read, taken))
        taken |= set(found.ids.values())
    found.unclear = _unclear(stored, found, read, taken) | _hidden(found, at, hidden)
    return found


async def _read_at(
    ask: Callable[[K, Sequence[str]], Awaitable[list[N]]],
    places: Collection[tuple[K, str]],
    earliest: datetime,
) -> tuple[list[N], set[tuple[K, str]]]:
    """Return what stands at these places (kind, id), and those at which more was made since `earliest` than one answer
    holds. Where several share an answer that is full, fewer are asked for at a time."""
    by_kind: dict[K, list[str]] = defaultdict(list)
    for kind, id in sorted(places, key=str):
        by_kind[kind].append(id)
    read: list[N] = []
    hidden: set[tuple[K, str]] = set()
    waiting = [(kind, some) for kind, ids in by_kind.items() for some in _chunks(ids, TARGETS)]
    while waiting:
        kind, some = waiting.pop()
        items = await ask(kind, some)
        if len(items) < FULL or match.has_older(items, earliest):
            read += items
        elif len(some) > 1:
            waiting += [(kind, half) for half in halves(some)]
        else:
            read += items
            hidden.add((kind, some[0]))
    return read, hidden


def _hidden(found: Found, at: Mapping[str, Set[Any]], hidden: Set[Any]) -> set[str]:
    """Keys of those that are not found and may stand at a place of which not enough could be read."""
    return {key for key, places in at.items() if key not in found.ids and not places.isdisjoint(hidden)}


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
    at = {s.key: {_place_of_task(s)} for s in stored}

    async def ask(kind: EntityKind | None, some: Sequence[str]) -> list[CrmTask]:
        return await crm.tasks(kind, some if kind else [], lane)

    read, hidden = await _read_at(ask, set().union(*at.values()), _earliest(stored))
    found, taken = Found(), await claimed([t.id for t in read])
    for effect in stored:
        assert isinstance(effect.order, CreateTask)
        found.add(effect.key, match.task(effect.order, _sent(effect), read, taken))
        taken |= set(found.ids.values())
    found.unclear = _unclear(stored, found, read, taken) | _hidden(found, at, hidden)
    return found


def _place_of_task(effect: StoredEffect) -> tuple[EntityKind | None, str]:
    assert isinstance(effect.order, CreateTask)
    target = effect.order.target
    return (target.kind, target.id or "") if target else (None, "")


def _earliest(stored: Sequence[StoredEffect]) -> datetime:
    return min(map(_sent, stored)) - match.CLOCK_SKEW


def _sent(effect: StoredEffect) -> datetime:
    return effect.sent_at or effect.created_at


def _chunks(items: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    return (items[i : i + size] for i in range(0, len(items), size))
