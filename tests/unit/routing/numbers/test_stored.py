"""What people and imports leave in the phone field of a CRM: every number is found, and nothing else becomes one."""

from __future__ import annotations

import re
import time
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from routing.numbers.normalise import PublicNumber, normalise
from routing.numbers.stored import MOST_NUMBERS, MOST_TEXT, StoredNumbers, extension_beside, stored_numbers
from routing.settings import NumberPolicy
from tests.cases.stored_values import FIRST, NOTHING, ODD_VALUES, SECOND

POLICIES = (
    NumberPolicy(),
    NumberPolicy(area_code="495", internal_digits=3),
    NumberPolicy(area_code="4822", internal_digits=4),
    NumberPolicy(region="UA", eight_is_plus_seven=False),
)


@pytest.mark.parametrize("value", ODD_VALUES)
def test_every_number_of_a_stored_value_is_found(value: str) -> None:
    for policy in POLICIES[:3]:
        found = stored_numbers(value, policy)
        wanted = tuple(n for n in (FIRST, SECOND) if n[-4:] in re.sub(r"\D", "", _ascii(value)))
        assert found == StoredNumbers(wanted), policy


def _ascii(value: str) -> str:
    return "".join(str(int(c)) if c.isdecimal() else c for c in value)


@pytest.mark.parametrize("value", NOTHING)
def test_what_is_no_number_does_not_become_one(value: str) -> None:
    for policy in POLICIES:
        assert stored_numbers(value, policy).numbers == (), policy


def test_a_value_with_digits_enough_and_no_number_counts_as_unread() -> None:
    policy = NumberPolicy()
    for value in ("8-915-100-00", "7,9151E+10", "+7 000 000-00-00", "ИНН 7707083893"):
        assert stored_numbers(value, policy) == StoredNumbers((), is_unread=True), value
    for value in ("", " ", "нет", "101", "доб. 123", "-", "e-mail: a@b.example"):
        assert stored_numbers(value, policy) == StoredNumbers(()), value


def test_numbers_that_differ_in_their_last_two_digits_may_be_written_once() -> None:
    for value, endings in (
        ("8 (916) 555-00-04/05", ("04", "05")),
        ("8 916 555 00 04 и 48", ("04", "48")),
        ("+7 916 555-00-04 / 05/06, Анна", ("04", "05", "06")),
        ("8 916 555-00-04 05/06/2020", ("04",)),
        ("8 916 555-00-04/05.12.2019", ("04",)),
        ("89165550004/05", ("04",)),
    ):
        wanted = tuple(f"+791655500{ending}" for ending in endings)
        assert stored_numbers(value, NumberPolicy()).numbers == wanted, value


def test_a_spreadsheet_s_number_counts_where_none_of_its_digits_is_lost() -> None:
    assert stored_numbers("7.9165550033E+10", NumberPolicy()).numbers == ("+79165550033",)
    assert stored_numbers("7,91655500E+10", NumberPolicy()) == StoredNumbers((), is_unread=True)


def test_local_numbers_take_the_area_code_and_numbers_of_a_house_do_not() -> None:
    policy = NumberPolicy(area_code="4822", internal_digits=3)
    assert stored_numbers("22-33-44, 22-33-45", policy).numbers == ("+74822223344", "+74822223345")
    assert stored_numbers("тел. 22-33-44 Мария", policy).numbers == ("+74822223344",)
    assert stored_numbers("Тверь, дом 223344", policy).numbers == ()


def test_foreign_numbers_stand_beside_those_of_home() -> None:
    values = ["+49 30 901820, 8-915-100-00-01", "375 29 123 45 67", "+44 (0)20 7946 0018"]
    found = [number for value in values for number in stored_numbers(value, NumberPolicy()).numbers]
    assert found == ["+4930901820", FIRST, "+375291234567", "+442079460018"]


subscribers = st.sampled_from(
    ["9151000001", "9161000002", "4951234567", "8123456789", "7012345678", "9039876543"]
)
spellings = st.sampled_from(
    [
        "+7{}{}{}{}",
        "8{}{}{}{}",
        "{}{}{}{}",
        "+7 {} {}-{}-{}",
        "8 ({}) {}-{}-{}",
        "8-{}-{}-{}-{}",
        "7 {} {} {} {}",
        "+7.{}.{}.{}.{}",
        "({}) {}-{}-{}",
    ]
)
joints = st.sampled_from([", ", ";", "; ", " / ", "/", "\n", "\r\n", " и ", " или ", " | ", "  ", " & ", ",", " - Иван, ", "\t", " (моб), ", " +"])  # fmt: skip
before = st.sampled_from(["", "тел. ", "Рабочий: ", "моб.", "WhatsApp: ", "после 18:00 ", "📱", "=", "'", "Иван ", "\u200e", "1) ", "tel:", "№ ", "с 9 до 18 - "])  # fmt: skip
after = st.sampled_from(["", " Иван", " (Мария, бухгалтер)", " WhatsApp", " доб. 123", " после 18:00", " 9:00-18:00", ".0", " 📱", "\u200f", " до 12.05.2024", " #12", " кв. 15", "@c.us", ", ИНН 7707083893"])  # fmt: skip


@st.composite
def one(draw: st.DrawFn) -> tuple[str, str]:
    digits = draw(subscribers)
    spelled = draw(spellings).format(digits[:3], digits[3:6], digits[6:8], digits[8:])
    return f"+7{digits}", spelled


@settings(max_examples=1500, deadline=None)
@given(st.lists(one(), min_size=1, max_size=4), before, after, joints)
def test_any_of_these_values_gives_exactly_its_numbers(
    numbers: list[tuple[str, str]], head: str, tail: str, joint: str
) -> None:
    if joint == " +":  # a plus begins a number with its country code
        numbers = [(e164, e164) for e164, _ in numbers]
        value = head + "".join(f" {spelled}" for _, spelled in numbers) + tail
    else:
        value = head + joint.join(spelled for _, spelled in numbers) + tail
    if tail == ".0" and not numbers[-1][1].isdigit():  # a spreadsheet does so with bare digits
        value = value.removesuffix(tail)
    found = stored_numbers(value, NumberPolicy()).numbers
    assert found == tuple(dict.fromkeys(e164 for e164, _ in numbers)), value


days = st.builds("{:02}.{:02}.{}".format, st.integers(1, 28), st.integers(1, 12), st.integers(1990, 2030))
iso_days = st.builds("{}-{:02}-{:02}".format, st.integers(1990, 2030), st.integers(1, 12), st.integers(1, 28))
times = st.builds("{}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
tax_ids = st.builds(
    "ИНН {}".format, st.from_regex(r"[0-9]{10}(?:[0-9]{2})?", fullmatch=True, alphabet="0123456789")
)
accounts = st.from_regex(r"(?:р/с |счёт )?40[5-8][0-9]{17}", fullmatch=True, alphabet="0123456789р/сч ёт")
money = st.builds(
    "{}{} {}".format,
    st.sampled_from(["", "цена ", "от "]),
    st.integers(1, 10**9).map(lambda n: f"{n:,}".replace(",", " ")),
    st.sampled_from(["руб", "руб.", "₽", "тыс", "EUR", "$"]),
)
orders = st.builds("заказ № {}".format, st.integers(1, 10**8))
nothing = st.one_of(days, iso_days, times, tax_ids, accounts, money, orders)


@settings(max_examples=1500, deadline=None)
@given(
    st.lists(nothing, min_size=1, max_size=4),
    st.sampled_from([", ", "; ", "\n", " и "]),
    st.sampled_from(POLICIES),
)
def test_dates_times_money_and_tax_ids_never_become_numbers(
    parts: list[str], joint: str, policy: NumberPolicy
) -> None:
    assert stored_numbers(joint.join(parts), policy).numbers == ()


@settings(max_examples=800, deadline=None)
@given(one(), nothing, st.booleans())
def test_they_do_not_hide_the_number_beside_them(number: tuple[str, str], other: str, is_first: bool) -> None:
    value = f"{number[1]}, {other}" if is_first else f"{other}, {number[1]}"
    assert stored_numbers(value, NumberPolicy()).numbers == (number[0],)


@settings(max_examples=1500, deadline=None)
@given(
    st.one_of(
        st.text(st.characters(), max_size=300),
        st.text("0123456789+-() .,;/\n@:=#иxдоб", max_size=80),
        st.text("0123456789 ", max_size=60),
    ),
    st.sampled_from(POLICIES),
)
@example("\ud800 89151000001", NumberPolicy())
@example("%ff%ud800 wa.me/", NumberPolicy())
def test_any_text_is_read_and_no_digit_is_made_up(text: str, policy: NumberPolicy) -> None:
    found = stored_numbers(text, policy)
    assert len(found.numbers) == len(set(found.numbers)) <= MOST_NUMBERS
    assert not (found.numbers and found.is_unread)
    digits = "".join(str(int(c)) for c in text if c.isdecimal())
    for e164 in found.numbers:
        assert normalise(e164, policy) == PublicNumber(e164)
        assert e164[-5:] in digits


@settings(max_examples=1000, deadline=None)
@given(st.text("0123456789+-() ", max_size=20), st.sampled_from(POLICIES))
def test_what_a_caller_may_be_a_stored_value_may_be_too(text: str, policy: NumberPolicy) -> None:
    """As far as it is one number: of a longer run of digits the reading that is a list may be the better one."""
    strict = normalise(text, policy)
    if isinstance(strict, PublicNumber) and not re.search(r"\d.* .*\d|\d.*\+", text):
        assert stored_numbers(text, policy).numbers[:1] == (strict.e164,)


def test_a_long_or_wicked_text_costs_little() -> None:
    wicked = ("1 " * MOST_TEXT, "1" * MOST_TEXT, "12.12." * 300, "@." * 600, "1-1-" * 300, "a." * 600 + "/", "руб 111 111" * 90, "http://" * 200, "8 915 " * 200, "(" * 2000 + "1")  # fmt: skip
    for text, policy in product(wicked, POLICIES[1:3]):
        began = time.process_time()
        stored_numbers(text, policy)
        assert time.process_time() - began < 0.5, text[:20]


def test_a_well_formed_value_costs_about_what_the_strict_reader_takes() -> None:
    values = [f"+7916{n:07}" for n in range(20_000)]
    policy = NumberPolicy()
    strict = min(_seconds(lambda: [normalise(v, policy) for v in values]) for _ in range(5))
    stored = min(_seconds(lambda: [stored_numbers(v, policy) for v in values]) for _ in range(5))
    assert stored < 2 * strict


def _seconds(work: object) -> float:
    began = time.process_time()
    assert callable(work)
    work()
    return time.process_time() - began


@pytest.mark.parametrize(
    ("spellings", "extension"),
    [
        ("+7 916 123-45-67 доб. 12", "12"),
        ("8 (916) 123-45-67, доб. 12", "12"),
        ("+79031112233, +79161234567 ext 7", "7"),
        ("+79031112233 доб. 5, +79161234567", None),
        ("+79161234567", None),
        ("", None),
    ],
)
def test_case_37_the_extension_that_is_written_beside_a_number(spellings: str, extension: str | None) -> None:
    assert extension_beside("+79161234567", spellings, NumberPolicy()) == extension
