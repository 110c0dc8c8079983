from __future__ import annotations

import pytest

from runtime.exchange import KEPT_CHARACTERS, shown, shown_target


@pytest.mark.parametrize(
    "number", ["+79161234567", "8 (916) 123-45-67", "9161234567", "+7 916 123 45 67", "7916-123-45-67"]
)
def test_numbers_in_texts_are_masked(number: str) -> None:
    body = shown(f'{{"value":"{number}","name":"Call {number} back"}}'.encode())
    assert number not in body
    assert body.count("***") == 2


def test_times_and_ids_stay_readable() -> None:
    text = '{"created_at":1700000000,"id":31000001,"uid":"e9fa1f5ec7ea1d0b9e3b0d5b1a2c0c1f"}'
    assert shown(text.encode()) == text


@pytest.mark.parametrize("key", ["access_token", "refresh_token", "client_secret", "code"])
def test_secrets_are_removed(key: str) -> None:
    assert "hush" not in shown(f'{{"{key}": "hush-hush"}}'.encode())


def test_a_jwt_is_removed_wherever_it_stands() -> None:
    assert "c2lnbmF0dXJl" not in shown(b'{"note":"eyJhbGciOiJI.eyJleHAiOjE3.c2lnbmF0dXJl"}')


def test_a_webhooks_secret_is_removed() -> None:
    assert shown(b'{"destination":"https://a.example/crm/sales/webhooks/hush"}').endswith('webhooks/***"}')


def test_a_searched_number_is_masked_in_the_address() -> None:
    assert shown_target("/api/v4/contacts?query=9161234567&with=leads") == (
        "/api/v4/contacts?query=9161***67&with=leads"
    )


def test_long_bodies_are_cut_and_broken_text_is_shown() -> None:
    assert len(shown(b'"' + b"x" * 100_000 + b'"')) == KEPT_CHARACTERS
    assert shown(b"\xff\xfe") == "��"
    assert shown(None) == ""


def test_a_number_that_json_writes_without_quotes_is_masked_too() -> None:
    assert shown(b'{"id": 1700000000, "number": 79161234567}') == '{"id": 1700000000, "number": 7916***67}'
