"""Which part of the CRM's feed of events a poll reads: what is new, in order, each once, and never too much at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crm.lane import Lane
from crm.port import CrmEvent, CrmEventKind
from crm.sync.source import Source, as_text, from_text

# An event appears in the feed at most this much after the time that it carries.
_LATENESS = timedelta(seconds=60)
_SECOND = timedelta(seconds=1)

# Told by every poll: what means something to the directory, and what is news for others (crm/news.py).
_PROMPT: frozenset[CrmEventKind] = frozenset(
    (
        *("deleted", "restored", "merged", "unlinked", "owner_changed"),
        *("stage_changed", "changed", "task_completed", "message"),
    )
)
# What is created or linked by the thousand, by a backfill of ours for one: the delta tells most of it sooner.
_BULK: frozenset[CrmEventKind] = frozenset(("added", "linked"))
_PAGES = 5  # of bulk in one poll
_LONGEST_WINDOW = 3600.0
# A page full in less than this: whatever makes it is still at work, so it is left to it.
_POURING = timedelta(seconds=10)
_LONGEST_DELAY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Behind:
    """Bulk events that one poll could not read are read later, oldest first, in windows of `seconds`."""

    since: datetime
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far the feed is read. Times are the CRM's, but for mark[1].

    since: everything before it is read and will not change (but for what `behind` still has to read). seen: ids of
    events from then on. mark: the newest time seen in the feed, and when we saw it.
    """

    since: datetime
    seen: frozenset[str] = frozenset()
    mark: tuple[datetime, datetime] | None = None
    behind: Behind | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    """is_whole: nothing of the time asked for is missing. pages: requests it took."""

    events: list[CrmEvent]
    is_whole: bool
    pages: int


async def read_new(source: Source, position: Position, lane: Lane) -> tuple[list[CrmEvent], Position]:
    """Return the events since `position`, oldest first, and the position after them.

    While more is created than a few pages tell, the other kinds still come with every poll; the rest comes later, but it
    comes.
    """
    began = source.now()
    since, behind = position.since, position.behind
    newest = await _between(
        source, since, None, _PROMPT | _BULK, lane, most=1 if behind else _PAGES, is_feed=True
    )
    settled, mark = _settled(position, newest.events, began)
    older: list[CrmEvent] = []
    if behind is not None:
        if not _is_pouring(newest) or began - behind.since > _LONGEST_DELAY:
            older, behind = await _bulk(source, behind, settled, lane)
    elif not newest.is_whole:
        behind = Behind(since, max(1.0, _span(newest.events).total_seconds() * _PAGES / newest.pages))
    urgent = [] if newest.is_whole else (await _between(source, since, None, _PROMPT, lane)).events
    events = _in_order([*older, *newest.events, *urgent])
    new = [event for event in events if event.id not in position.seen]
    since = settled + _SECOND
    seen = frozenset(event.id for event in events if event.at >= since)
    return new, Position(since=since, seen=seen, mark=mark, behind=behind)


def _settled(
    position: Position, events: list[CrmEvent], began: datetime
) -> tuple[datetime, tuple[datetime, datetime] | None]:
    """Return (the second up to which, that included, no event can appear any more; the mark to keep).

    Told by the CRM's own times: its clock and ours may differ.
    """
    top = min(max((e.at for e in events), default=position.since), began).replace(microsecond=0)
    settled, mark = max(top - _LATENESS, position.since - _SECOND), position.mark
    if mark is not None and began - mark[1] >= _LATENESS:
        settled, mark = max(settled, mark[0]), None
    return settled, mark or ((top, began) if events else None)


async def _bulk(
    source: Source, behind: Behind, last: datetime, lane: Lane
) -> tuple[list[CrmEvent], Behind | None]:
    """Read some more windows. None: everything up to `last` is read."""
    found: list[CrmEvent] = []
    since, seconds, pages = behind.since, behind.seconds, 0
    while pages < _PAGES:
        if since > last:
            return found, None
        until = min(since + timedelta(seconds=int(seconds) - 1), last)
        read = await _between(source, since, until, _BULK, lane, most=_PAGES if seconds >= 2 else None)
        pages += read.pages
        found += read.events
        if read.is_whole:
            since = until.replace(microsecond=0) + _SECOND
            seconds = min(_LONGEST_WINDOW, max(1.0, seconds * min(2.0, _PAGES / read.pages)))
        else:  # the beginning of this window is still missing
            seconds = max(1.0, min(seconds / 2, _span(read.events).total_seconds()))
    return found, Behind(since, seconds)


async def _between(
    source: Source,
    since: datetime,
    until: datetime | None,
    kinds: frozenset[CrmEventKind],
    lane: Lane,
    *,
    most: int | None = None,
    is_feed: bool = False,
) -> _Read:
    """Oldest first, each once: pages slide while new events come in. is_feed: up to now; ends where it pours."""
    found: list[CrmEvent] = []
    number = 1
    while True:
        page = await source.crm.events(since, lane, kinds=kinds, until=until, page=number)
        found += page.items
        read = _Read(_in_order(found), not page.has_next, number)
        if read.is_whole or number == most or (is_feed and _is_pouring(read)):
            return read
        number += 1


def _is_pouring(read: _Read) -> bool:
    return not read.is_whole and _span(read.events) < _POURING * read.pages


def _span(events: list[CrmEvent]) -> timedelta:
    return events[-1].at - events[0].at if events else timedelta()


def _in_order(events: Iterable[CrmEvent]) -> list[CrmEvent]:
    return sorted({e.id: e for e in events}.values(), key=lambda e: (e.at, e.id))


def stored(position: Position) -> dict[str, Any]:
    """As it is kept between polls; read back by `position_of`."""
    value: dict[str, Any] = {"since": as_text(position.since), "seen": sorted(position.seen)}
    if position.mark is not None:
        value["mark"] = [as_text(at) for at in position.mark]
    if position.behind is not None:
        value["behind"] = {"since": as_text(position.behind.since), "seconds": position.behind.seconds}
    return value


def position_of(cursor: dict[str, Any], now: datetime) -> Position:
    """`at` alone is where a first load began."""
    since = from_text(cursor.get("since")) or (from_text(cursor.get("at")) or now) - _LATENESS
    top, at = (from_text(text) for text in cursor.get("mark", (None, None)))
    behind = cursor.get("behind", {})
    behind_since = from_text(behind.get("since"))
    return Position(
        since=since,
        seen=frozenset(cursor.get("seen", ())),
        mark=(top, at) if top and at else None,
        behind=Behind(behind_since, float(behind["seconds"])) if behind_since else None,
    )
