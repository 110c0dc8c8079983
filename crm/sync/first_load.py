"""The first load: every page of contacts, companies and deals, oldest id first, then Unsorted.

Each page's rows and the place reached in one transaction: a load that was killed goes on where it stood.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from crm.errors import CrmForbidden
from crm.lane import Lane
from crm.port import CrmEntity, Page
from crm.store.cursors import drop_cursors, read_cursor, write_cursor
from crm.store.entries import mark_loaded
from crm.sync.load_size import rows_of
from crm.sync.source import Source, as_text
from routing.client import EntityKind
from runtime.database.pool import Conn

FEED = "load"
READING = 2
"""Of phone values; grows when more is read in them than before: then everything is loaded once again."""
PAGED: tuple[EntityKind, ...] = ("contact", "company", "deal")
ORDER: tuple[EntityKind, ...] = (*PAGED, "lead")
# What happened shortly before the load began may still be missing from the pages, and clocks differ.
_BEFORE_START = timedelta(minutes=10)


WIDEST = 4  # pages under way at a time: answers of a large CRM take longer than the budget's beat
_LONG_LIST = 8  # pages after which it is worth knowing how much is left


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """done: entities read so far. kind: what is being read, None when over. total, seconds_left: about how many there are
    and how long the rest takes at the pace so far; None where the load is short, or not known yet."""

    done: int
    kind: EntityKind | None
    is_done: bool
    total: int | None = None
    seconds_left: float | None = None


async def load_progress(conn: Conn, account_id: str) -> LoadProgress:
    """Readable by any process while the worker loads."""
    return progress_at(await read_cursor(conn, account_id, FEED))


async def restart_load(conn: Conn, account_id: str) -> None:
    """Everything is read again from the first page, by the account's worker; the directory keeps answering."""
    await drop_cursors(conn, account_id, FEED)
    await drop_cursors(conn, account_id, "recheck:")


async def load_step(source: Source, lane: Lane = Lane.SYNC) -> LoadProgress:
    """Read one page, and more of a long list at a time; each is taken over by itself, in order.

    Deltas and events count from before the first one, so nothing falls between load and polls.
    """
    began = time.monotonic()
    cursor = await source.cursor(FEED)
    if cursor.get("reading") != READING:
        cursor = await _begin(source)
    if cursor.get("is_done"):
        return progress_at(cursor)
    if cursor["page"] > _LONG_LIST and "totals" not in cursor:
        cursor = {**cursor, "totals": await _totals(source, cursor["kind"], cursor["page"] - 1, lane)}
    kind: EntityKind = cursor["kind"]
    read_at = time.monotonic()
    count = min(WIDEST, cursor["page"])
    for reading in await _pages(source, kind, cursor["page"], count, lane):
        seconds, began = cursor.get("seconds", 0.0) + time.monotonic() - began, time.monotonic()
        cursor = {**_after(cursor, reading), "seconds": round(seconds, 3)}
        apply = source.apply_leads if kind == "lead" else source.apply
        await apply(reading.items, feed=FEED, cursor=cursor, is_first=True, read_at=read_at)
    if cursor["is_done"]:
        await _finish(source)
    return progress_at(cursor)


def _after(cursor: dict[str, Any], page: Page[CrmEntity]) -> dict[str, Any]:
    after = {**cursor, "page": cursor["page"] + 1, "done": cursor["done"] + len(page.items)}
    if page.has_next:
        return after
    following = _next_kind(cursor["kind"])
    read = {**cursor.get("read", {}), cursor["kind"]: after["done"] - sum(cursor.get("read", {}).values())}
    return {**after, "page": 1, "kind": following, "is_done": following is None, "read": read}


async def _totals(source: Source, kind: EntityKind, page: int, lane: Lane) -> dict[str, int]:
    """Of this kind and of those that follow. page: the last one of this kind that was read."""
    totals: dict[str, int] = {kind: await rows_of(source, kind, lane, known_page=page)}
    for following in ORDER[ORDER.index(kind) + 1 :]:
        try:
            totals[following] = await rows_of(source, following, lane)
        except CrmForbidden:
            totals[following] = 0
    return totals


async def _pages(
    source: Source, kind: EntityKind, first: int, count: int, lane: Lane
) -> list[Page[CrmEntity]]:
    """Whoever may not see Unsorted can work with everything else."""
    try:
        return await source.crm.pages(kind, lane, page=first, count=count)
    except CrmForbidden:
        if kind != "lead":
            raise
        return [Page(items=(), has_next=False)]


async def _begin(source: Source) -> dict[str, Any]:
    since = as_text(source.now() - _BEFORE_START)
    cursor = {"kind": ORDER[0], "page": 1, "done": 0, "is_done": False, "began": since, "reading": READING}
    async with source.pool.acquire() as conn, conn.transaction():
        for feed in (*(f"delta:{kind}" for kind in PAGED), "events"):
            if not await read_cursor(conn, source.account_id, feed):
                await write_cursor(conn, source.account_id, feed, {"at": since})
        await write_cursor(conn, source.account_id, FEED, cursor)
    return cursor


async def _finish(source: Source) -> None:
    """Mark the load as over. A deletion while pages were read moves the rest up by one: a walk over all pages follows soon (crm/sync/recheck.py)."""
    async with source.pool.acquire() as conn, conn.transaction():
        await mark_loaded(conn, source.account_id)


def _next_kind(kind: EntityKind) -> EntityKind | None:
    following = ORDER.index(kind) + 1
    return ORDER[following] if following < len(ORDER) else None


def progress_at(cursor: dict[str, Any]) -> LoadProgress:
    """cursor: of the feed `FEED`, {} before it began."""
    if not cursor:
        return LoadProgress(0, ORDER[0], False)
    done, is_done = cursor["done"], cursor["is_done"]
    if is_done or "totals" not in cursor:
        return LoadProgress(done, cursor["kind"], is_done)
    left = _rows_left(cursor)
    pace = cursor.get("seconds", 0.0) / done if done else 0.0
    return LoadProgress(done, cursor["kind"], False, done + left, round(left * pace, 1))


def _rows_left(cursor: dict[str, Any]) -> int:
    """Of what was guessed: what was read to its end is known exactly, what goes on has at least something left."""
    read: dict[str, int] = cursor.get("read", {})
    of_this = cursor["done"] - sum(read.values())
    left = 0
    for kind, total in cursor["totals"].items():
        if kind not in read:
            left += max(0, total - (of_this if kind == cursor["kind"] else 0))
    return left
