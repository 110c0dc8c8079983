from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.conditions import Condition, Test, all_hold, is_narrower


@pytest.mark.parametrize(
    ("test", "values", "value", "holds"),
    [
        ("equals", ("Контекстная реклама",), " контекстная РЕКЛАМА ", True),
        ("equals", ("a",), "ab", False),
        ("contains", ("b",), "abc", True),
        ("contains", ("x", "c"), "abc", True),
        ("one_of", ("a", "B"), "b", True),
        ("one_of", ("a", "b"), "c", False),
        ("equals", ("a",), None, False),
    ],
)
def test_a_condition_compares_without_case_and_spaces(
    test: Test, values: tuple[str, ...], value: str | None, holds: bool
) -> None:
    facts = {} if value is None else {"pool": value}
    assert Condition(parameter="Pool", test=test, values=values).holds(facts) is holds


def test_no_conditions_hold_for_every_call() -> None:
    assert all_hold((), {})


_CONDITIONS = st.lists(
    st.builds(
        Condition,
        parameter=st.sampled_from(["a", "B"]),
        test=st.sampled_from(["equals", "contains", "one_of"]),
        values=st.lists(st.text("xyz", min_size=1, max_size=2), min_size=1, max_size=2).map(tuple),
    ),
    max_size=2,
).map(tuple)


@given(_CONDITIONS, _CONDITIONS, st.dictionaries(st.sampled_from(["a", "b"]), st.text("xyz", max_size=3)))
def test_what_is_narrower_never_holds_alone(
    later: tuple[Condition, ...], earlier: tuple[Condition, ...], facts: dict[str, str]
) -> None:
    if is_narrower(later, earlier) and all_hold(later, facts):
        assert all_hold(earlier, facts)


def test_narrower_is_found() -> None:
    wide = Condition(parameter="pool", test="one_of", values=("a", "b"))
    assert is_narrower((Condition(parameter="POOL", values=("A",)),), (wide,))
    assert not is_narrower((wide,), (Condition(parameter="pool", values=("a",)),))
    assert is_narrower((wide,), ())
