"""What the messages of one call tell of a PBX's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from routing.calls.clocks import Telling, clock_offset, connection_offset

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
AFTER = st.lists(st.floats(0, 600), min_size=1, max_size=6)
AHEAD = st.floats(-7200, 7200).filter(lambda s: abs(s) >= 31)


def _at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


@given(AFTER, st.floats(0, 7200))
def test_what_is_sent_together_says_nothing_of_a_clock(after: list[float], late: float) -> None:
    received = _at(max(after) + late)
    assert not clock_offset([(received, _at(s)) for s in after])


@given(AFTER, AHEAD)
def test_what_is_told_at_once_shows_how_far_a_clock_is_ahead(after: list[float], ahead: float) -> None:
    told = [(_at(s), _at(s + ahead)) for s in [0.0, 1.5, *after]]
    assert abs((clock_offset(told) or timedelta(0)) + timedelta(seconds=ahead)) < timedelta(milliseconds=1)


def test_a_call_within_a_second_says_nothing_and_a_longer_one_that_the_clock_is_right() -> None:
    assert clock_offset([(_at(0), _at(300)), (_at(0.4), _at(300.4))]) is None
    assert clock_offset([(_at(0), _at(0)), (_at(3), _at(3))]) == timedelta(0)


def _call(n: int, at: float, *, ahead: float = 0, late: float = 0, lasted: float = 0.5) -> list[Telling]:
    """Two events of a call at this time. late: so long it was kept back, both parts together."""
    received = [at + late, at + late] if late else [at, at + lasted]
    return [
        Telling(f"c{n}", _at(r), _at(at + part + ahead))
        for r, part in zip(received, (0.0, lasted), strict=True)
    ]


CALLS_APART = st.lists(st.floats(0, 3600), min_size=5, max_size=20, unique=True).filter(
    lambda ats: max(ats) - min(ats) >= 61
)


@given(CALLS_APART, AHEAD, st.randoms(use_true_random=False), st.data())
def test_short_calls_together_show_how_far_a_clock_is_ahead_in_any_order_and_repetition(
    ats: list[float], ahead: float, chance: Random, data: st.DataObject
) -> None:
    told = [one for n, at in enumerate(ats) for one in _call(n, at, ahead=ahead)]
    offset = connection_offset(told)
    assert offset is not None
    assert abs(offset + timedelta(seconds=ahead)) < timedelta(seconds=1)
    again = [*told, *data.draw(st.lists(st.sampled_from(told)))]
    chance.shuffle(again)
    assert connection_offset(again) == offset


@given(CALLS_APART, st.floats(0, 7200))
def test_calls_of_an_outage_that_are_told_together_say_nothing_of_a_clock(
    ats: list[float], late: float
) -> None:
    end = max(ats) + 1
    told = [one for n, at in enumerate(ats) for one in _call(n, at, late=end - at + late)]
    assert not connection_offset(told)


def test_few_calls_or_calls_that_do_not_agree_say_nothing() -> None:
    few = [one for n in range(4) for one in _call(n, n * 60, ahead=300)]
    assert connection_offset(few) is None
    halves = [one for n in range(10) for one in _call(n, n * 60, ahead=300 if n % 2 else 0)]
    assert connection_offset(halves) is None
