"""A slow walk over all pages that finds what no event told: entities that vanished, and ones that were never seen."""

from __future__ import annotations

import time
from typing import Any

from crm.lane import Lane
from crm.port import CrmEntity, Page
from crm.store.listing import deals_of, ids_between
from crm.sync.first_load import PAGED
from crm.sync.source import Source

FEED = "recheck"
_AT_ONCE = 50  # suspects asked for by id in one step


async def recheck_step(source: Source, lane: Lane = Lane.SYNC) -> bool:
    """Compare one page with the directory. True when the walk over everything is complete (it then starts again).

    Relies on pages by ascending numeric id: an id of ours between the last one of the page before and the last one of
    this page, which this page does not show, is a suspect. It is forgotten only if the CRM does not know it by id.
    """
    cursor = await source.cursor(FEED) or {"kind": PAGED[0], "page": 1, "after": ""}
    kind = cursor["kind"]
    read_at = time.monotonic()
    page = await source.crm.page(kind, lane, page=cursor["page"])
    last = _last(cursor, page) if page.has_next else None
    async with source.pool.acquire() as conn:
        ours = await ids_between(conn, source.account_id, kind, cursor["after"], last)
    suspects = sorted(set(ours) - {e.id for e in page.items} - {*page.lost})
    found, gone = await source.read_again([(kind, id) for id in suspects[:_AT_ONCE]], lane)
    async with source.pool.acquire() as conn:
        deals = await deals_of(conn, source.account_id, gone)  # a merge moved them to another contact
    moved, _ = await source.read_again(deals[:_AT_ONCE], lane)
    after = _after(cursor, last) if len(suspects) <= _AT_ONCE or not gone else dict(cursor)
    await source.apply([*page.items, *found, *moved], gone=gone, feed=FEED, cursor=after, read_at=read_at)
    return bool(after["kind"] == PAGED[0] and after["page"] == 1 and last is None)


def _last(cursor: dict[str, Any], page: Page[CrmEntity]) -> str:
    """Where the next page begins; a page of which nothing can be read is passed by."""
    after: str = cursor["after"]
    return page.items[-1].id if page.items else after


def _after(cursor: dict[str, Any], last: str | None) -> dict[str, Any]:
    if last is not None:
        return {**cursor, "page": cursor["page"] + 1, "after": last}
    following = (PAGED.index(cursor["kind"]) + 1) % len(PAGED)
    return {"kind": PAGED[following], "page": 1, "after": ""}
