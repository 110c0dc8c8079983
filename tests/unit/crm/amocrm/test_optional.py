"""What an item can do without, and which part of it a refusal means."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.amocrm.optional import blamed, name_of, optional_parts, trials, without


def field(id: int) -> dict[str, Any]:
    return {"field_id": id, "values": [{"value": "x"}]}


PHONE = {"field_code": "PHONE", "values": [{"value": "+79160000001"}]}
PAIR: dict[str, Any] = {
    "name": "Deal",
    "custom_fields_values": [field(1), field(2), field(3)],
    "tags_to_add": [{"name": "t"}],
    "_embedded": {"contacts": [{"name": "C", "custom_fields_values": [PHONE, field(9)]}]},
}
NOTE = {"entity_id": 1, "params": {"uniq": "c", "link": "https://…", "phone": "+7"}}


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("custom_fields_values.1.values.0.value", ["2"]),
        ("0.custom_fields_values.1.field_id", ["2"]),
        ("custom_fields_values", ["1", "2", "3"]),
        ("tags_to_add.0.name", ["tags_to_add"]),
        ("_embedded.contacts.0.custom_fields_values.1.values.0.value", ["9"]),
    ],
)
def test_a_path_means_the_part_that_holds_it(path: str, names: list[str]) -> None:
    parts = optional_parts("/leads/complex", PAIR)
    assert [name_of(PAIR, part) for part in blamed(parts, [path]) or []] == names


@pytest.mark.parametrize(
    "path", ["pipeline_id", "_embedded.contacts.0.custom_fields_values.0.values.0.value", "name"]
)
def test_what_an_item_cannot_do_without_is_refused(path: str) -> None:
    parts = optional_parts("/leads/complex", PAIR)
    assert blamed(parts, [path]) is None
    assert blamed(parts, ["tags_to_add", path]) is None


def test_a_refusal_that_names_nothing_means_nothing_in_particular() -> None:
    assert blamed(optional_parts("/leads", PAIR), [""]) == []


def test_the_link_of_a_call_can_be_left_out_and_its_number_cannot() -> None:
    parts = optional_parts("/contacts/notes", NOTE)
    assert without(NOTE, parts) == {"entity_id": 1, "params": {"uniq": "c", "phone": "+7"}}


@given(st.sets(st.integers(0, 4)))
def test_leaving_out_any_parts_leaves_the_others_as_they_were(chosen: set[int]) -> None:
    parts = optional_parts("/leads/complex", PAIR)
    assert len(parts) == 5
    slim = without(PAIR, [parts[n] for n in chosen])
    left = optional_parts("/leads/complex", slim)
    kept = [name_of(PAIR, part) for n, part in enumerate(parts) if n not in chosen]
    assert [name_of(slim, part) for part in left] == kept
    assert slim["_embedded"]["contacts"][0]["custom_fields_values"][0] == PHONE


def test_of_few_each_is_tried_alone_and_of_many_all_at_once() -> None:
    few, many = [("a",), ("b",)], [("f", n) for n in range(9)]
    assert list(trials(few)) == [[("a",)], [("b",)], few]
    assert list(trials(many)) == [many]
    assert list(trials([])) == []
