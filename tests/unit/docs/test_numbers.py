"""The samples of docs/reference/numbers.md come out as the page says."""

from __future__ import annotations

import re

import pytest

from routing.numbers.normalise import InternalNumber, NoNumber, PublicNumber, normalise
from routing.numbers.stored import stored_numbers
from routing.settings import NumberPolicy
from tests.paths import ROOT

_PAGE = (ROOT / "docs" / "reference" / "numbers.md").read_text(encoding="utf-8")
_ROWS = re.findall(r"^\| (`[^|]*) \| ([^|]*) \|$", _PAGE, re.MULTILINE)
STORED = [
    (value, re.findall(r"`([^`]+)`", numbers))
    for values, numbers in re.findall(r"^- (`.*`): (none|`\+.*`)$", _PAGE, re.MULTILINE)
    for value in re.findall(r"`([^`]+)`", values)
]
SAMPLES = [
    (text, becomes) for cell, becomes in _ROWS for text in re.findall(r"`([^`]+)`", cell) if text != "+"
]


def told(raw: str) -> str:
    match normalise(raw, NumberPolicy()):
        case PublicNumber(e164=e164):
            return f"`{e164}`"
        case InternalNumber():
            return "internal"
        case NoNumber(reason=reason):
            return {"no_number": "no number", "anonymous": "anonymous", "invalid_number": "invalid"}[reason]


def test_the_page_has_samples_of_every_kind() -> None:
    assert len(SAMPLES) > 15
    assert {"internal", "anonymous", "no number", "invalid"} <= {told(text) for text, _ in SAMPLES}


@pytest.mark.parametrize(("text", "becomes"), SAMPLES)
def test_a_sample_becomes_what_the_page_says(text: str, becomes: str) -> None:
    assert becomes.startswith(told(text))


def test_a_stored_value_holds_the_numbers_that_the_page_says() -> None:
    assert len(STORED) > 10
    for value, numbers in STORED:
        assert list(stored_numbers(value, NumberPolicy()).numbers) == numbers, value
