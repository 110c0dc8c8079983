"""So many calls a minute, evenly, whatever is changed meanwhile; 0 pauses and loses nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.outbound.pace import RateRefused, next_turn, rate_from

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def _placed(rates: list[tuple[datetime, int]], until: datetime) -> list[datetime]:
    """When calls are placed by somebody who looks each second and has plenty to place."""
    now, last, placed = START, None, []
    while now < until:
        rate = [r for at, r in rates if at <= now][-1]
        turn = next_turn(rate, last, now)
        if turn is not None and turn <= now:
            placed.append(now)
            last = now
        now += timedelta(seconds=1)
    return placed


def test_case_11_ten_items_at_six_a_minute_are_placed_ten_seconds_apart() -> None:
    placed = _placed([(START, 6)], START + timedelta(seconds=100))
    assert len(placed) == 10
    assert {b - a for a, b in pairwise(placed)} == {timedelta(seconds=10)}


def test_case_12_a_pause_saves_nothing_up() -> None:
    minute = timedelta(minutes=1)
    rates = [(START, 6), (START + minute, 0), (START + 4 * minute, 3)]
    placed = _placed(rates, START + 6 * minute)
    assert [at for at in placed if START + minute <= at < START + 4 * minute] == []
    after = [at for at in placed if at >= START + 4 * minute]
    assert {b - a for a, b in pairwise(after)} == {timedelta(seconds=20)}


@pytest.mark.parametrize(
    "text", ["-1", "1.5", "1,5", "+5", "abc", "", " ", "١", "٥", "1e3", "601", "5.0", "9" * 50]
)
def test_case_13_what_is_no_whole_number_from_zero_is_refused(text: str) -> None:
    with pytest.raises(RateRefused):
        rate_from(text)


@pytest.mark.parametrize(("text", "rate"), [("0", 0), ("05", 5), (" 7 ", 7), ("600", 600)])
def test_case_13_whole_numbers_are_taken(text: str, rate: int) -> None:
    assert rate_from(text) == rate


@given(st.integers(1, 600), st.lists(st.integers(-7200, 7200), max_size=30))
def test_case_19_a_clock_that_jumps_makes_no_burst(rate: int, jumps: list[int]) -> None:
    """After any jump there is one call at once at the most."""
    now, last = START, START
    for jump in jumps:
        now += timedelta(seconds=jump)
        turn = next_turn(rate, last, now)
        assert turn is not None
        assert now <= turn <= now + timedelta(minutes=1) / rate
        last = turn
        again = next_turn(rate, last, now)
        assert again is not None
        assert again > now


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 120)), min_size=1, max_size=5))
def test_in_any_minute_no_more_are_placed_than_the_greatest_rate_and_one(
    changes: list[tuple[int, int]],
) -> None:
    rates = [(START, changes[0][1]), *sorted((START + timedelta(seconds=at), rate) for at, rate in changes)]
    placed = _placed(rates, START + timedelta(seconds=400))
    most = max(rate for _, rate in rates)
    for first in placed:
        assert sum(first <= at < first + timedelta(minutes=1) for at in placed) <= most + 1
