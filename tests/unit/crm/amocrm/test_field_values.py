"""Custom fields as one text: the same values give the same text, and nothing that the CRM sends raises."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.amocrm.fields import field_values

_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([{"value": "3 rooms", "enum_id": 11}], "3 rooms"),
        ([{"value": "one", "enum_id": 1}, {"value": "two", "enum_id": 2}], "one\ntwo"),
        ([{"value": True}], "true"),
        ([{"value": 12.5}], "12.5"),
        ([{"value": {"name": "ООО", "vat_id": "77"}}], '{"name":"ООО","vat_id":"77"}'),
        ([{"value": "x" * 300}], "x" * 256),
        ([{"value": "a\x00b\ud800"}], "a\ufffdb?"),
    ],
)
def test_what_a_field_holds_is_one_text(values: object, text: str) -> None:
    assert orjson.loads(field_values([{"field_id": 7, "field_code": None, "values": values}])) == {"7": text}


@pytest.mark.parametrize("values", [[], None, [{"value": None}], [{"value": ""}], "text"])
def test_an_empty_field_is_none(values: object) -> None:
    assert field_values([{"field_id": 7, "values": values}]) == "{}"


def test_numbers_are_told_of_elsewhere() -> None:
    assert (
        field_values([{"field_id": 1, "field_code": "PHONE", "values": [{"value": "79000000001"}]}]) == "{}"
    )


def test_the_order_of_fields_does_not_matter() -> None:
    fields = [{"field_id": i, "values": [{"value": str(i)}]} for i in (9, 7, 8)]
    assert field_values(fields) == field_values(fields[::-1])


@given(
    st.lists(
        st.fixed_dictionaries(
            {"field_id": _ANYTHING, "values": st.lists(st.fixed_dictionaries({"value": _ANYTHING}))}
        )
    )
)
def test_nothing_raises(stored: list[object]) -> None:
    assert isinstance(orjson.loads(field_values(stored)), dict)


@given(_ANYTHING)
def test_nothing_else_than_a_list_raises_either(stored: object) -> None:
    assert isinstance(orjson.loads(field_values(stored)), dict)
