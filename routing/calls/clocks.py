"""How a PBX's clock differs from ours, as the messages of one call show it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

_LEAST = timedelta(seconds=30)
"""Less is the time that messages take, and no matter to anybody."""
_SAME = timedelta(seconds=5)


def clock_offset(told: Sequence[tuple[datetime, datetime]]) -> timedelta:
    """Return what has to be added to this PBX's times to have them by our clock; zero where that is not certain.

    told: (received by us, happened by its clock) of events that are told as they happen. Only where they came as far apart
    as they happened they came at once: what was kept back and sent together says nothing of a clock.
    """
    lags = [received_at - at for received_at, at in told]
    if not lags or (lasted := max(at for _, at in told) - min(at for _, at in told)) < timedelta(seconds=1):
        return timedelta(0)
    # Events of a few seconds that are sent together lag by as much as they lasted.
    if max(lags) - min(lags) > min(_SAME, lasted / 2) or abs(min(lags)) < _LEAST:
        return timedelta(0)
    return min(lags)
