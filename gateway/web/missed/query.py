"""Which of those who wait are asked for."""

from __future__ import annotations

from typing import Literal

from gateway.web.frame import PageQuery
from gateway.web.missed.lines import MissedLine


class MissedQuery(PageQuery):
    """start: of the page, the place of its first row."""

    only: Literal["overdue", "new"] | None = None
    line: str | None = None
    person: str | None = None
    start: int = 0


def is_wanted(line: MissedLine, query: MissedQuery) -> bool:
    return (
        (query.only != "overdue" or line.overdue is not None)
        and (query.only != "new" or line.is_new)
        and query.line in (None, line.line)
        and query.person in (None, line.person_id)
    )
