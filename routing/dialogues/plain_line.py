"""A name that somebody outside chose, as one line that turns nothing around it. Pure."""

from __future__ import annotations

import unicodedata

DIRECTIONS = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
"""They turn the order of what stands around them: a name would show as another."""
_BREAKING = ("Cc", "Cs", "Zl", "Zp")


def is_plain(character: str) -> bool:
    """Whether it shows as it is in a table, a log and a terminal."""
    return unicodedata.category(character) not in _BREAKING and character not in DIRECTIONS


def plain_line(text: str, longest: int) -> str:
    """Return it without line breaks, controls and what turns the order of letters; at most so many characters."""
    return " ".join("".join(c if is_plain(c) else " " for c in text).split())[:longest]
