"""Which passwords people may choose: long enough, and not what is guessed first. Pure.

What guessers try first, a name of the person, a common word, a row of the keyboard, a sequence, one piece again and again,
counts for nothing; what is left has to do. Nobody is made to mix capitals, digits and signs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from gateway.admin.refused import InputRefused

_LEAST_LENGTH, _LONGEST = 10, 200
_LEAST_LEFT, _LEAST_DIFFERENT = 6, 5
_SHORTEST_WORD = 3
_COMMON = (
    *("password", "passwd", "admin", "administrator", "welcome", "letmein", "secret", "login", "master", "callmatrix"),
    *("пароль", "админ", "администратор", "секрет", "привет", "любовь"),
)  # fmt: skip
_ROWS = (
    *("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890", "qazwsxedcrfvtgbyhnujm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm"),
    *("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю", "abcdefghijklmnopqrstuvwxyz", "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"),
)  # fmt: skip
_RUN = 4
"""So many in a row are a sequence."""
_LOOKS = str.maketrans("013457@$!", "oieastasi")
"""Digits and signs that stand for letters."""


WeakBecause = Literal["short", "long", "repeated", "sequence", "known"]
_SAID: Mapping[WeakBecause, str] = {
    "short": f"the password is too short: take {_LEAST_LENGTH} characters or more",
    "long": f"the password is too long: take {_LONGEST} characters or fewer",
    "repeated": "the password is one piece again and again",
    "sequence": "the password is hardly more than a sequence",
    "known": "the password is hardly more than a name or a common word",
}


class PasswordWeak(InputRefused):
    """It is among the first that anybody would try: too short, or little more than a name, a common word, a sequence or one piece repeated."""

    code = "password-weak"

    def __init__(self, reason: WeakBecause) -> None:
        self.reason = reason
        super().__init__(
            "password",
            _SAID[reason],
            "take several words that do not belong together, or leave it out and one is made up",
        )


def refuse_weak(password: str, names: Iterable[str]) -> None:
    """Raise PasswordWeak. names: of the person, whatever others may know: login, name, e-mail."""
    if len(password) < _LEAST_LENGTH:
        raise PasswordWeak("short")
    if len(password) > _LONGEST:
        raise PasswordWeak("long")
    plain = unicodedata.normalize("NFKC", password).casefold()
    if len(set(plain)) < _LEAST_DIFFERENT or _is_repeated(plain):
        raise PasswordWeak("repeated")
    left = _without_rows(plain)
    if _is_little(left):
        raise PasswordWeak("sequence")
    if _is_little(_without_words(left, [*_words_of(names), *_COMMON])):
        raise PasswordWeak("known")


def _is_little(left: str) -> bool:
    return len(left) < _LEAST_LEFT or len(set(left)) < _LEAST_DIFFERENT - 1


def _is_repeated(text: str) -> bool:
    """Whether it is a piece of at most half its length again and again, the last time perhaps cut off."""
    return any(text[piece:] == text[:-piece] for piece in range(1, len(text) // 2 + 1))


def _without_rows(text: str) -> str:
    """Take away what goes along a row of the keyboard or an alphabet, either way."""
    rows = [*_ROWS, *(row[::-1] for row in _ROWS), *(2 * row for row in ("1234567890", "0987654321"))]
    left, place = [], 0
    while place < len(text):
        run = next(
            (
                n
                for n in range(len(text) - place, _RUN - 1, -1)
                if any(text[place : place + n] in r for r in rows)
            ),
            1,
        )
        if run == 1:
            left.append(text[place])
        place += run
    return "".join(left)


def _without_words(text: str, words: Sequence[str]) -> str:
    """Take the words away, also where digits and signs stand for letters, or it is written backwards."""
    for word in sorted(words, key=len, reverse=True):
        for spelled in (word, word[::-1]):
            for read in (text, text.translate(_LOOKS)):
                while len(read) == len(text) and (place := read.find(spelled)) >= 0:
                    text, read = (t[:place] + t[place + len(spelled) :] for t in (text, read))
    return text


def _words_of(names: Iterable[str]) -> list[str]:
    words = {w for name in names for w in re.findall(r"\w+", unicodedata.normalize("NFKC", name).casefold())}
    return [word for word in words if len(word) >= _SHORTEST_WORD]
