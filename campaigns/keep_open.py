"""The technical row that keeps a campaign from ending between two numbers that come from the pipeline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepOpenRow:
    """made_at: by the first number that a trigger added. removed_at: a person took it out, which does no harm."""

    made_at: datetime | None = None
    removed_at: datetime | None = None

    @property
    def holds(self) -> bool:
        return self.made_at is not None and self.removed_at is None


def on_trigger_add(row: KeepOpenRow, *, is_endless: bool, now: datetime) -> KeepOpenRow:
    """Return it after a trigger added a number: the first makes the row, no later one does, also after it was removed. What is
    endless needs none."""
    return row if is_endless or row.made_at is not None else replace(row, made_at=now)


def removed(row: KeepOpenRow, now: datetime) -> KeepOpenRow:
    return replace(row, removed_at=now) if row.holds else row
