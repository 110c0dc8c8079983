"""The first load: every page of contacts, companies and deals, oldest id first, then Unsorted.

One page a step, its rows and the place reached in one transaction: a load that was killed goes on where it stood.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from crm.errors import CrmForbidden
from crm.lane import Lane
from crm.port import CrmEntity, Page
from crm.store.cursors import drop_cursors, read_cursor, write_cursor
from crm.store.entries import mark_loaded
from crm.sync.source import Source, as_text
from routing.client import EntityKind
from runtime.database.pool import Conn

FEED = "load"
PAGED: tuple[EntityKind, ...] = ("contact", "company", "deal")
ORDER: tuple[EntityKind, ...] = (*PAGED, "lead")
# What happened shortly before the load began may still be missing from the pages, and clocks differ.
_BEFORE_START = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """done: entities read so far. kind: what is being read, None when over. The CRM does not tell totals."""

    done: int
    kind: EntityKind | None
    is_done: bool


async def load_progress(conn: Conn, account_id: str) -> LoadProgress:
    """Readable by any process while the worker loads."""
    return progress_at(await read_cursor(conn, account_id, FEED))


async def restart_load(conn: Conn, account_id: str) -> None:
    """Everything is read again from the first page, by the account's worker; the directory keeps answering."""
    await drop_cursors(conn, account_id, FEED)
    await drop_cursors(conn, account_id, "recheck:")


async def load_step(source: Source, lane: Lane = Lane.SYNC) -> LoadProgress:
    """Reads one page. Deltas and events count from before the first one, so nothing falls between load and polls."""
    cursor = await source.cursor(FEED)
    if not cursor:
        cursor = await _begin(source)
    if cursor.get("is_done"):
        return progress_at(cursor)
    kind: EntityKind = cursor["kind"]
    page = await _page(source, kind, cursor["page"], lane)
    after = {**cursor, "page": cursor["page"] + 1, "done": cursor["done"] + len(page.items)}
    if not page.has_next:
        after = {**after, "page": 1, "kind": _next_kind(kind)}
        after["is_done"] = after["kind"] is None
    await source.apply(page.items, feed=FEED, cursor=after, is_first=True)
    if after["is_done"]:
        await _finish(source)
    return progress_at(after)


async def _page(source: Source, kind: EntityKind, number: int, lane: Lane) -> Page[CrmEntity]:
    """Whoever may not see Unsorted can work with everything else."""
    try:
        return await source.crm.page(kind, lane, page=number)
    except CrmForbidden:
        if kind != "lead":
            raise
        return Page(items=(), has_next=False)


async def _begin(source: Source) -> dict[str, Any]:
    since = as_text(source.now() - _BEFORE_START)
    cursor = {"kind": ORDER[0], "page": 1, "done": 0, "is_done": False, "began": since}
    async with source.pool.acquire() as conn, conn.transaction():
        for feed in (*(f"delta:{kind}" for kind in PAGED), "events"):
            if not await read_cursor(conn, source.account_id, feed):
                await write_cursor(conn, source.account_id, feed, {"at": since})
        await write_cursor(conn, source.account_id, FEED, cursor)
    return cursor


async def _finish(source: Source) -> None:
    """A deletion while pages were read moves the rest up by one: a walk over all pages follows soon (crm/sync/recheck.py)."""
    async with source.pool.acquire() as conn, conn.transaction():
        await mark_loaded(conn, source.account_id)


def _next_kind(kind: EntityKind) -> EntityKind | None:
    following = ORDER.index(kind) + 1
    return ORDER[following] if following < len(ORDER) else None


def progress_at(cursor: dict[str, Any]) -> LoadProgress:
    """cursor: of the feed `FEED`, {} before it began."""
    if not cursor:
        return LoadProgress(0, ORDER[0], False)
    return LoadProgress(cursor["done"], cursor["kind"], cursor["is_done"])
