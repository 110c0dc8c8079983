"""No whole phone number and no secret comes through, whatever it is nested in and however it is spelled."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.masking import (
    HIDDEN,
    is_secret,
    mask_digits,
    mask_error,
    mask_number,
    mask_quoted,
    mask_text,
    mask_trace,
    mask_value,
)

SECRET = "hush-hush-Zx9"
digits = st.text("0123456789", min_size=9, max_size=14)
numbers = digits.map(lambda d: f"+7{d}")
anything = st.recursive(
    st.none() | st.booleans() | st.text(max_size=20) | st.integers(-999, 999),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@dataclass
class Holder:
    inner: Any


class Unspeakable:
    def __str__(self) -> str:
        raise RuntimeError("no")


WRAPS = (
    lambda v: {"client": v},
    lambda v: [v, 1],
    lambda v: ("pair", v),
    lambda v: {str(v): 1},
    lambda v: str(v).encode(),
    lambda v: ValueError(f"cannot call {v} back"),
    lambda v: Holder(v),
    lambda v: f"text with {v} in it",
    lambda v: {"deep": [{"deeper": (v,)}]},
    lambda v: {v},
)


def bare(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


@given(numbers, st.lists(st.sampled_from(WRAPS[:-1]), max_size=5), anything)
def test_no_whole_number_comes_through(number: str, wraps: list[Any], beside: Any) -> None:
    value: Any = number
    for wrap in wraps:
        value = wrap(value)
    shown = json.dumps(mask_value({"beside": beside, "value": value}), ensure_ascii=False)
    assert number[1:] not in shown


@given(
    st.lists(st.sampled_from(WRAPS[:-1]), max_size=5),
    st.sampled_from(["password", "access_token", "api_salt"]),
)
def test_no_secret_comes_through_under_its_name(wraps: list[Any], name: str) -> None:
    value: Any = {name: SECRET}
    for wrap in wraps:
        value = wrap(value)
    assert SECRET not in json.dumps(mask_value(value))


@pytest.mark.parametrize("deep", range(12))
def test_a_number_is_hidden_at_any_depth(deep: int) -> None:
    value: Any = "+79161234567"
    for _ in range(deep):
        value = [{"in": value}]
    assert "9161234567" not in json.dumps(mask_value(value))


@pytest.mark.parametrize(
    "number",
    [
        "+79161234567",
        "89161234567",
        "8 (916) 123-45-67",
        "+7 916 123 45 67",
        "7916-123-45-67",
        "+7.916.123.45.67",
        "8‑916‑123‑45‑67",
        "1234567",
        "a79161234567",
        "client:79161234567:x",
    ],
)
def test_a_number_is_hidden_however_it_is_spelled(number: str) -> None:
    shown = mask_text(f"Call {number} back")
    assert HIDDEN in shown
    assert bare(number) not in bare(shown)
    assert mask_text(shown) == shown


@pytest.mark.parametrize("value", [79161234567, 79161234567.0, -79161234567])
def test_a_number_kept_as_an_integer_is_one_too(value: float) -> None:
    assert "9161234567" not in json.dumps(mask_value({"client": value}))


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-26 00:12:42.123456+00:00",
        "127.0.0.1:8080 and 192.168.100.200",
        "decision 0b8f2c1e-1234-4567-8901-123456789012",
        "took 0.25 s, 123456 bytes",
        "extension 101 of 2000",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ],
)
def test_what_is_no_number_stays_readable(text: str) -> None:
    assert mask_text(text) == text


@pytest.mark.parametrize("value", [0.123456789012, 1, 999_999, True, None])
def test_figures_stay_figures(value: object) -> None:
    assert mask_value(value) is value


@pytest.mark.parametrize(
    "text",
    [
        f"GET /pbx/office/lookup?token={SECRET}&did=1",
        f"/pbx/office/lookup?token%3D{SECRET}",
        f"Authorization: Bearer {SECRET}",
        f"authorization: {SECRET}",
        f"Cookie: session={SECRET}; other=1",
        f"X-Api-Key: {SECRET}",
        f'{{"client_secret": "{SECRET}"}}',
        f"{{'password': '{SECRET}'}}",
        f"{{'api_key': b'{SECRET}'}}",
        f"('Authorization', '{SECRET}')".replace(", ", ": "),
        f"postgresql://callmatrix:{SECRET}@db.example/callmatrix",
        f"POST /crm/sales/webhooks/{SECRET}?x=1",
        f"POST /sms/sales/vendor/{SECRET}",
        f"https://a.example/channels/telegram/{SECRET} refused",
        f"Bearer {SECRET}",
        f"no answer of https://api.telegram.org/bot123456789:AAH-{SECRET}_0123456789_0123456789/getMe",
    ],
)
def test_a_secret_in_a_text_is_hidden(text: str) -> None:
    assert SECRET not in mask_text(text)
    assert mask_text(mask_text(text)) == mask_text(text)


def test_headers_in_pairs_are_known_by_their_names() -> None:
    assert SECRET not in json.dumps(mask_value([("Authorization", SECRET), (b"Cookie", SECRET.encode())]))


def test_what_cannot_be_shown_costs_only_itself() -> None:
    assert mask_value({"a": Unspeakable(), "b": 1})["b"] == 1


def test_a_value_that_holds_itself_ends() -> None:
    loop: list[Any] = ["+79161234567"]
    loop.append(loop)
    assert "9161234567" not in json.dumps(mask_value(loop))


@pytest.mark.parametrize(
    ("number", "masked"),
    [("+79161234567", "+7916***67"), ("9161234567", "9161***67"), ("+372712", "+3***12")],
)
def test_first_and_last_digits_stay(number: str, masked: str) -> None:
    assert mask_number(number) == masked


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("8 (916) 123-45-67 Anna", "8 (916) ***-**-67 Anna"),
        ("+7916x12 34", "+7916x** 34"),
        ("123456", "123456"),
    ],
)
def test_of_a_value_that_could_not_be_read_the_middle_digits_are_hidden(value: str, masked: str) -> None:
    assert mask_digits(value) == masked


@pytest.mark.parametrize(
    "name", ["token", "X-Auth-Token", "client_secret", "api_key", "sign", "vpbx_api_salt"]
)
def test_secrets_are_known_by_name(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", ["account", "assigned", "design", "code", "connection", "signal"])
def test_other_names_are_no_secrets(name: str) -> None:
    assert not is_secret(name)


NAMES = st.text(st.characters(categories=["L", "M"], min_codepoint=0xC0), min_size=3, max_size=20)
REFUSALS: tuple[Callable[[str], Exception], ...] = (
    lambda name: KeyError(name),
    lambda name: ValueError(f"could not convert string to float: {name!r}"),
    lambda name: asyncpg.DataError(f"invalid input for query argument $3: {name!r} (expected str, got int)"),
    lambda name: asyncpg.UniqueViolationError(
        f'duplicate key\nDETAIL:  Key (account_id, name)=(main, {name} "x") already exists.'
    ),
    lambda name: asyncpg.NotNullViolationError(f"null value\nDETAIL:  Failing row contains (main, {name})."),
    lambda name: asyncpg.InvalidTextRepresentationError(f'invalid input syntax for type integer: "{name}"'),
)


@given(NAMES, st.sampled_from(REFUSALS))
def test_what_an_error_quotes_of_what_was_sent_is_nobodys_business(
    name: str, refused: Callable[[str], Exception]
) -> None:
    err = refused(name)
    try:
        try:
            raise err
        except Exception as first:
            raise ExceptionGroup("several", [first, KeyError(name)]) from first
    except ExceptionGroup as group:
        trace = "".join(traceback.format_exception(group))
    shown = [mask_error(err), json.dumps(mask_value({"why": err}), ensure_ascii=False), mask_trace(trace)]
    assert [text for text in shown if name in text] == []
    assert f'File "{__file__}"' in shown[2]
    assert "raise ExceptionGroup(" in shown[2]


@pytest.mark.parametrize(
    "message",
    [
        'password authentication failed for user "callmatrix"',
        'new row for relation "call" violates check constraint "call_state_check"',
        "'NoneType' object has no attribute 'name'",
        "[Errno 111] Connect call failed ('127.0.0.1', 5432)",
        "'utf-8' codec can't decode byte 0xd0 in position 3: unexpected end of data",
    ],
)
def test_what_an_error_names_of_the_program_stays_readable(message: str) -> None:
    assert mask_quoted(message) == message
    assert mask_quoted('invalid input syntax for type integer: "anna"').endswith(f'integer: "{HIDDEN}"')
