"""How a PBX's clock differs from ours, as its messages show it: those of one call, else the latest of the connection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from routing.calls.model import EventKind

AT_ONCE = frozenset(EventKind) - {EventKind.SUMMARY, EventKind.RECORDING}
"""Kinds that are told as they happen."""

_NONE = timedelta(0)
_LEAST = timedelta(seconds=30)
"""Less is the time that messages take, and no matter to anybody."""
_SAME = timedelta(seconds=5)
_FEWEST_CALLS = 5
_APART = timedelta(minutes=1)


class Telling(NamedTuple):
    """One event that is told as it happens. at: when, by the PBX's clock."""

    call_key: str
    received_at: datetime
    at: datetime

    @property
    def lag(self) -> timedelta:
        return self.received_at - self.at


def clock_offset(told: Sequence[tuple[datetime, datetime]]) -> timedelta | None:
    """Return what has to be added to this PBX's times to have them by our clock, as one call shows it; None where it does not.

    told: (received by us, happened by its clock) of events that are told as they happen. Only where they came as far apart
    as they happened they came at once: what was kept back and sent together says nothing of a clock.
    """
    lags = [received_at - at for received_at, at in told]
    if not lags or (lasted := max(at for _, at in told) - min(at for _, at in told)) < timedelta(seconds=1):
        return None
    # Events of a few seconds that are sent together lag by as much as they lasted.
    if max(lags) - min(lags) > min(_SAME, lasted / 2):
        return None
    return _worth_it(min(lags))


def connection_offset(told: Iterable[Telling]) -> timedelta | None:
    """Return the same as the latest calls of a connection show it: most lag alike, though they came at different times.

    What was kept back lags by as much as each call was kept, so that calls of an outage do not agree with one another.
    """
    quickest: dict[str, Telling] = {}
    for one in told:
        if one.call_key not in quickest or (one.lag, one) < (
            quickest[one.call_key].lag,
            quickest[one.call_key],
        ):
            quickest[one.call_key] = one
    calls = sorted(quickest.values(), key=lambda one: (one.lag, one))
    best: Sequence[Telling] = ()
    begin = 0
    for end, one in enumerate(calls):
        while one.lag - calls[begin].lag > _SAME:
            begin += 1
        if end - begin + 1 > len(best):
            best = calls[begin : end + 1]
    if len(best) < _FEWEST_CALLS or 2 * len(best) <= len(calls):
        return None
    received = [one.received_at for one in best]
    return _worth_it(best[0].lag) if max(received) - min(received) >= _APART else None


def _worth_it(lag: timedelta) -> timedelta:
    return _NONE if abs(lag) < _LEAST else lag
