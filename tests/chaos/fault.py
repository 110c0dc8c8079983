"""One fault of a run, as it was planned and as it went, and how fast they come."""

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


@dataclass(slots=True)
class Pace:
    """Seconds between faults. seconds: length of the run."""

    seconds: float
    kill: float = 4.4
    freeze: float = 7.0
    database: float = 50.0
    mood: float = 4.0
    point: float = 6.0
    is_short: bool = False
