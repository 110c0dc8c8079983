"""How sizes of requests shrink and grow, whoever asks."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from crm.portions import GOOD_ONES_TO_GROW, Portion, steps_of


@given(st.integers(1, 1000))
def test_every_size_divides_the_one_before_and_is_at_most_half_of_it(limit: int) -> None:
    steps = steps_of(limit)
    assert (steps[0], steps[-1]) == (limit, 1)
    assert all(more % less == 0 and less <= more // 2 for more, less in itertools.pairwise(steps))


def test_it_shrinks_at_once_and_grows_after_good_ones_only() -> None:
    portion = Portion(250)
    portion.too_large(250)
    assert portion.now == 125
    portion.too_large(40)
    assert portion.now == 5
    for _ in range(100):
        portion.on_success(3)
    assert portion.now == 5
    for _ in range(3 * GOOD_ONES_TO_GROW):
        portion.on_success(250)
    assert portion.now == 250


def test_growing_that_fails_again_and_again_is_tried_ever_later() -> None:
    portion = Portion(250)
    failures = 0
    for _ in range(2000):
        if portion.now > 50:
            portion.too_large(portion.now)
            failures += 1
        else:
            portion.on_success(portion.now)
    assert failures < 12
