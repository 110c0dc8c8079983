"""A card that is called by its number is no name."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.web.texts.sentences import TEXTS
from gateway.web.words.clients import name_or_number
from gateway.web.words.numbers import NBSP
from gateway.web.words.words import Words

NUMBER = "+79039990002"
SPELT = f"+7{NBSP}903{NBSP}999-00-02"


@pytest.mark.parametrize("name", [None, "", NUMBER, "8 903 999-00-02"])
@pytest.mark.parametrize(("sees", "said"), [(True, SPELT), (False, f"+7{NBSP}903{NBSP}•••-00-02")])
def test_a_number_in_the_place_of_a_name_is_spelt_as_numbers_are(
    name: str | None, sees: bool, said: str
) -> None:
    words = Words(
        texts=TEXTS["ru"],
        zone=ZoneInfo("Europe/Moscow"),
        now=datetime(2026, 11, 28, tzinfo=UTC),
        sees_numbers=sees,
    )
    assert name_or_number(name, NUMBER, words) == said
    assert name_or_number("Анна", NUMBER, words) == "Анна"
