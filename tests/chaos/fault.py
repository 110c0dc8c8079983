"""One fault of a run, as it was planned and as it went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class Fault:
    """is_over: what there was to see of it has been seen, or was waited for in vain. began_at, ended_at: by the clock. has_chance:
    False where nothing came in its time that it could have hit."""

    kind: str
    at: float
    began_at: datetime
    ended_at: datetime | None = None
    is_fired: bool = False
    has_chance: bool = True
    is_over: bool = False
    detail: str = ""
