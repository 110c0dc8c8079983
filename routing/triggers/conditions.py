"""Typed conditions on a deal. What is not known, or cannot be read as the test needs it, meets none of them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from routing.triggers.amounts import amount_of
from routing.triggers.facts import TriggerFacts
from routing.triggers.model import ConditionTest, TypedCondition

NUMBER_TESTS: frozenset[ConditionTest] = frozenset(("above", "at_least", "below", "at_most"))
WITHOUT_VALUES: frozenset[ConditionTest] = frozenset(("is_filled", "is_empty"))


def holds(condition: TypedCondition, facts: TriggerFacts) -> bool:
    values = facts.values_of(condition.of)
    if values is None:
        return False
    if condition.test in WITHOUT_VALUES:
        return bool(values) == (condition.test == "is_filled")
    if not condition.values:
        return False
    if condition.test in NUMBER_TESTS:
        return _compares(condition.test, values, condition.values)
    if condition.of == "price":
        return _price_is(condition.test, values, condition.values)
    return _is_text(condition, values)


def _compares(test: ConditionTest, values: Sequence[str], wanted: Sequence[str]) -> bool:
    if len(values) != 1 or len(wanted) != 1:
        return False
    value, limit = amount_of(values[0]), amount_of(wanted[0])
    if value is None or limit is None:
        return False
    if test == "above":
        return value > limit
    if test == "at_least":
        return value >= limit
    return value < limit if test == "below" else value <= limit


def _price_is(test: ConditionTest, values: Sequence[str], wanted: Sequence[str]) -> bool:
    limits = [amount_of(text) for text in wanted]
    price = amount_of(values[0])
    if price is None or None in limits:
        return False
    if test in ("differs", "has_none"):
        return price not in limits
    return price in limits and (test != "has_all" or set(limits) == {price})


def _is_text(condition: TypedCondition, values: Sequence[str]) -> bool:
    mine = {_key(condition.of, value) for value in values}
    wanted = {_key(condition.of, value) for value in condition.values}
    match condition.test:
        case "contains":
            return any(str(w) in str(m) for m in mine for w in wanted)
        case "has_all":
            return wanted <= mine
        case "differs" | "has_none":
            return not wanted & mine
    return bool(wanted & mine)


def _key(of: str, text: str) -> str | Decimal:
    """Return what two texts are the same by: a number in a custom field is one however it is spelled."""
    if ".cf_" in of and (number := amount_of(text)) is not None:
        return number
    folded = " ".join(text.split()).casefold()
    return folded.removeprefix("user:") if of == "responsible" else folded
