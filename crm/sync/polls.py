"""The polls that keep the directory fresh: by time of change, the list of Unsorted, and entities to read again."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from crm.lane import Lane
from crm.port import CrmEntity
from crm.store.cursors import finish_rereads, waiting_rereads
from crm.store.directory import EntityRef, inside_leads
from crm.store.listing import all_ids, known_refs
from crm.store.unread import due_unread
from crm.sync.source import READ_AT_ONCE, Source, as_text, from_text
from crm.unread import NAMELESS
from routing.client import EntityKind

# Entities that the CRM commits a little late carry a time before the one that was read last.
_OVERLAP = timedelta(seconds=5)
_STRANGERS_AT_ONCE = 10


async def poll_delta(source: Source, kind: EntityKind, lane: Lane) -> datetime | None:
    """Read what was changed since the last poll, latest first. The latest time of change that was seen.

    Needs no filter of the CRM: it stops at what it has seen. An entity changed while pages are read moves to the top:
    the others slide towards the later pages (and may be read twice), and it comes with the next poll.
    """
    feed = f"delta:{kind}"
    reached = from_text((await source.cursor(feed)).get("at"))
    top: datetime | None = None
    number = 1
    read_at = time.monotonic()
    while True:
        page = await source.crm.page(kind, lane, page=number, newest="updated")
        if number == 1:
            top = max((e.updated_at for e in page.items if e.updated_at), default=None)
        fresh = [e for e in page.items if _is_after(e, reached)]
        if len(fresh) < len(page.items) or not page.has_next or reached is None:
            break
        await source.apply(fresh, read_at=read_at)
        number += 1
    # A time in the future (a client of the CRM may set any) must not hide what comes until then.
    at = min(top, source.now()) if top else reached
    cursor: dict[str, Any] = {"at": as_text(max(at, reached) if reached and at else at)} if at else {}
    await source.apply(fresh, feed=feed, cursor=cursor, read_at=read_at)
    return at


def _is_after(entity: CrmEntity, reached: datetime | None) -> bool:
    return reached is None or entity.updated_at is None or entity.updated_at >= reached - _OVERLAP


async def poll_unsorted(source: Source, lane: Lane) -> int:
    """Read the whole list of incoming leads; those that left it (accepted, declined) are forgotten. Pages read.

    A lead accepted while pages are read hides another one at the border of two pages: what seems gone from a list of
    several pages is believed when a second reading does not show it either.
    """
    leads, lost, pages = await _all_leads(source, lane)
    async with source.pool.acquire() as conn:
        known = await all_ids(conn, source.account_id, "lead")
    gone = known - {e.id for e in leads} - lost
    if gone and pages > 1:
        again, more_lost, more = await _all_leads(source, lane)
        leads, lost, pages = leads + again, lost | more_lost, pages + more
        gone -= {e.id for e in again} | more_lost
    if gone and any(id.startswith(NAMELESS) for id in lost):  # any of them may be the one without a name
        found, still_gone = await source.read_again([("lead", id) for id in sorted(gone)], lane)
        leads, gone = leads + found, {id for _, id in still_gone}
    source.crm.unread.listed("lead", lost | {e.id for e in leads})
    await _read_unknown_contacts(source, leads, lane)
    await source.apply_leads(
        leads, gone=[("lead", id) for id in sorted(gone)], feed="unsorted", cursor={"leads": len(leads)}
    )
    return pages


async def _all_leads(source: Source, lane: Lane) -> tuple[list[CrmEntity], set[str], int]:
    """Return (the leads, ids of those that cannot be read, pages)."""
    leads: list[CrmEntity] = []
    lost: set[str] = set()
    number = 1
    while True:
        page = await source.crm.page("lead", lane, page=number)
        leads += page.items
        lost |= {*page.lost}
        if not page.has_next:
            return leads, lost, number
        number += 1


async def _read_unknown_contacts(source: Source, leads: list[CrmEntity], lane: Lane) -> None:
    """Read contacts of leads that tell no number; of those that the directory lacks a few are read at once, the
    others in the background."""
    wanted = {id for e in leads if not e.numbers for id in e.contact_ids} - source.unseen()
    if not wanted:
        return
    async with source.pool.acquire() as conn:
        wanted -= await all_ids(conn, source.account_id, "contact")
    unknown = sorted(wanted)
    found, hidden = await source.read_again([("contact", id) for id in unknown[:_STRANGERS_AT_ONCE]], lane)
    source.note_unseen(hidden)
    await source.apply(found)
    source.meet(unknown[_STRANGERS_AT_ONCE:])


async def _unknown_people(source: Source, found: list[CrmEntity]) -> list[EntityRef]:
    """Contacts and companies of these deals that the directory lacks: an accepted lead brings them into sight."""
    async with source.pool.acquire() as conn:
        hidden = await inside_leads(conn, source.account_id, found)
        deals = [e for e in found if e.kind == "deal" and e not in hidden]
        people: set[EntityRef] = {("contact", id) for d in deals for id in d.contact_ids}
        people |= {("company", id) for d in deals for id in d.company_ids}
        return sorted(people - await known_refs(conn, source.account_id, people))


async def retry_unread(source: Source, lane: Lane) -> int:
    """Asks again for entities of which something could not be read. How many."""
    async with source.pool.acquire() as conn:
        due = await due_unread(conn, source.account_id, READ_AT_ONCE)
    if due:
        found, gone = await source.read_apart(due, lane)
        await source.apply(found, gone=gone)
    return len(due)


async def poll_rereads(source: Source, lane: Lane) -> int:
    """Read what webhooks named without carrying it. How many."""
    async with source.pool.acquire() as conn:
        waiting = await waiting_rereads(conn, source.account_id, READ_AT_ONCE)
    if not waiting:
        return 0
    found, gone = await source.read_apart([ref for ref, _ in waiting], lane)
    people = await _unknown_people(source, found)
    found += (await source.read_again(people, lane))[0] if people else []
    await source.apply(found, gone=gone)
    async with source.pool.acquire() as conn:
        await finish_rereads(conn, source.account_id, waiting)
    return len(waiting)
