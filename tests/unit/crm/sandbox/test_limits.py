"""Sliding windows, whatever the times of the requests."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crm.sandbox.limits import Limits
from crm.sandbox.profile import AMOCRM


@given(st.lists(st.floats(0, 5), min_size=1, max_size=60))
def test_verdict_is_what_counting_the_last_second_gives(times: list[float]) -> None:
    limits, profile = Limits(), AMOCRM.changed({"block_after_429s": 0})
    times.sort()
    for index, at in enumerate(times):
        within = sum(at - 1 < earlier for earlier in times[: index + 1])
        assert limits.judge("a", at, profile) == ("pass" if within <= 7 else "too_many")


def test_block_counts_only_offences_within_its_window() -> None:
    limits = Limits()
    profile = AMOCRM.changed({"requests_per_second": 0, "block_after_429s": 3, "block_window_seconds": 10})
    verdicts = [limits.judge("a", at, profile) for at in (0, 1, 20, 21, 22, 23)]
    assert verdicts == ["too_many"] * 5 + ["blocked"]


def test_clearing_lifts_the_block_and_forgets() -> None:
    limits, profile = Limits(), AMOCRM.changed({"requests_per_second": 1, "block_after_429s": 1})
    assert [limits.judge("a", 0.0, profile) for _ in range(3)] == ["pass", "too_many", "blocked"]
    assert limits.most == {"a": 3}
    limits.clear()
    assert limits.judge("a", 0.0, profile) == "pass"
