"""Codes of authenticators: the RFC's own vectors, and which half minutes count."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.admin.sign_in.totp import code_of, new_totp_secret, step_of, totp_address

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    assert code_of(RFC_SECRET, seconds // 30) == code[-6:]  # RFC 6238, appendix B, has eight digits


def _at(step: int) -> datetime:
    return datetime.fromtimestamp(step * 30 + 7, UTC)


def test_a_code_counts_half_a_minute_before_and_after() -> None:
    code = code_of(RFC_SECRET, 1000)
    assert [step_of(RFC_SECRET, code, _at(step), 0) for step in (998, 999, 1000, 1001, 1002)] == [
        None,
        1000,
        1000,
        1000,
        None,
    ]


def test_no_code_counts_twice_nor_an_older_one() -> None:
    taken = step_of(RFC_SECRET, code_of(RFC_SECRET, 1000), _at(1000), 0)
    assert taken == 1000
    for step in (999, 1000):
        assert step_of(RFC_SECRET, code_of(RFC_SECRET, step), _at(1000), taken) is None
    assert step_of(RFC_SECRET, code_of(RFC_SECRET, 1001), _at(1000), taken) == 1001


@pytest.mark.parametrize("code", ["", "12345", "1234567", "абвгде", "\ud800", "٠٧٠٨١٨"])
def test_what_is_no_code_is_wrong(code: str) -> None:
    assert step_of(RFC_SECRET, code, _at(1000), 0) is None


def test_the_address_in_the_picture_names_login_and_installation() -> None:
    secret = new_totp_secret()
    parts = urlsplit(totp_address(secret, "anna@example.com", "calls.example.com"))
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert parts.path == "/Callmatrix%20calls.example.com%3Aanna%40example.com"
    assert parse_qs(parts.query) == {"secret": [secret], "issuer": ["Callmatrix calls.example.com"]}
