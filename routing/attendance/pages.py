"""What the heartbeats of an employee's open pages say. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from routing.attendance.trust import CLOSED_PAGE_SECONDS, PAGE_GONE_SECONDS

FORGOTTEN = timedelta(hours=1)
"""A page that was not heard for so long is nothing any more."""


class PageBeat(NamedTuple):
    """The latest word of one open page. input_at: of the latest key or touch in it, None = there was none while it was seen.

    is_closed: it said good-bye; a page that only reloads is back soon.
    """

    page: str
    seen_at: datetime
    input_at: datetime | None = None
    is_closed: bool = False


def page_beat(
    page: str, now: datetime, *, idle_seconds: int | None, is_visible: bool, is_closing: bool
) -> PageBeat:
    """Read what an open page says. idle_seconds: since the last key or touch in it, None = there was none. Nothing that a hidden
    page says of keys and touches can be true."""
    input_at = now - timedelta(seconds=idle_seconds) if is_visible and idle_seconds is not None else None
    return PageBeat(page, now, input_at, is_closing)


class PageSigns(NamedTuple):
    """input_at: the latest in any page. are_gone: there were pages, and none is left."""

    input_at: datetime | None
    are_gone: bool


def page_signs(beats: Iterable[PageBeat], now: datetime) -> PageSigns:
    """Fold all pages of one employee; one that is open is enough."""
    known = [beat for beat in beats if now - beat.seen_at < FORGOTTEN]
    inputs = [min(beat.input_at, now) for beat in known if beat.input_at is not None]
    return PageSigns(max(inputs, default=None), bool(known) and all(_is_gone(beat, now) for beat in known))


def later(one: PageBeat | None, other: PageBeat) -> PageBeat:
    """Return what two words of the same page say together, whichever came first."""
    if one is None:
        return other
    newest = max(one, other, key=lambda beat: (beat.seen_at, beat.is_closed))
    inputs = [beat.input_at for beat in (one, other) if beat.input_at is not None]
    return newest._replace(input_at=max(inputs, default=None))


def _is_gone(beat: PageBeat, now: datetime) -> bool:
    silence = CLOSED_PAGE_SECONDS if beat.is_closed else PAGE_GONE_SECONDS
    return now - beat.seen_at >= timedelta(seconds=silence)
