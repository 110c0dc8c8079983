"""What does not fit is said in words: no pattern, and no English of the library that judged it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from gateway.admin.config_document import ConfigDocument
from gateway.admin.input_words import (
    FORMS,
    LONGEST_FREE_NAME,
    is_one_line,
    one_line,
    problems_of,
    refuse_odd_name,
    validated,
)
from gateway.admin.refused import InputRefused
from gateway.api.resources import ROUTES
from routing.distribution.template import DistributionTemplate
from routing.triggers.model import Trigger


def _judged(schema: Any) -> Iterator[str]:
    """Return the patterns that the library judges by; those that a service judges stand elsewhere."""
    if isinstance(schema, Mapping):
        if schema.get("type") == "str" and (pattern := schema.get("pattern")):
            yield pattern
        for part in schema.values():
            yield from _judged(part)
    elif isinstance(schema, list | tuple):
        for part in schema:
            yield from _judged(part)


def test_every_pattern_that_something_sent_is_judged_by_has_words() -> None:
    models = {m for route in ROUTES for m in (route.query, route.body) if m is not None} | {ConfigDocument}
    found = {one for model in models for one in _judged(model.__pydantic_core_schema__)}
    assert len(found) >= 5
    assert found - FORMS.keys() == set()


class _Order(BaseModel):
    price: Decimal
    part: Fraction
    bounds: tuple[int, ...]
    path: UUID


def test_what_no_words_were_made_for_is_said_without_those_of_the_library() -> None:
    with pytest.raises(ValidationError) as refused:
        _Order.model_validate({"price": "much", "part": "half", "bounds": 7, "path": "there"})
    assert problems_of(refused.value, "order") == [
        ("price", "must be a number"),
        ("part", "cannot be so"),
        ("bounds", "must be a list"),
        ("path", "must be an id as 8f14e45f-ceea-467f-a1d6-91a1b2c3d4e5"),
    ]


def test_a_time_of_day_is_asked_for_in_words() -> None:
    body = {"name": "t", "quiet_hours": [["25:00", "07:00"]]}
    with pytest.raises(ValidationError) as refused:
        DistributionTemplate.model_validate(body)
    assert problems_of(refused.value, "template") == [
        ("quiet_hours.0.0", "must be a time of day as 09:30, or 24:00 for its end")
    ]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"action": {"do": "sms", "provider": "p", "template": ""}}, "action.template"),
        ({"action": {"do": "sms", "provider": "p"}}, "action.template"),
        (
            {"action": {"do": "callback", "connection": "c", "target": {"kind": "group"}}},
            "action.target.group",
        ),
        ({"action": {"do": "nothing"}}, "action"),
        ({"action": "sms"}, "action"),
        ({"events": [{"on": "entered"}, {"on": "x"}]}, "events.1.on"),
        ({"odd": 1}, "odd"),
    ],
)
def test_a_field_is_called_as_it_stands_in_the_file(changes: dict[str, Any], path: str) -> None:
    right = {"name": "t", "pipeline_id": "1", "events": [{"on": "entered"}]}
    body = {**right, "action": {"do": "callback", "connection": "c"}, **changes}
    with pytest.raises(ValidationError) as refused:
        validated(Trigger, body)
    assert [found for found, _ in problems_of(refused.value, "trigger", body)] == [path]


@pytest.mark.parametrize(
    "name",
    ["{{x}}", "a/b", " a", "a ", "", "..", "-x", "a\nb", "50 %", "a?b", "#1", "x" * (LONGEST_FREE_NAME + 1)],
)
def test_one_rule_says_what_a_template_schedule_or_token_can_be_called(name: str) -> None:
    with pytest.raises(InputRefused) as refused:
        refuse_odd_name("template", name)
    assert refused.value.message == f"'{name}' cannot be the name of a template"


@pytest.mark.parametrize("name", ["Отдел продаж, ночь", "v1.2", "ads (Москва)", "x" * LONGEST_FREE_NAME])
def test_a_plain_name_is_taken(name: str) -> None:
    refuse_odd_name("template", name)


def test_what_a_crm_calls_somebody_becomes_a_name_that_people_may_give() -> None:
    assert one_line(" Анна\r\n  Каренина\x00\u202e ") == "Анна Каренина"
    assert one_line("я" * 300, 200) == "я" * 200
    assert is_one_line("Анна\u00a0К. \U0001f469\u200d\U0001f4bb")


class _Times(BaseModel):
    day: date = date(2026, 1, 1)
    at: AwareDatetime = datetime(2026, 1, 1, tzinfo=UTC)
    part: float = Field(0.5, allow_inf_nan=False)


@pytest.mark.parametrize(
    ("field", "text", "says"),
    [
        ("day", "soon", "must be a day as 2026-12-31"),
        ("at", "soon", "must be a moment as 2026-12-31T10:00:00+03:00"),
        ("at", "2026-12-31T10:00:00", "must say its offset from UTC too"),
        ("part", "nan", "must be a number"),
    ],
)
def test_days_and_moments_are_asked_for_in_our_words(field: str, text: str, says: str) -> None:
    with pytest.raises(ValidationError) as refused:
        _Times.model_validate_strings({field: text})
    [(path, message)] = problems_of(refused.value, "query")
    assert path == field
    assert message.startswith(says)
