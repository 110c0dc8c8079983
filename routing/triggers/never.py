"""Two conditions of which no deal can meet both."""

from __future__ import annotations

from decimal import Decimal

from routing.triggers.amounts import amount_of
from routing.triggers.conditions import NUMBER_TESTS, WITHOUT_VALUES
from routing.triggers.model import TypedCondition

_NAMES_ONE = frozenset(("equals", "one_of"))
_SINGLE = frozenset(("price", "responsible", "pipeline", "stage"))
_ABSENT = frozenset(("is_empty", "differs", "has_none"))


def never_together(one: TypedCondition, other: TypedCondition) -> bool:
    """Whether that is certain: where it depends on the deal, it is not."""
    if one.of != other.of:
        return False
    tests = {one.test, other.test}
    if "is_empty" in tests:
        return not tests <= _ABSENT
    if tests & WITHOUT_VALUES or (one.of not in _SINGLE and not tests <= NUMBER_TESTS):
        return False
    if one.test in _NAMES_ONE and other.test in _NAMES_ONE and not tests & NUMBER_TESTS:
        return not _named(one) & _named(other)
    ranges = [_range(one), _range(other)]
    return None not in ranges and _are_apart(*[r for r in ranges if r is not None])


def _named(condition: TypedCondition) -> set[str | Decimal]:
    if condition.of == "responsible":
        return {"somebody"}  # a user and an employee may be one person
    return {v if (n := amount_of(v)) is None else n for v in condition.values}


_Range = tuple[Decimal, bool, Decimal, bool]
_LEAST, _MOST = Decimal("-Infinity"), Decimal("Infinity")


def _range(condition: TypedCondition) -> _Range | None:
    """(least, whether it is in, most, whether it is in)."""
    limit = amount_of(condition.values[0]) if len(condition.values) == 1 else None
    if limit is None or (condition.of != "price" and ".cf_" not in condition.of):
        return None
    return {
        "above": (limit, False, _MOST, True),
        "at_least": (limit, True, _MOST, True),
        "below": (_LEAST, True, limit, False),
        "at_most": (_LEAST, True, limit, True),
        "equals": (limit, True, limit, True),
        "one_of": (limit, True, limit, True),
    }.get(condition.test)


def _are_apart(one: _Range, other: _Range) -> bool:
    least, most = max(one[0], other[0]), min(one[2], other[2])
    if least != most:
        return least > most
    is_least_in = all(r[1] for r in (one, other) if r[0] == least)
    is_most_in = all(r[3] for r in (one, other) if r[2] == most)
    return not (is_least_in and is_most_in)
