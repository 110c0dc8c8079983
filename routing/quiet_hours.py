"""Quiet hours: local hours in which nobody is given tasks or missed calls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def quiet_until(hours: Sequence[tuple[str, str]], now: datetime, zone: ZoneInfo) -> datetime | None:
    """When the quiet that holds now is over, aware UTC; None when it is not quiet. Hours may go over midnight."""
    today = now.astimezone(zone).date()
    ends = [
        ends
        for day in (today - timedelta(days=1), today)
        for opens, closes in hours
        for begins, ends in (_span(day, opens, closes, zone),)
        if begins <= now < ends
    ]
    return max(ends, default=None)


def after_quiet(hours: Sequence[tuple[str, str]], at: datetime, zone: ZoneInfo) -> datetime:
    """Return this moment, or the end of the quiet that holds then. Quiet that never ends is none: nothing waits for ever."""
    moved = at
    for _ in range(2 * len(hours)):  # one may end where another begins
        until = quiet_until(hours, moved, zone)
        if until is None:
            return moved
        moved = until
    return moved if quiet_until(hours, moved, zone) is None else at


def _span(day: date, opens: str, closes: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    next_day = day + timedelta(days=1) if closes <= opens or closes == "24:00" else day
    return _utc(day, opens, zone), _utc(next_day, "00:00" if closes == "24:00" else closes, zone)


def _utc(day: date, clock: str, zone: ZoneInfo) -> datetime:
    hour, _, minute = clock.partition(":")
    return datetime.combine(day, time(int(hour), int(minute)), tzinfo=zone).astimezone(UTC)
