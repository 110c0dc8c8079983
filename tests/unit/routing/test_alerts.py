"""When people are told: one alarm for one cause, one word when it is over, and a flapping cause floods nobody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from routing.alerts import NEVER_SEEN, AlertState, AlertWord, Health, calm_after, follow

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
PATIENCE = timedelta(minutes=2)
MINUTE = timedelta(minutes=1)
Look = tuple[Health | None, float]
"""How it is, and so many seconds after the look before."""


def told(
    looks: Sequence[Look], *, patience: timedelta = PATIENCE
) -> tuple[list[tuple[AlertWord, datetime]], AlertState, datetime]:
    state, at, words = NEVER_SEEN, NOW, []
    for health, seconds in looks:
        at += timedelta(seconds=seconds)
        state, word = follow(state, health, at, patience)
        words += [(word, at)] if word else []
    return words, state, at


def words_of(looks: Sequence[Look], *, patience: timedelta = PATIENCE) -> list[AlertWord]:
    return [word for word, _ in told(looks, patience=patience)[0]]


HEALTHS: st.SearchStrategy[Health | None] = st.sampled_from(["bad", "bad", "good", "good", "unknown", None])
LOOKS = st.lists(st.tuples(HEALTHS, st.floats(1, 3600)), max_size=60)


BAD: Look = ("bad", 60)
GOOD: Look = ("good", 60)
GONE: Look = (None, 60)


def test_trouble_is_told_once_however_long_it_lasts_and_its_end_once() -> None:
    assert words_of([BAD] * 500) == ["begun"]
    assert words_of([BAD] * 500 + [GOOD] * 500) == ["begun", "over"]


def test_trouble_that_passes_within_the_patience_is_not_told() -> None:
    assert words_of([BAD, BAD, GOOD] * 50) == []


def test_an_end_that_does_not_last_is_no_end() -> None:
    assert words_of([BAD] * 4 + [GOOD, BAD] * 10) == ["begun"]


def test_what_is_watched_no_more_is_taken_back_once() -> None:
    assert words_of([BAD] * 4 + [GONE] * 3) == ["begun", "withdrawn"]
    assert words_of([GOOD, GONE]) == []


def test_a_cause_that_comes_back_for_hours_makes_a_handful_of_messages() -> None:
    a_day_of_flapping = ([BAD] * 10 + [GOOD] * 10) * 72
    assert 2 <= len(words_of(a_day_of_flapping)) <= 10


def test_after_a_good_day_a_cause_is_told_as_quickly_over_as_the_first_time() -> None:
    once = [BAD] * 4 + [GOOD] * 8
    words, state, _ = told([*once, ("good", 86400.0), *once])
    assert [word for word, _ in words] == ["begun", "over"] * 2
    assert state.relapses == 0


@given(LOOKS)
def test_every_alarm_is_ended_before_the_next_one_begins(looks: list[Look]) -> None:
    words = words_of(looks)
    assert all((word == "begun") == (place % 2 == 0) for place, word in enumerate(words))


@given(LOOKS)
def test_nothing_is_told_that_was_not_bad_for_as_long_as_the_patience(looks: list[Look]) -> None:
    at, bad_since = NOW, None
    state = NEVER_SEEN
    for health, seconds in looks:
        at += timedelta(seconds=seconds)
        if health == "bad":
            bad_since = bad_since or at
        elif health in ("good", None) and not state.is_open:
            bad_since = None
        state, word = follow(state, health, at, PATIENCE)
        if word == "begun":
            assert bad_since is not None
            assert at - bad_since >= PATIENCE
        if not state.is_open:
            bad_since = bad_since if health in ("bad", "unknown") else None


@given(LOOKS)
def test_trouble_that_stays_is_told_and_wellness_that_stays_ends_it(looks: list[Look]) -> None:
    _, state, at = told([*looks, ("bad", 1.0), ("bad", PATIENCE.total_seconds())])
    assert state.is_open
    longest = calm_after(1000)
    state, _ = follow(state, "good", at + MINUTE, PATIENCE)
    state, _ = follow(state, "good", at + MINUTE + longest, PATIENCE)
    assert not state.is_open


@given(LOOKS, st.integers(0, 60))
def test_not_knowing_changes_nothing(looks: list[Look], place: int) -> None:
    _, state, at = told(looks[:place])
    assert follow(state, "unknown", at + MINUTE, PATIENCE) == (state, None)


@given(st.lists(st.tuples(st.sampled_from(["bad", "good", "unknown"]), st.floats(1, 900)), max_size=300))
def test_a_day_never_has_more_than_a_dozen_messages_of_one_cause(looks: list[Look]) -> None:
    words, _, _ = told(looks, patience=timedelta(0))
    for _, first in words:
        assert sum(first <= at < first + timedelta(hours=24) for _, at in words) <= 24


@given(LOOKS)
def test_what_is_forgotten_would_have_changed_nothing(looks: list[Look]) -> None:
    _, state, at = told(looks)
    if state.is_blank:
        assert follow(state, "bad", at, PATIENCE) == follow(NEVER_SEEN, "bad", at, PATIENCE)
