"""One subscriber has one number, however it is spelled; and no number of another is touched by that."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from routing.numbers.normalise import PublicNumber, normalise, thorough
from routing.numbers.plans import spellings
from routing.settings import NumberPolicy

HOMES = ("RU", "UA", "BR", "MX", "AR", "VN", "UZ", "DE", "US")
homes = st.builds(
    NumberPolicy,
    region=st.sampled_from(HOMES),
    eight_is_plus_seven=st.booleans(),
    area_code=st.sampled_from([None, "495", "11"]),
)

SAME = [
    ("AR", "+541166773399", "+54 9 11 6677-3399", "541166773399", "011 15 6677-3399", "11 6677 3399", "+54 11 15 6677 3399"),
    ("AR", "+543814567890", "+5493814567890", "0381 15 456-7890", "381 4567890"),
    ("MX", "+525551234567", "5215551234567", "+52 1 55 5123 4567", "044 55 5123 4567", "01 55 5123 4567", "+52 (01) 55 5123 4567"),
    ("BR", "+5531991886910", "553191886910", "+55 31 9188-6910", "031 9188-6910", "0 15 31 9188-6910", "(31) 99188-6910"),
    ("CO", "+576012345678", "+57 1 2345678", "12345678", "+57 601 2345678"),
    ("VN", "+84701234567", "+84 120 123 4567", "0120 123 4567", "84 70 123 4567"),
    ("CI", "+2250707123456", "+225 07 12 34 56", "07 12 34 56", "+225 07 07 12 34 56"),
    ("BJ", "+2290197123456", "+229 97 12 34 56", "97 12 34 56"),
    ("UA", "+380501234567", "8 050 123 45 67", "80501234567", "+8 050 123 45 67", "8-10-380-50-123-45-67", "+380 8 050 123 45 67"),
    ("AM", "+37491123456", "8 091 12 34 56", "8 91 12 34 56", "091 12 34 56"),
    ("MD", "+37369123456", "8 069 123 456", "069123456"),
    ("KG", "+996555123456", "8 0555 123 456", "0555 123456"),
    ("AZ", "+994501234567", "8 050 123 45 67", "050 123 45 67"),
    ("UZ", "+998901234567", "8 90 123 45 67", "90 123 45 67", "+998 8 90 123 45 67"),
    ("GE", "+995599123456", "8 599 12 34 56", "599 12 34 56"),
    ("TJ", "+992917123456", "8 917 12 34 56"),
    ("TM", "+99366123456", "8 66 12 34 56"),
    ("BY", "+375291234567", "8 029 123 45 67", "8 29 123 45 67", "+375 8 029 123 45 67"),
    ("LT", "+37061234567", "8 612 34567", "0 612 34567"),
    ("LV", "+37121234567", "8 2123 4567"),
    ("EE", "+3725123456", "8 512 3456"),
]  # fmt: skip


@pytest.mark.parametrize(("region", "e164", "spelled"), [(s[0], s[1], one) for s in SAME for one in s[1:]])
def test_every_spelling_of_a_subscriber_at_home_is_one_number(region: str, e164: str, spelled: str) -> None:
    for eight in (True, False):
        policy = NumberPolicy(region=region, eight_is_plus_seven=eight)
        assert normalise(spelled, policy) == PublicNumber(e164), (spelled, policy)


@pytest.mark.parametrize(
    "spelled", ["553191886910", "5215551234567", "+52 1 55 5123 4567", "+55 31 9188-6910", "+54 9 11 6677-3399", "5491166773399"]
)  # fmt: skip
def test_what_only_one_direction_writes_is_read_abroad_too(spelled: str) -> None:
    abroad = {"+5531991886910", "+525551234567", "+541166773399"}
    for home in ("RU", "KZ", "UA", "US", "MX", "BR", "AR"):
        number = normalise(spelled, NumberPolicy(region=home))
        assert isinstance(number, PublicNumber), (home, spelled)
        assert number.e164 in abroad


def test_a_mobile_of_argentina_without_its_area_code_takes_the_office_s() -> None:
    policy = NumberPolicy(region="AR", area_code="11")
    assert normalise("15 6677-3399", policy) == PublicNumber("+541166773399")


def test_what_has_a_reading_in_force_is_not_read_by_an_old_plan() -> None:
    """A caller from New York stays in New York, though Mexico once wrote a 1 there; Brazil's radio mobiles stay short."""
    assert normalise("1 212 555 2368", NumberPolicy(region="MX")) == PublicNumber("+12125552368")
    assert normalise("+55 11 7812 3456", NumberPolicy(region="BR")) == PublicNumber("+551178123456")
    assert normalise("8 916 123 45 67", NumberPolicy(region="UA")) == PublicNumber("+79161234567")


@st.composite
def valid_numbers(draw: st.DrawFn) -> str:
    """Any valid E.164 number of the world."""
    region = draw(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)))
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    kind = draw(st.sampled_from(["mobile", "fixed_line", "toll_free", "voip", "shared_cost"]))
    pattern = metadata and getattr(metadata, kind) and getattr(metadata, kind).national_number_pattern
    assert metadata is not None
    national = draw(st.from_regex(pattern or r"[1-9][0-9]{8}", fullmatch=True, alphabet="0123456789"))
    number = phonenumbers.PhoneNumber(
        country_code=metadata.country_code,
        national_number=int(national),
        italian_leading_zero=national.startswith("0"),
        number_of_leading_zeros=len(national) - len(national.lstrip("0")) or None,
    )
    e164: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    is_valid = phonenumbers.is_valid_number(number) and len(e164) <= 16
    return e164 if is_valid and e164[1:].startswith(str(metadata.country_code) + national) else "+4930901820"


@settings(max_examples=1500, deadline=None)
@given(valid_numbers(), homes)
def test_a_valid_number_of_any_country_is_read_as_it_is(e164: str, policy: NumberPolicy) -> None:
    """But for the 9 of Argentina's mobiles, which is written from abroad only, and numbers as short as extensions (+43 1110)."""
    assume(len(e164) - 1 > policy.internal_digits)
    read = thorough(e164, policy)
    assert normalise(e164, policy) == read
    assert isinstance(read, PublicNumber)
    expected = e164.replace("+549", "+54") if e164.startswith("+549") and len(e164) == 14 else e164
    parsed = phonenumbers.parse(e164)
    if phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) == e164:
        assert read.e164 == expected


@settings(max_examples=1500, deadline=None)
@given(valid_numbers(), homes, homes)
def test_every_spelling_of_a_number_leads_back_to_it(
    e164: str, policy: NumberPolicy, other: NumberPolicy
) -> None:
    assume(len(e164) - 1 > policy.internal_digits)
    read = normalise(e164, policy)
    assert isinstance(read, PublicNumber)
    for spelled in spellings(read.e164):
        assert normalise(spelled, other) == PublicNumber(read.e164), spelled


@settings(max_examples=1500, deadline=None)
@given(
    st.text("0123456789", min_size=5, max_size=15), st.sampled_from(["", "+", "8", "+8", "0", "00"]), homes
)
def test_whatever_is_read_is_read_the_same_again(digits: str, prefix: str, policy: NumberPolicy) -> None:
    """Read once more, at home and elsewhere: the key of a client does not depend on who asks for it."""
    read = normalise(prefix + digits, policy)
    if isinstance(read, PublicNumber):
        for home in (policy, NumberPolicy(), NumberPolicy(region="UA", eight_is_plus_seven=False)):
            assert normalise(read.e164, home) == PublicNumber(read.e164)
