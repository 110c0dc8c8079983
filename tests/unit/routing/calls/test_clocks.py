"""What the messages of one call tell of a PBX's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from routing.calls.clocks import clock_offset

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
AFTER = st.lists(st.floats(0, 600), min_size=1, max_size=6)
AHEAD = st.floats(-7200, 7200).filter(lambda s: abs(s) >= 31)


def _at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


@given(AFTER, st.floats(0, 7200))
def test_what_is_sent_together_says_nothing_of_a_clock(after: list[float], late: float) -> None:
    received = _at(max(after) + late)
    assert clock_offset([(received, _at(s)) for s in after]) == timedelta(0)


@given(AFTER, AHEAD)
def test_what_is_told_at_once_shows_how_far_a_clock_is_ahead(after: list[float], ahead: float) -> None:
    told = [(_at(s), _at(s + ahead)) for s in [0.0, 1.5, *after]]
    assert abs(clock_offset(told) + timedelta(seconds=ahead)) < timedelta(milliseconds=1)
