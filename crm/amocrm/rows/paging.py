"""Pages of lists, in as many requests as the CRM can digest: what is too large for it is asked for in parts.

A page keeps its place whatever the size of the parts: a part divides the page, so no row is lost between two of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from crm.amocrm.fields import Node
from crm.amocrm.rows.page import is_last
from crm.amocrm.tables import IDS_PER_FILTER
from crm.errors import CrmTooLarge, CrmUnavailable
from crm.lane import Lane
from crm.portions import Portion

Query = Sequence[tuple[str, str]]
Get = Callable[[str, Lane, Query], Awaitable[Node | None]]


class Paging:
    """get: one GET of a path. plural: the name under which a list carries its rows."""

    def __init__(self, get: Get) -> None:
        self._get = get
        self._portions: dict[tuple[str, int], Portion] = {}
        self._ids: dict[str, Portion] = defaultdict(lambda: Portion(IDS_PER_FILTER))

    async def page(
        self, path: str, plural: str, lane: Lane, query: Query, *, page: int, limit: int
    ) -> Node | None:
        """Return this page of so many rows, as one answer. Raises CrmUnavailable where the CRM cannot tell even one row."""
        portion = self._portions.setdefault((path, limit), Portion(limit))
        parts: list[Node] = []
        row, size = (page - 1) * limit, portion.now
        while row < page * limit:
            size = min(size, portion.now)  # grown in the middle of a page, it would begin elsewhere
            asked = [("page", str(row // size + 1)), ("limit", str(size)), *query]
            try:
                part = await self._get(path, lane, asked)
            except CrmTooLarge as err:
                _shrink(portion, size, err)
                continue
            portion.on_success(size)
            row += size
            parts += [part] if part is not None else []
            if part is None or is_last(part):
                break
        return _joined(parts, plural)

    async def of_ids(
        self, path: str, ids: Sequence[str], ask: Callable[[list[str]], Awaitable[None]]
    ) -> None:
        """Call `ask` with as many of these at a time as the CRM can digest."""
        portion, start = self._ids[path], 0
        while start < len(ids):
            some = list(ids[start : start + portion.now])
            try:
                await ask(some)
            except CrmTooLarge as err:
                _shrink(portion, len(some), err)
                continue
            portion.on_success(len(some))
            start += len(some)


def _shrink(portion: Portion, size: int, err: CrmTooLarge) -> None:
    """Ask for fewer at a time. Raises CrmUnavailable where even one is too much: then it was not the size."""
    if size == 1:
        portion.forget()
        raise CrmUnavailable(str(err)) from err
    portion.too_large(size)


def _joined(parts: Sequence[Node], plural: str) -> Node | None:
    """One answer with the rows of all parts, and the last one's word on whether more follow."""
    if len(parts) < 2:
        return parts[0] if parts else None
    rows: list[Any] = [row.value for part in parts for row in part.at("_embedded", plural).items()]
    return Node({"_links": parts[-1].at("_links").value, "_embedded": {plural: rows}})
