"""The poll of the CRM's feed of events, for what neither webhooks nor times of change tell: deletions, restores, merges,
links, and entities that were created with an old date."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast, get_args

from crm.errors import CrmRefused, CrmUnavailable, CrmUnreadable
from crm.lane import Lane
from crm.port import CrmEntity, CrmEvent
from crm.store.directory import EntityRef
from crm.store.lead_owners import deals_in_leads, forget_read
from crm.store.listing import DealLink, deals_of, known_refs, links_of, others_like
from crm.sync.event_pages import position_of, read_new, stored
from crm.sync.source import Source
from routing.client import EntityKind
from runtime.database.pool import Conn

FEED = "events"
_INSIDE_AT_ONCE = 10
_KINDS: frozenset[str] = frozenset(get_args(EntityKind))


async def poll_events(source: Source, lane: Lane) -> list[CrmEvent]:
    """Return the events that are new since the last poll, oldest first, after the directory has taken them over, as
    has the record of what changed (crm/store/news.py)."""
    position = position_of(await source.cursor(FEED), source.now())
    new, after = await read_new(source, position, lane)
    deleted, to_read, merged = await _consequences(source, new)
    try:
        found, missing = await source.read_again(to_read, lane)
        more, swallowed = await _swallowed(source, [e for e in found if (e.kind, e.id) in merged], lane)
    except (CrmRefused, CrmUnavailable, CrmUnreadable):  # an entity that cannot be had must not stop the feed
        found, missing, more, swallowed = [], [], [], []
        for ref in to_read:
            source.crm.unread.ask(ref)
    gone = [*deleted, *missing, *swallowed]
    more += await _given_inside(source, new, lane)
    await source.apply([*found, *more], gone=gone, feed=FEED, cursor=stored(after), heard=new)
    return new


async def _given_inside(source: Source, events: Sequence[CrmEvent], lane: Lane) -> list[CrmEntity]:
    """Deals inside leads that got another owner, which no list of changes shows; of many the rest in the background."""
    given = {e.entity_id for e in events if e.kind == "owner_changed" and e.entity_kind == "deal"}
    if not given:
        return []
    async with source.pool.acquire() as conn:
        inside = sorted(await deals_in_leads(conn, source.account_id, given))
        await forget_read(conn, source.account_id, inside[_INSIDE_AT_ONCE:])
    return await source.crm.deals_in_leads(inside[:_INSIDE_AT_ONCE], lane) if inside else []


async def _consequences(
    source: Source, events: Sequence[CrmEvent]
) -> tuple[list[EntityRef], list[EntityRef], set[EntityRef]]:
    """Return (what is gone, what has to be read, what is said to be merged).

    Reading tells the state of now, so neither order nor repetition matters. A plain deletion needs no reading, and neither
    does a link that the directory has already, as it has those of all deals that we create.
    """
    async with source.pool.acquire() as conn:
        changed_links = await _links_that_differ(conn, source.account_id, events)
    told: dict[EntityRef, set[str]] = {}
    for event in events:
        for ref in _refs(event):
            told.setdefault(ref, set()).add(event.kind)
    deleted, merged, added, to_read = set[EntityRef](), set[EntityRef](), set[EntityRef](), set[EntityRef]()
    for ref, kinds in told.items():
        if "deleted" in kinds and not kinds & {"restored", "merged"}:
            deleted.add(ref)
        elif kinds & {"restored", "merged"} or ref in changed_links:
            to_read.add(ref)
        elif "added" in kinds:
            added.add(ref)
        if "merged" in kinds:
            merged.add(ref)
    async with source.pool.acquire() as conn:
        to_read |= added - await known_refs(conn, source.account_id, added)
    return sorted(deleted), sorted(to_read), merged


async def _links_that_differ(conn: Conn, account_id: str, events: Sequence[CrmEvent]) -> set[EntityRef]:
    """Deals with a link told of that the directory does not have, or one taken away that it has."""
    told: dict[DealLink, set[str]] = {}
    for event in events:
        if event.kind in ("linked", "unlinked"):
            deal, other = _deal_first(event)
            if deal is not None:
                told.setdefault((deal[1], *(other or ("contact", ""))), set()).add(event.kind)
    known = await links_of(conn, account_id, {deal for deal, _, _ in told})
    agreed = {True: {"linked"}, False: {"unlinked"}}
    return {("deal", link[0]) for link, kinds in told.items() if kinds != agreed[link in known]}


def _deal_first(event: CrmEvent) -> tuple[EntityRef | None, EntityRef | None]:
    """Return (the deal of a link, its other side); None for what is not told or no deal."""
    refs = list(_refs(event))
    deal = next((ref for ref in refs if ref[0] == "deal"), None)
    return deal, next((ref for ref in refs if ref != deal), None)


async def _swallowed(
    source: Source, survivors: Sequence[CrmEntity], lane: Lane
) -> tuple[list[CrmEntity], list[EntityRef]]:
    """Read what a merge may have swallowed; the feed says neither what, nor that deals moved along. Suspects: those of ours that share a
    number or a contact with the survivor; read again, with the deals of what is gone, and of the survivor."""
    if not survivors:
        return [], []
    async with source.pool.acquire() as conn:
        suspects = await others_like(conn, source.account_id, survivors, source.policy)
    found, gone = await source.read_again(suspects, lane)
    async with source.pool.acquire() as conn:
        deals = set(await deals_of(conn, source.account_id, gone))
    deals |= {("deal", id) for survivor in survivors for id in survivor.deal_ids}
    moved, vanished = await source.read_again(sorted(deals - {*suspects}), lane)
    return [*found, *moved], [*gone, *vanished]


def _refs(event: CrmEvent) -> Iterable[EntityRef]:
    """Return the entities that an event speaks of; both sides of a link."""
    if event.entity_kind in _KINDS:
        yield cast(EntityKind, event.entity_kind), event.entity_id
    if event.other is not None and event.kind in ("linked", "unlinked"):
        yield event.other
