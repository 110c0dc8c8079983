"""Times in which nobody listened to a messenger: what of them is lost, and what can be read afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

GapState = Literal["repairing", "repaired", "open"]
GAP_STATES: tuple[GapState, ...] = get_args(GapState)

SHORTEST_GAP = timedelta(minutes=5)
"""Shorter ones are restarts: messengers repeat what nobody took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListeningGap:
    """state: `repairing` where the history can be read, else `open`: messages of that time may be missing."""

    from_at: datetime
    to_at: datetime
    state: GapState


def gap_since(
    listened_at: datetime, now: datetime, *, has_history: bool, keeps: timedelta
) -> ListeningGap | None:
    """Return what has been missed by now. keeps: for how long the messenger keeps for us what nobody took."""
    if now - listened_at < SHORTEST_GAP:
        return None
    if has_history:
        return ListeningGap(from_at=listened_at, to_at=now, state="repairing")
    if now - listened_at <= keeps:
        return None
    return ListeningGap(from_at=listened_at, to_at=now - keeps, state="open")
