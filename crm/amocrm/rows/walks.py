"""Where a list ends. Its own word for it is `next`, which is sometimes missing before the end, and sometimes never missing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from crm.port import Page

PROBE_SECONDS = 600.0
"""How long an end that was looked beyond is believed, while the last page keeps its number of rows."""
MOST_KNOWN_PAGES = 2
"""Pages in a row without one new row, and the list goes round in a circle."""


@dataclass(slots=True)
class _Walk:
    """One list as it was read last. is_probe: the page that is read next lies beyond an end that the CRM told."""

    first: frozenset[str] = frozenset()
    latest: frozenset[str] = frozenset()
    page: int = 0
    is_probe: bool = False
    known_pages: int = 0
    end: tuple[int, int, float] | None = field(
        default=None
    )  # (last page, its rows, when it was looked beyond)


class Walks:
    """What the reader of a list has seen of it, by the list's name."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._walks: dict[str, _Walk] = {}

    def judged(self, name: str, number: int, page: Page[Any]) -> Page[Any]:
        """Return the page with the truth about whether there is more. Its items have ids.

        A page that brings nothing new ends the list: at once where the CRM had told the end before, else when the next
        one does not either, for a list that many change slides while it is read.
        """
        walk = self._walks.setdefault(name, _Walk())
        if number != walk.page + 1:
            walk.is_probe, walk.known_pages, walk.latest = False, 0, frozenset()
        rows = frozenset((*(item.id for item in page.items), *page.lost))
        if number == 1:
            walk.first = rows
        is_known = number > 1 and (rows <= walk.latest or rows <= walk.first)
        was_probe, before = walk.is_probe, len(walk.latest)
        walk.known_pages = walk.known_pages + 1 if is_known else 0
        walk.page, walk.latest, walk.is_probe = number, rows, False
        if not rows or (is_known and (was_probe or walk.known_pages >= MOST_KNOWN_PAGES)):
            if was_probe:
                walk.end = (number - 1, before, self._clock())
            return replace(page, has_next=False)
        if not page.has_next and not self._is_end(walk, len(rows)):
            walk.is_probe = True
            return replace(page, has_next=True)
        return page

    def _is_end(self, walk: _Walk, rows: int) -> bool:
        if walk.end is None:
            return False
        page, count, at = walk.end
        return (walk.page, rows) == (page, count) and self._clock() - at < PROBE_SECONDS
