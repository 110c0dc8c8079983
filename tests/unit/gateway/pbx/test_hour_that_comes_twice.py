"""Clocks are put back: of the two hours of one name the one is meant that has come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.pbx.times import read_time

KYIV = ZoneInfo("Europe/Kyiv")  # on 25 October 2026 four o'clock becomes three again, at 01:00 UTC
FIRST, SECOND = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("received_at", "meant"),
    [
        (FIRST, FIRST),
        (FIRST - timedelta(minutes=2), FIRST),  # its clock is a little ahead
        (SECOND, SECOND),
        (SECOND + timedelta(hours=1), SECOND),
        (None, FIRST),
    ],
)
def test_the_latest_that_has_come_is_meant(received_at: datetime | None, meant: datetime) -> None:
    assert read_time("2026-10-25 03:30:00", "at", KYIV, received_at) == meant


def test_a_call_across_the_change_ends_after_it_began() -> None:
    told_at = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)
    started, ended = (read_time(f"2026-10-25 03:{minute}:00", "at", KYIV, told_at) for minute in ("50", "10"))
    assert ended - started == timedelta(minutes=20)


def test_an_hour_that_comes_once_is_as_ever() -> None:
    late = datetime(2026, 12, 1, tzinfo=UTC)
    assert read_time("2026-10-25 12:00:00", "at", KYIV, late) == datetime(2026, 10, 25, 10, tzinfo=UTC)
    assert read_time("2026-03-29 03:30:00", "at", KYIV, late) == read_time("2026-03-29 03:30:00", "at", KYIV)
