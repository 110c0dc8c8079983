"""Whatever a file or a body holds, it is taken or refused in words with its place; nothing is guessed, nothing hangs."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.admin.config_document import (
    ConfigDocument,
    ConfigRefused,
    ConnectionPart,
    EmployeePart,
    as_yaml,
    read_yaml,
)
from gateway.admin.files.yaml_text import MOST_BYTES, yaml_value
from gateway.admin.input_words import MOST_DEPTH, problems_of, refuse_untakable, validated
from gateway.admin.refused import InputRefused

REFUSED = {
    "a circle": ("a: &a [*a]\n", "line 1, column 8", "refers to another place (*a)"),
    "a circle of objects": ("settings: &a {a: *a}", "line 1, column 18", "refers to another place (*a)"),
    "an anchor used elsewhere": ("a: &b 1\nc: *b", "line 2, column 4", "refers to another place (*b)"),
    "a template without quotes": (
        "name: {{ company }}",
        "line 1, column 8",
        "a list or an object stands where a name is expected",
    ),
    "a list as a name": ("[1,2]: 3", "line 1, column 1", "a list or an object stands where a name is expected"),
    "a bad number by tag": ("name: !!int abc", "line 1, column 7", "the type !!int is not known here"),
    "a bad time by tag": ("a: !!timestamp 2020-99-01", "line 1, column 4", "the type !!timestamp is not known here"),
    "bytes by tag": ("a: !!binary aa", "line 1, column 4", "the type !!binary is not known here"),
    "a set by tag": ("a: !!set {b}", "line 1, column 4", "the type !!set is not known here"),
    "Python by tag": ("a: !!python/name:os.system", "line 1, column 4", "the type !!python/name:os.system is not known"),
    "a deep list": ("[" * 2000, "line 1, column 51", f"more than {MOST_DEPTH} levels stand in one another"),
    "a character beyond all": ('a: "\\UFFFFFFFF"', "line 1, column 7", "holds an escape that is no character"),
    "a bell": ("a: 1\nb: '\x07'", "line 2", "holds a character that no YAML file may hold"),
    "two documents": ("a: 1\n---\nb: 2", "line 2, column 1", "a second document begins here"),
    "a name twice": ("a: 1\n'a': 2", "line 2, column 1", "'a' stands here twice"),
    "no end": ("a: [1,", "line 1, column 7", "expected the node content"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_cannot_be_taken_is_refused_with_its_place(case: str) -> None:
    text, place, words = REFUSED[case]
    with pytest.raises(ConfigRefused) as refused:
        read_yaml(text)
    (problem,) = refused.value.problems
    assert (problem.path, problem.message[: len(words)]) == (place, words)


def test_a_file_that_is_too_long_is_not_read() -> None:
    with pytest.raises(InputRefused, match=f"longer than {MOST_BYTES} bytes"):
        yaml_value("# " + "x" * MOST_BYTES)


def test_plain_words_mean_what_people_mean() -> None:
    text = "{a: 0101, b: 10:30, c: no, d: 7, e: 1.5, f: true, g: ~, h: '7', i: , j: 2026-01-02, k: 99999999999999999999}"
    assert yaml_value(text) == {
        "a": "0101", "b": "10:30", "c": "no", "d": 7, "e": 1.5, "f": True, "g": None, "h": "7", "i": None,
        "j": "2026-01-02", "k": "99999999999999999999",
    }  # fmt: skip


_YAML = st.text(
    st.sampled_from("ab1 0-:,[]{}&*!|>'\"%@`#?\n~\t\\uUx.<=\x00\x85\ud800é_FnN"), max_size=60
) | st.text(max_size=60)


def _told_of_file(text: str) -> list[tuple[str, str]]:
    try:
        read_yaml(text)
    except ConfigRefused as refused:
        return [(p.path, p.message) for p in refused.problems] or [("", "")]
    return []


def _told_of_body(body: Any) -> list[tuple[str, str]]:
    try:
        refuse_untakable(body, "body")
        validated(ConfigDocument, body)
    except InputRefused as refused:
        return [(refused.field, refused.message)]
    except ValidationError as err:
        return problems_of(err, "body") or [("", "")]
    return []


@settings(max_examples=500)
@given(_YAML)
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    for whole in (text, f"settings: {text}", f"employees:\n  - {text}"):
        assert all(place and words for place, words in _told_of_file(whole))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
_SECTIONS = st.dictionaries(st.sampled_from(sorted(ConfigDocument.model_fields)), _JSON, max_size=4)


@settings(max_examples=300)
@given(_SECTIONS)
def test_any_object_is_a_document_or_refused_in_words(body: dict[str, Any]) -> None:
    assert all(place and words for place, words in _told_of_body(body))


@given(st.integers(MOST_DEPTH + 1, 250), st.booleans())
def test_what_is_too_deep_is_refused_before_it_is_looked_at(depth: int, is_list: bool) -> None:
    body = orjson.loads("[" * depth + "]" * depth if is_list else '{"a":' * depth + "1" + "}" * depth)
    with pytest.raises(InputRefused, match="levels stand in one another"):
        refuse_untakable(body, "body")


def test_a_whole_number_stands_for_a_text_of_its_digits_and_nothing_else_is_guessed() -> None:
    person = {"id": "a", "name": "A", "extensions": [777], "numbers": [74991112244]}
    document = validated(ConfigDocument, {"employees": [person]})
    assert document.employees is not None
    assert (document.employees[0].extensions, document.employees[0].numbers) == (["777"], ["74991112244"])
    for bad in ({"extensions": [1.5]}, {"extensions": [True]}, {"is_senior": "true"}, {"extensions": "777"}):
        with pytest.raises(ValidationError):
            validated(ConfigDocument, {"employees": [{"id": "a", "name": "A", **bad}]})


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30) | st.sampled_from(
    ["yes", "0101", "~", "null", "true", "1e3", "0x1F", "<<", "*a", "&b", "!c", ": x", "- y", "a\x85b", "777", "-0.5", "1_0"]
)  # fmt: skip


@settings(max_examples=300)
@given(_TEXT.filter(bool), _TEXT)
def test_what_is_written_is_read_as_it_was(name: str, text: str) -> None:
    document = ConfigDocument(
        name=name,
        employees=[EmployeePart(id="x", name=name, group=text)],
        connections=[
            ConnectionPart(name="x", kind="generic", settings={"machines": text, "extension_digits": 4})
        ],
    )
    assert read_yaml(as_yaml(document)) == document
