"""Deadlines of tasks that are sent long after they were decided. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from routing.settings import WorkingTime
from routing.working_time import add_working_minutes, working_seconds_between

LEAST_DEADLINE = timedelta(minutes=5)
Hours = tuple[WorkingTime, ZoneInfo]


def late_deadline(due_at: datetime, ordered_at: datetime, now: datetime, work: Hours) -> datetime:
    """As far from now as it was from then. A deadline that stepped over closed hours was counted in working time, and
    is again: the night in which a call was stored is not added to the morning on which its task is sent."""
    given = due_at - ordered_at
    minutes = round(working_seconds_between(ordered_at, due_at, *work) / 60)
    if minutes and given > timedelta(minutes=minutes + 1):
        then = add_working_minutes(ordered_at, minutes, *work)
        if abs(then - due_at) <= timedelta(minutes=1):
            return max(add_working_minutes(now, minutes, *work), now + LEAST_DEADLINE)
    return now + max(given, LEAST_DEADLINE)
