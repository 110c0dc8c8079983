"""Typed conditions: numbers as people write them, sets of tags, any field; the unknown meets nothing and nothing raises."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.triggers.amounts import amount_of
from routing.triggers.conditions import holds
from routing.triggers.facts import TriggerFacts
from routing.triggers.model import CONDITION_TESTS, TypedCondition
from tests.unit.routing.triggers.values import AMOUNT, COLOURS, condition, facts


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("50000", "50000"), ("50 000", "50000"), ("50\u00a0000", "50000"), ("50\u202f000,50", "50000.5"),
        ("50 000,50", "50000.5"), ("50000.5", "50000.5"), ("0,5", "0.5"), ("0,500", "0.5"), ("1,234,567", "1234567"),
        ("1,234.5", "1234.5"), ("1.234,5", "1234.5"), ("1.234.567", "1234567"), ("−7", "-7"), ("+7", "7"),
        ("1'000", "1000"), ("1234,567", "1234.567"), (" 5 ", "5"), ("12.345", "12.345"),
    ],
)  # fmt: skip
def test_a_number_is_read_however_it_is_spelled(text: str, number: str) -> None:
    assert amount_of(text) == Decimal(number)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "много",
        "50,000",
        "5 12",
        "1,2,3",
        "12-3",
        "NaN",
        "Infinity",
        "1e9",
        "٥",
        "1" * 400,
        "5 000 руб",
        "-",
    ],
)
def test_what_is_no_number_or_has_two_meanings_is_none(text: str) -> None:
    assert amount_of(text) is None


@pytest.mark.parametrize(
    ("of", "test", "values", "is_met"),
    [
        ("price", "above", ["50 000"], True),
        ("price", "above", ["60000"], False),
        ("price", "at_least", ["60 000,00"], True),
        ("price", "below", ["60000"], False),
        ("price", "at_most", ["60000"], True),
        ("price", "equals", ["60 000"], True),
        ("price", "one_of", ["1", "60000"], True),
        ("price", "differs", ["60000"], False),
        ("price", "differs", ["a lot"], False),
        ("price", "has_all", ["60000", "1"], False),
        ("tags", "has_any", ["vip", "new"], True),
        ("tags", "has_all", ["vip", "Repeat  order"], True),
        ("tags", "has_all", ["vip", "new"], False),
        ("tags", "has_none", ["new"], True),
        ("tags", "has_none", ["VIP"], False),
        ("tags", "contains", ["repeat"], True),
        ("responsible", "equals", ["5"], True),
        ("responsible", "equals", ["user:5"], True),
        ("responsible", "one_of", ["6", "employee:vasily"], True),
        ("responsible", "differs", ["employee:vasily"], False),
        ("responsible", "differs", ["6"], True),
        ("name", "contains", ["kitchen"], True),
        ("pipeline", "equals", ["10"], True),
        ("stage", "differs", ["12"], True),
        ("contact.name", "equals", ["olga"], True),
        (AMOUNT, "above", ["50000"], True),
        (AMOUNT, "equals", ["50000.5"], True),
        (AMOUNT, "at_most", ["50 000"], False),
        (COLOURS, "has_all", ["red", "blue"], True),
        (COLOURS, "above", ["1"], False),
        ("deal.cf_514", "is_empty", [], True),
        ("deal.cf_514", "differs", ["x"], True),
        ("contact.cf_9", "is_empty", [], True),
        ("contact.cf_9", "is_filled", [], False),
        ("deal.cf_999", "is_empty", [], False),
    ],
)
def test_a_condition_is_met_or_not(of: str, test: str, values: list[str], is_met: bool) -> None:
    assert holds(condition(of, test, *values), facts()) is is_met


@pytest.mark.parametrize("text", ["", "50 000,50 rub", "a lot", "50,000"])
@pytest.mark.parametrize("test", ["above", "at_least", "below", "at_most"])
def test_a_budget_that_cannot_be_read_meets_no_comparison_and_is_no_error(text: str, test: str) -> None:
    """Case 4 of the triggers: text, nothing or two meanings in a field of numbers."""
    assert holds(condition(AMOUNT, test, "1"), facts(deal_fields={"512": text})) is False


ANY_TEXT = st.text(max_size=20) | st.sampled_from(
    ["5", "50 000,5", "50,000", "\n", "employee:x", "user:5", "vip"]
)
OFS = st.sampled_from(
    ["price", "tags", "responsible", "name", "pipeline", "stage", "contact.name", AMOUNT, "contact.cf_9"]
)
CONDITIONS = st.builds(
    TypedCondition,
    of=OFS,
    test=st.sampled_from(CONDITION_TESTS),
    values=st.lists(ANY_TEXT.filter(bool), max_size=4).map(tuple),
)
FIELDS = st.none() | st.dictionaries(st.sampled_from(["512", "9", "514"]), ANY_TEXT)
FACTS = st.builds(
    TriggerFacts,
    deal_id=st.just("7"),
    name=st.none() | ANY_TEXT,
    price=st.none() | st.integers(),
    pipeline_id=st.none() | ANY_TEXT,
    stage_id=st.none() | ANY_TEXT,
    responsible=st.none() | ANY_TEXT,
    employee_id=st.none() | ANY_TEXT,
    tags=st.none() | st.lists(ANY_TEXT, max_size=3).map(tuple),
    deal_fields=FIELDS,
    contact_name=st.none() | ANY_TEXT,
    contact_fields=FIELDS,
    field_names=st.frozensets(st.sampled_from([AMOUNT, "contact.cf_9"])),
)


@given(CONDITIONS, FACTS)
def test_no_condition_raises_and_what_is_not_known_meets_none(
    one: TypedCondition, known: TriggerFacts
) -> None:
    is_met = holds(one, known)
    assert isinstance(is_met, bool)
    if known.values_of(one.of) is None:
        assert is_met is False


@given(CONDITIONS)
def test_a_deal_of_which_nothing_is_known_meets_no_condition(one: TypedCondition) -> None:
    assert holds(one, TriggerFacts(deal_id="7")) is False


OPPOSITES = [("above", "at_most"), ("below", "at_least"), ("is_filled", "is_empty"), ("has_any", "has_none")]


@pytest.mark.parametrize("pair", OPPOSITES)
@given(known=FACTS, of=OFS, values=st.lists(ANY_TEXT.filter(bool), min_size=1, max_size=3))
def test_opposite_tests_are_never_both_met(
    pair: tuple[str, str], known: TriggerFacts, of: str, values: list[Any]
) -> None:
    one, other = (condition(of, test, *values) for test in pair)
    assert not (holds(one, known) and holds(other, known))
