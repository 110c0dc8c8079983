"""A number that a person may give has a least and a most, wherever it is given: none is too large for what counts it."""

from __future__ import annotations

from collections.abc import Iterator
from types import NoneType
from typing import Any, get_args

import pytest
from annotated_types import Ge, Le

from gateway.admin.input_words import is_counted, whole_number
from gateway.admin.refused import InputRefused
from gateway.api.openapi import describe
from gateway.api.resources import ROUTES
from gateway.cli import all_commands
from gateway.settings import Settings

JUDGED_BY_SERVICES = {"backfill --days", "NewToken.days", "RateBody.rate", "CallingHours.days"}
"""In words of their own: tests/integration/api/nonsense.py, test_tokens.py."""


def numbers_of_the_api() -> Iterator[tuple[str, dict[str, Any]]]:
    """(where, schema) of each in what is sent to it."""
    description = describe(ROUTES)
    schemas, seen = description["components"]["schemas"], set()
    waiting = [
        (f"{path} {place['name']}", place["schema"])
        for path, methods in description["paths"].items()
        for said in methods.values()
        for place in said["parameters"]
    ] + [
        ("", said["requestBody"]["content"]["application/json"]["schema"])
        for methods in description["paths"].values()
        for said in methods.values()
        if "requestBody" in said
    ]
    while waiting:
        where, schema = waiting.pop()
        if name := schema.get("$ref", "").rpartition("/")[2]:
            if name not in seen:
                seen.add(name)
                waiting.append((name, schemas[name]))
            continue
        if schema.get("type") in ("integer", "number") and "const" not in schema:
            yield where, schema
        waiting += [(f"{where}.{field}", part) for field, part in schema.get("properties", {}).items()]
        waiting += [
            (where, part)
            for kind in ("items", "additionalProperties")
            if isinstance(part := schema.get(kind), dict)
        ]
        waiting += [(where, part) for kind in ("anyOf", "oneOf", "allOf") for part in schema.get(kind, ())]


def test_every_number_that_the_api_takes_has_bounds() -> None:
    found = list(numbers_of_the_api())
    assert len(found) > 20
    endless = {
        where
        for where, schema in found
        if not (
            {"minimum", "exclusiveMinimum"} & schema.keys()
            and {"maximum", "exclusiveMaximum"} & schema.keys()
        )
    }
    assert endless - JUDGED_BY_SERVICES == set()


def test_every_number_that_a_command_takes_has_bounds() -> None:
    found, endless = 0, set()
    for name, command in all_commands().items():
        for parameter in command.params:
            taken: Any = getattr(parameter, "type_descriptor", None)
            if taken is None or not {int, float} & {taken.annotation, *get_args(taken.annotation)}:
                continue
            found += 1
            info = taken.parameter_info
            if info.min is None or info.max is None:
                endless.add(f"{name} {parameter.opts[0]}")
    assert found > 10
    assert endless - JUDGED_BY_SERVICES == set()


def test_every_number_of_the_settings_has_bounds() -> None:
    found, endless = 0, []
    for name, field in Settings.model_fields.items():
        if not {int, float} & ({field.annotation, *get_args(field.annotation)} - {NoneType}):
            continue
        found += 1
        bounds = {type(part) for part in field.metadata}
        if not {Ge, Le} <= bounds:
            endless.append(name)
    assert found > 10
    assert endless == []


@pytest.mark.parametrize("text", ["", "-1", "+1", " 1", "1_0", "1.0", "１２", "²", "٣", "9" * 19, "1" * 5000])
def test_ids_are_plain_digits_and_no_more_than_the_database_counts(text: str) -> None:
    assert not is_counted(text)


@pytest.mark.parametrize("text", ["", "-", "--1", "1_0", "１２", "9" * 19, "1" * 5000])
def test_what_is_no_whole_number_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(InputRefused) as refused:
        whole_number("days", text)
    assert refused.value.remedy


def test_plain_digits_are_read() -> None:
    assert (whole_number("days", "-7"), whole_number("days", "9" * 18)) == (-7, 10**18 - 1)
    assert is_counted("0")
    assert not is_counted("1000", 3)
