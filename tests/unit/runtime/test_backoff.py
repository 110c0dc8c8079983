"""Pauses grow to the longest, start small after a success, and never all end together."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from runtime.backoff import Backoff, grown_pause

seconds = st.floats(0.01, 60)


@given(seconds, st.floats(1, 1000), st.integers(1, 2000))
def test_pauses_grow_up_to_the_longest(first: float, factor: float, failures: int) -> None:
    backoff = Backoff(first, first * factor)
    pauses = [backoff.failed() for _ in range(failures)]
    assert pauses[0] == first
    assert pauses == sorted(pauses)
    assert max(pauses) <= backoff.longest
    assert all(later == min(earlier * 2, backoff.longest) for earlier, later in pairwise(pauses))


@given(seconds, st.floats(1, 1000), st.integers(0, 50))
def test_after_a_success_they_start_small_again(first: float, factor: float, failures: int) -> None:
    backoff = Backoff(first, first * factor)
    for _ in range(failures):
        backoff.failed()
    backoff.succeeded()
    assert backoff.pause() == 0
    assert backoff.failed() == first


@given(st.floats(0, 1), st.floats(0, 3), st.floats(0, 1, exclude_max=True), st.integers(1, 100))
def test_the_spread_stays_in_its_range(low: float, width: float, drawn: float, failures: int) -> None:
    backoff = Backoff(1.0, 60.0, (low, low + width), random=lambda: drawn)
    plain = grown_pause(failures, 1.0, 60.0)
    for _ in range(failures):
        pause = backoff.failed()
    assert plain * low <= pause <= plain * (low + width)


def test_what_ran_long_enough_counts_as_a_success() -> None:
    backoff = Backoff(1.0, 60.0, steady_seconds=30)
    assert [backoff.failed(ran) for ran in (0.1, 2, 29, 31, 0)] == [1, 2, 4, 1, 2]


def test_no_failure_no_pause() -> None:
    assert grown_pause(0, 1.0, 60.0) == 0
