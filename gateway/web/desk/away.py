"""What somebody missed who was asked whether they are there and did not answer: how long, and what became of their deals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.store.presence.attendance import PresenceInterval
from gateway.store.shift_change.listing import DealsTaken, deals_taken_since
from routing.attendance.model import Attendance, AttendanceReason
from routing.shift_change.policy import ShiftPolicy
from runtime.database.pool import Conn

TOLD_FOR = timedelta(minutes=30)
"""After coming back; then it is history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwayLately:
    """until: None = it goes on. asked_at: of the question that was not answered, None = it is not known any more. was_it_them:
    whoever came back pressed a button; else something was seen of them. may_return: deals come back on demand."""

    since: datetime
    until: datetime | None
    asked_at: datetime | None
    was_it_them: bool
    deals: DealsTaken
    may_return: bool


def unanswered(
    spent: Sequence[PresenceInterval], attendance: Attendance | None, now: datetime
) -> PresenceInterval | None:
    """Return the absence that is to be told. spent: the newest first."""
    found = next(
        (one for one in spent if (one.state, one.reason) == ("off", AttendanceReason.NO_ANSWER)), None
    )
    if found is None or attendance is None:
        return None
    if found.until is None:
        return found if attendance.mark == "off" else None
    return found if attendance.is_here and now - found.until < TOLD_FOR else None


async def away_lately(
    conn: Conn,
    account_id: str,
    employee_id: str,
    policy: ShiftPolicy,
    spent: Sequence[PresenceInterval],
    attendance: Attendance | None,
    now: datetime,
) -> AwayLately | None:
    found = unanswered(spent, attendance, now)
    if found is None or attendance is None:
        return None
    deals = await deals_taken_since(conn, account_id, employee_id, found.since)
    is_back, question = found.until is not None, attendance.question
    return AwayLately(
        since=found.since,
        until=found.until,
        asked_at=question.asked_at if question and not is_back else None,
        was_it_them=attendance.source == "button",
        deals=deals,
        may_return=is_back and policy.is_on and policy.returns != "off" and deals.moved > deals.returned,
    )
