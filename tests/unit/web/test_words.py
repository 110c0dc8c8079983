"""How moments, durations, numbers, money and phones are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.web.stream import TOPIC_ROLES
from gateway.web.texts.sentences import TEXTS
from gateway.web.words.phones import phone, with_middle_hidden
from gateway.web.words.words import Words
from runtime.database.changes import Topic

_NOW = datetime(2026, 11, 24, 11, 32, 7, tzinfo=UTC)
_RU = Words(texts=TEXTS["ru"], zone=ZoneInfo("Europe/Moscow"), now=_NOW)
_EN = Words(texts=TEXTS["en"], zone=ZoneInfo("Europe/Moscow"), now=_NOW)


def _plain(text: str) -> str:
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("at", "ru", "en"),
    [
        (_NOW, "14:32", "14:32"),
        (_NOW - timedelta(days=1), "23 ноября, 14:32", "23 Nov, 14:32"),
        (_NOW - timedelta(days=365), "24.11.2025", "24 Nov 2025"),
        # Just after midnight in Moscow, still the day before in UTC.
        (datetime(2026, 11, 23, 21, 5, tzinfo=UTC), "00:05", "00:05"),
    ],
)
def test_a_moment_is_as_long_as_it_has_to_be(at: datetime, ru: str, en: str) -> None:
    assert (_plain(_RU.time(at)), _plain(_EN.time(at))) == (ru, en)


@pytest.mark.parametrize(
    ("seconds", "ru", "en"),
    [
        (0, "0 с", "0 s"),
        (18, "18 с", "18 s"),
        (199, "3 мин 19 с", "3 min 19 s"),
        (5040, "1 ч 24 мин", "1 h 24 min"),
        (3600, "1 ч", "1 h"),
        (3605, "1 ч", "1 h"),
        (183_600, "2 д 3 ч", "2 d 3 h"),
        (-60, "\u22121 мин", "\u22121 min"),
    ],
)
def test_a_duration_has_its_two_greatest_units(seconds: int, ru: str, en: str) -> None:
    assert (_plain(_RU.duration(seconds)), _plain(_EN.duration(seconds))) == (ru, en)


def test_working_time_is_told_in_hours_however_much_it_is() -> None:
    assert [_plain(_RU.working(s)) for s in (540, 5040, 129_600, 129_660)] == [
        "9 мин",
        "1 ч 24 мин",
        "36 ч",
        "36 ч 1 мин",
    ]


def test_what_is_live_says_how_long_ago() -> None:
    assert _plain(_RU.ago(_NOW - timedelta(seconds=4))) == "4 с назад"
    assert _plain(_EN.ago(_NOW - timedelta(seconds=200))) == "3 min ago"
    assert _RU.ago(_NOW) == "сейчас"
    assert _RU.ago(_NOW - timedelta(hours=2)) == "12:32"


def test_numbers_and_money() -> None:
    assert (_plain(_RU.count(1284)), _EN.count(1284)) == ("1 284", "1,284")
    assert (_RU.decimal(2.40), _EN.decimal(2.44)) == ("2,4", "2.4")
    assert (_plain(_RU.percent(0.95)), _EN.percent(0.95)) == ("95 %", "95%")
    assert (_plain(_RU.money(284_000)), _EN.money(284_000)) == ("284 000 ₽", "₽284,000")
    assert _plain(_RU.money(12.5)) == "12,50 ₽"
    assert _plain(_EN.money(3, "BYN")) == "3 Br"


@pytest.mark.parametrize(
    ("number", "spelt", "hidden"),
    [
        ("+79000001423", "+7 900 000-14-23", "+7 900 •••-14-23"),
        ("+4930123456", "+49 30 123456", "+49 3• ••3456"),
        ("104", "104", "104"),
        ("anonymous", "anonymous", "anonymous"),
    ],
)
def test_a_phone_is_spelt_as_people_read_it(number: str, spelt: str, hidden: str) -> None:
    assert _plain(phone(number)) == spelt
    if number != "+4930123456":
        assert _plain(with_middle_hidden(number)) == hidden


@given(st.from_regex(r"\+[1-9][0-9]{8,14}", fullmatch=True))
def test_a_masked_number_cannot_be_read(number: str) -> None:
    whole = [sign for sign in phone(number) if sign.isdigit()]
    shown = [sign for sign in with_middle_hidden(number) if sign.isdigit()]
    assert len(shown) == len(whole) - (3 if len(whole) >= 8 else 0)


def test_every_topic_has_the_role_that_is_told_of_it() -> None:
    assert set(TOPIC_ROLES) == set(get_args(Topic))
