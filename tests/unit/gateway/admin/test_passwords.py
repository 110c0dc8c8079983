"""A password that anybody would try first is refused; a sentence is taken, whatever letters it is written in."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.admin.protection.passwords import PasswordWeak, refuse_weak

ANNA = ("anna.petrova@example.com", "Анна Петрова")


@pytest.mark.parametrize(
    "password",
    [
        "kitty", "123456789", "1234567890", "12345678901234", "0987654321", "qwertyuiop", "qwerty12345", "йцукенгшщз",
        "zxcvbnm123456", "1qaz2wsx3edc", "abcdefghijkl", "aaaaaaaaaaaa", "abcabcabcabc", "хахахахахаха", "абвабвабваб",
        "password123", "Password2024", "P@ssw0rd!!!!", "drowssap2024", "Пароль12345", "пароль2026!", "admin12345678",
        "callmatrix1", "Callmatrix2026", "anna.petrova", "AnnaPetrova1", "Петрова2024!", "avortep.anna", "p3tr0v@2026",
        "ПЕТРОВА-анна", "ｐａｓｓｗｏｒｄ１２", "x" * 201, "example.com.1",
    ],
)  # fmt: skip
def test_what_is_tried_first_is_refused(password: str) -> None:
    with pytest.raises(PasswordWeak) as told:
        refuse_weak(password, ANNA)
    assert (told.value.code, told.value.field) == ("password-weak", "password")
    assert password not in told.value.message + told.value.remedy


@pytest.mark.parametrize(
    "password",
    [
        "a whole sentence", "синий кот у окна", "Tr0ub4dor&3x", "vK3-pq9_Lm2x", "correct horse battery", "今日は良い天気ですね。散歩",
        "anna likes the sea", "пароль от калитки", "x7" * 3 + "Кит и дом",
    ],
)  # fmt: skip
def test_what_nobody_would_try_is_taken(password: str) -> None:
    refuse_weak(password, ANNA)


@given(st.text(max_size=300), st.lists(st.text(max_size=30), max_size=3))
def test_whatever_is_typed_is_judged(password: str, names: list[str]) -> None:
    refused = contextlib.suppress(PasswordWeak)
    with refused:
        refuse_weak(password, names)
        assert 10 <= len(password) <= 200


@given(st.text("abcxyz019-_", min_size=1, max_size=8), st.integers(2, 30))
def test_one_piece_again_and_again_is_refused(piece: str, times: int) -> None:
    with pytest.raises(PasswordWeak):
        refuse_weak(piece * times, ())
