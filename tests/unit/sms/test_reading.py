"""Forms of providers, in whichever charset they are."""

from __future__ import annotations

from urllib.parse import quote_from_bytes

import pytest

from sms.errors import SmsWireInvalid
from sms.providers.reading import flat, form_of

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("is_escaped", [True, False])
@pytest.mark.parametrize(
    ("charset", "content_type"),
    [
        ("utf-8", ""),
        ("utf-8", f"{FORM}; charset=windows-1251"),
        ("cp1251", ""),
        ("cp1251", FORM),
        ("cp1251", f"{FORM}; charset=utf-8"),
        ("cp1251", f"{FORM}; charset=windows-1251"),
        ("koi8-r", f"{FORM}; charset=KOI8-R"),
    ],
)
def test_a_form_is_utf_8_else_as_declared_else_windows_1251(
    charset: str, content_type: str, is_escaped: bool
) -> None:
    said = "Стоп".encode(charset)
    value = quote_from_bytes(said).encode() if is_escaped else said
    body = b"phone=%2B79161234567&mes=" + value + b"+2%2B2&empty=&none"
    assert flat(form_of(body, content_type)) == {
        "phone": "+79161234567",
        "mes": "Стоп 2+2",
        "empty": "",
        "none": "",
    }


def test_values_of_one_name_stay_in_order_and_what_cannot_be_stored_is_replaced() -> None:
    assert form_of(b"data%5B0%5D=a&data%5B0%5D=b&x=%00%zz") == {"data[0]": ["a", "b"], "x": ["\ufffd%zz"]}
    assert form_of(b"") == {}


def test_more_fields_than_anybody_sends_are_refused() -> None:
    with pytest.raises(SmsWireInvalid, match="body"):
        form_of(b"a=1&" * 1001)
