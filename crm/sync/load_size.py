"""How much a first load still has to read. The CRM tells no totals, so the end of a long list is looked for by pages."""

from __future__ import annotations

from crm.lane import Lane
from crm.sync.source import Source
from routing.client import EntityKind

PAGE_ROWS = 250
_STEP = 4  # the next page that is looked at, in terms of the one before
_FARTHEST = 40_000  # pages; ten million rows
_NARROWINGS = 4  # halvings of the gap in which the end lies: the guess is then right within a tenth


async def rows_of(source: Source, kind: EntityKind, lane: Lane, *, known_page: int = 0) -> int:
    """About how many of this kind there are. known_page: a page that is known to be there, 0 = none."""
    last, beyond = known_page, max(2, known_page * 2)
    while beyond < _FARTHEST and (await source.crm.page(kind, lane, page=beyond)).items:
        last, beyond = beyond, beyond * _STEP
    for _ in range(_NARROWINGS):
        if beyond - last < 2:
            break
        middle = (last + beyond) // 2
        if (await source.crm.page(kind, lane, page=middle)).items:
            last = middle
        else:
            beyond = middle
    return (last + beyond) * PAGE_ROWS // 2
