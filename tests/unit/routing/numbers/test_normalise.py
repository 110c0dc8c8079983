"""Reading numbers: every pitfall is a case file; the short way equals the thorough one."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from routing.numbers.normalise import (
    InternalNumber,
    NoNumber,
    Number,
    PublicNumber,
    digits_of,
    normalise,
    thorough,
    well_formed,
)
from routing.numbers.ranges import national_numbers
from routing.settings import NumberPolicy
from tests.paths import CASES as ALL_CASES

CASES = ALL_CASES / "numbers"


def _cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{path.stem}: {case['why']}: {case['raw']!r:.30}")
        for path in sorted(CASES.glob("*.json"))
        for case in json.loads(path.read_text())
    ]


def _expected(case: dict[str, Any]) -> Number:
    match case["expect"]:
        case {"public": e164, "extension": extension, "is_own": is_own}:
            return PublicNumber(e164, extension, is_own)
        case {"internal": digits}:
            return InternalNumber(digits)
        case {"none": reason}:
            return NoNumber(reason, (case["raw"] or "")[:64])
    raise AssertionError(case)


@pytest.mark.parametrize("case", _cases())
def test_number_is_read_as_the_case_says(case: dict[str, Any]) -> None:
    policy = NumberPolicy.model_validate(case["policy"])
    number = normalise(case["raw"], policy)
    assert (type(number), number) == (type(_expected(case)), _expected(case))
    assert thorough(case["raw"], policy) == number


REGIONS = ("RU", "KZ", "BY", "UA", "UZ", "DE", "US", "VN", "SG", "XX")
policies = st.builds(
    NumberPolicy,
    region=st.sampled_from(REGIONS),
    area_code=st.sampled_from([None, "495", "727", "8", "44"]),
    eight_is_plus_seven=st.booleans(),
    own_numbers=st.just(frozenset({"+79161234567", "+74951234567"})),
    internal_digits=st.integers(2, 6),
)
separators = st.sampled_from(["", "", "", " ", "-", "(", ")", ".", " (", ") "])


@st.composite
def nearly_valid(draw: st.DrawFn) -> str:
    """A number built from the ranges of the metadata, with a digit more, less or changed now and then."""
    region = draw(st.sampled_from(["RU", "KZ", "BY", "UA"]))
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    kind = draw(
        st.sampled_from(["mobile", "fixed_line", "toll_free", "premium_rate", "voip", "general_desc"])
    )
    pattern = getattr(metadata, kind) and getattr(metadata, kind).national_number_pattern
    digits = draw(st.from_regex(pattern or r"[0-9]{10}", fullmatch=True, alphabet="0123456789"))
    change = draw(st.sampled_from(["", "", "", "drop", "add", "set"]))
    at = draw(st.integers(0, len(digits) - 1))
    if change:
        digit = draw(st.sampled_from("0123456789"))
        digits = (
            digits[:at] + {"drop": "", "add": digits[at] + digit, "set": digit}[change] + digits[at + 1 :]
        )
    assert metadata is not None
    code = str(metadata.country_code)
    prefix = draw(
        st.sampled_from(
            [
                "+" + code,
                code,
                " " + code,
                "8",
                "+8",
                " 8",
                "",
                " ",
                "0",
                "+",
                "00" + code,
                "810" + code,
                "+7",
                "7",
                "+78",
            ]
        )
    )
    return prefix + "".join(draw(separators) + digit for digit in digits)


@settings(max_examples=1500, deadline=None)
@given(st.one_of(nearly_valid(), st.text("0123456789 +-().8789", max_size=18)), policies)
@example(" 84912345678", NumberPolicy())
@example("84912345678", NumberPolicy(eight_is_plus_seven=False))
@example("79161234567", NumberPolicy(region="KZ", area_code="8"))
@example("8469055266", NumberPolicy(region="KZ", eight_is_plus_seven=False))
def test_short_way_gives_what_the_thorough_one_gives(raw: str, policy: NumberPolicy) -> None:
    slow = thorough(raw, policy)
    assert normalise(raw, policy) == slow
    fast = well_formed(raw, policy)
    assert fast is None or slow == PublicNumber(fast, None, fast in policy.own_numbers)


@pytest.mark.parametrize(
    "raw",
    [
        "+79161234567",
        "79161234567",
        "89161234567",
        "8(900)000-00-07",
        "9000000007",
        "+7 701 123-45-67",
        " 79000000001",
    ],
)
def test_common_spellings_take_the_short_way(raw: str) -> None:
    assert well_formed(raw, NumberPolicy()) is not None


def test_ranges_of_country_code_seven_are_those_of_phonenumbers() -> None:
    """Every three-digit beginning with a spread of endings, and all endings of the one with the finest grain."""
    valid = national_numbers(7, 10).fullmatch
    endings = ("0000000", "1234567", "2122345", "5912345", "9999999")
    for national in [f"{head:03}{end}" for head in range(200, 1000) for end in endings] + [
        f"{head:06}0000" for head in (*range(710000, 714000, 7), *range(930000, 931000))
    ]:
        number = phonenumbers.parse(f"+7{national}")
        strips_nothing = str(number.national_number) == national
        assert bool(valid(national)) == (phonenumbers.is_valid_number(number) and strips_nothing), national


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(
        st.none(),
        st.text(st.characters(), max_size=300),
        st.text("+0123456789;,#<>@%:=sip tel ext доб.", max_size=64),
    ),
    policies,
)
@example("\ud800", NumberPolicy())
@example("%ud800%ff@", NumberPolicy())
@example("tel:1234567;phone-context=+", NumberPolicy())
def test_any_text_is_answered(raw: str | None, policy: NumberPolicy) -> None:
    number = normalise(raw, policy)
    if isinstance(number, PublicNumber):
        assert number.e164[0] == "+"
        assert number.e164[1:].isascii()
        assert 7 < len(number.e164) <= 16
        assert digits_of(number.e164) == int(number.e164[1:])
    elif isinstance(number, InternalNumber):
        assert len(number.digits) <= policy.internal_digits
    else:
        assert number.reason in {"no_number", "anonymous", "invalid_number"}
        assert len(number.raw) <= 64


@settings(max_examples=200, deadline=None)
@given(nearly_valid(), policies)
@example("88100000000", NumberPolicy(region="BY", eight_is_plus_seven=False))
def test_reading_what_was_read_changes_nothing(raw: str, policy: NumberPolicy) -> None:
    number = normalise(raw, policy)
    if isinstance(number, PublicNumber):
        assert normalise(number.e164, policy) == number._replace(extension=None)


def test_geocoder_stays_out_of_the_process() -> None:
    code = "import sys, routing.numbers; sys.exit('phonenumbers.geocoder' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
