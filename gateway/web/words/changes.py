"""Two versions of one thing side by side: what differs, field by field, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """As the kit's `difference` has it. before, after: "" = it was not there, or is not."""

    kind: Literal["changed", "added", "removed"]
    where: str
    before: str
    after: str


def field_changes(before: Iterable[tuple[str, str]], after: Iterable[tuple[str, str]]) -> list[FieldChange]:
    """before, after: (what it is called, what it is) of everything that is set."""
    was, now = dict(before), dict(after)
    return [
        _change(where, was.get(where, ""), now.get(where, ""))
        for where in dict.fromkeys([*was, *now])
        if was.get(where, "") != now.get(where, "")
    ]


def _change(where: str, before: str, after: str) -> FieldChange:
    kind: Literal["changed", "added", "removed"] = (
        "changed" if before and after else "added" if after else "removed"
    )
    return FieldChange(kind=kind, where=where, before=before, after=after)
