"""The closed sets of reasons of shift change: why a run waits or ended early, and why a deal stayed where it was."""

from __future__ import annotations

from typing import get_args

from routing.shift_change.deals import StaysReason
from routing.shift_change.returning import KeepsReason

RUN_REASONS: tuple[str, ...] = ("came_back", "left_again", "switched_off", "stopped", "nobody_left")
STAY_REASONS: tuple[str, ...] = tuple(
    dict.fromkeys((*get_args(StaysReason), *get_args(KeepsReason), "gone", "refused", "deal_stays"))
)


def reason_key(reason: str) -> str:
    """Return the catalogue's prefix for what stands in a journal: a deal's reason, or that of its run."""
    return "shift.reason" if reason in RUN_REASONS else "shift.stays"
