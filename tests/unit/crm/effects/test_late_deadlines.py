"""Deadlines of tasks that are sent days after they were decided."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crm.effects.deadlines import LEAST_DEADLINE, late_deadline
from routing.settings import WorkingTime

WORK = (WorkingTime(), ZoneInfo("Europe/Moscow"))  # Monday to Friday, 9 to 18
MONDAY_NOON = datetime(2026, 3, 2, 9, tzinfo=UTC)


def moscow(day: int, clock: str) -> datetime:
    hour, minute = clock.split(":")
    return datetime(2026, 3, day, int(hour), int(minute), tzinfo=WORK[1]).astimezone(UTC)


@pytest.mark.parametrize(
    ("ordered", "due", "now", "late"),
    [
        (moscow(2, "10:00"), moscow(2, "11:00"), moscow(4, "12:00"), moscow(4, "13:00")),
        # decided on Friday night, an hour of Monday morning: an hour from Wednesday noon, not two days and a half
        (moscow(6, "22:00"), moscow(9, "10:00"), moscow(11, "12:00"), moscow(11, "13:00")),
        (moscow(5, "17:30"), moscow(6, "09:30"), moscow(11, "17:45"), moscow(12, "09:45")),
        # sent at night: due in the morning
        (moscow(6, "22:00"), moscow(9, "10:00"), moscow(11, "23:00"), moscow(12, "10:00")),
        # plain hours that end in closed ones are plain hours again
        (moscow(2, "16:00"), moscow(3, "00:00"), moscow(4, "12:00"), moscow(4, "20:00")),
    ],
)
def test_a_late_task_gets_the_time_that_it_was_given(
    ordered: datetime, due: datetime, now: datetime, late: datetime
) -> None:
    assert late_deadline(due, ordered, now, WORK) == late


def test_nobody_gets_less_than_a_few_minutes() -> None:
    assert late_deadline(MONDAY_NOON, MONDAY_NOON, MONDAY_NOON, WORK) == MONDAY_NOON + LEAST_DEADLINE


def test_a_decision_a_moment_older_than_its_row_changes_nothing() -> None:
    ordered = moscow(5, "17:30") + timedelta(milliseconds=40)
    late = late_deadline(moscow(6, "09:30"), ordered, moscow(11, "12:00"), WORK)
    assert late == moscow(11, "13:00")
