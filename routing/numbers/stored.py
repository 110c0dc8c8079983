"""Every number in a value that a person or an import left in a CRM: several of them, names, labels and times beside.

The strict reader (`normalise`) is for callers: a text is a number there, or none. A plain well-formed value costs no
more here than there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, country_code_for_region

from routing.numbers.beside import only_numbers, plain_signs
from routing.numbers.normalise import (
    MAX_CACHED_TEXT,
    NumberRules,
    PublicNumber,
    public_number,
    read,
    rules_of,
    well_formed,
)
from routing.numbers.spelling import MAX_DIGITS, Plus
from routing.settings import NumberPolicy

MOST_TEXT = 1024
"""Characters that are looked at; CRMs take 256 in a field."""
MOST_NUMBERS = 20
_LEAST_DIGITS = 5
_MOST_GROUPS = 40
_STRAY_DIGITS = 4
"""Between or after numbers: an hour, a short extension, an age. More of them, and it was no list of numbers."""
_LEADING_DIGITS = 2
_WHOLE_DIGITS = 11
_CACHED_VALUES = 4096
_REGION = {str(code): regions[0] for code, regions in COUNTRY_CODE_TO_REGION_CODE.items()}

_SOFT = r" \-().·•_'\"\[\]‐‑‒–—―−－﹣．（）［］"
_PIECE = re.compile(rf"([A-Za-z_]*)([+\d{_SOFT}]*\d[+\d{_SOFT}]*)", re.ASCII)
_LABELS = frozenset({"t", "m", "tel", "mob", "mobile", "phone", "whatsapp", "viber", "telegram", "wa", "tg", "p", "w", "h"})  # fmt: skip
_GROUP = re.compile(r"\d+", re.ASCII)
_TWO_IN_ONE = re.compile(r"([78]\d{10})([78]\d{10})", re.ASCII)


class StoredNumbers(NamedTuple):
    """numbers: E.164, in their order. is_unread: there are digits enough for a number, and none was found."""

    numbers: tuple[str, ...]
    is_unread: bool = False


def extension_beside(number: str, spellings: str, policy: NumberPolicy) -> str | None:
    """Return the extension that is written beside a number ("доб. 12"). number: E.164. spellings: as they are stored, joined by ", "
    (which may stand before an extension too)."""
    pieces = spellings[:MOST_TEXT].split(", ")
    for place, piece in enumerate(pieces):
        for text in (" ".join(pieces[place : place + 2]), piece):
            found = read(text, rules_of(policy))
            if isinstance(found, PublicNumber) and found.e164 == number and found.extension:
                return found.extension
    return None


def stored_numbers(text: str, policy: NumberPolicy) -> StoredNumbers:
    """Read one stored value. Never raises."""
    if len(text) <= MAX_CACHED_TEXT:
        e164 = well_formed(text, policy)
        if e164 is not None:
            return StoredNumbers((e164,))
        return _cached(text, rules_of(policy))
    return _found(text, rules_of(policy))


def region_of(e164: str) -> str:
    """ISO code of the country that a number belongs to; of several with one country code the main one."""
    return next(filter(None, (_REGION.get(e164[1:end]) for end in (2, 3, 4))), "RU")


def _found(text: str, rules: NumberRules) -> StoredNumbers:
    seen = plain_signs(text[:MOST_TEXT])
    numbers = tuple(dict.fromkeys(_scan(seen, rules)))[:MOST_NUMBERS]
    digits = sum(map(str.isdecimal, seen))
    return StoredNumbers(numbers, is_unread=not numbers and digits > rules.internal_digits)


_cached = lru_cache(maxsize=_CACHED_VALUES)(_found)


def _scan(seen: str, rules: NumberRules) -> Iterator[str]:
    left = only_numbers(seen)
    count = 0
    is_bare = not any(map(str.isalpha, seen))
    for match in _PIECE.finditer(left):
        for e164 in _numbers_of(_unglued(match[1], match[2]), rules, is_bare):
            count += 1
            yield e164
    if not count and left == seen:  # whatever the strict reader makes a number of is one here too
        strict = read(seen, rules)
        if isinstance(strict, PublicNumber):
            yield strict.e164


def _unglued(letters: str, piece: str) -> str:
    """Digits that stick to Latin letters are of a name or an id (id79151000001), unless the letters say otherwise."""
    if letters and piece[0].isdigit() and letters.lower() not in _LABELS:
        return piece.lstrip("0123456789")
    return piece


class _Part(NamedTuple):
    """Groups of digits in a row. gaps: how far each is from the one before, 0 = no space, 1 = one, 2 = more than that;
    the first has none."""

    groups: tuple[str, ...]
    gaps: tuple[int, ...]
    plus: Plus

    @property
    def digits(self) -> str:
        return "".join(self.groups)

    def cut(self, first: int, last: int) -> _Part:
        return _Part(
            self.groups[first:last], self.gaps[first : last - 1], self.plus if first == 0 else "none"
        )

    def at_gaps(self, width: int) -> list[_Part]:
        ends = [i + 1 for i, gap in enumerate(self.gaps) if gap >= width]
        return [self.cut(a, b) for a, b in zip([0, *ends], [*ends, len(self.groups)], strict=True)]


def _numbers_of(piece: str, rules: NumberRules, is_bare: bool) -> Iterator[str]:
    for text in re.split(r"(?=\+)", piece):
        groups = tuple(_GROUP.findall(text))[:_MOST_GROUPS]
        if sum(map(len, groups)) < _LEAST_DIGITS:
            continue
        gaps = tuple(map(_width, _GROUP.split(text)[1 : len(groups)]))
        plus: Plus = "written" if text[0] == "+" else "none"
        local = rules if is_bare or len(groups) > 1 else rules._replace(area_code=None)
        yield from _resolved(_Part(groups, gaps, plus), local)


def _width(between: str) -> int:
    spaces = between.count(" ")
    return min(2, spaces) if spaces < 2 or between.strip(" ") != ")" else 1


def _resolved(part: _Part, rules: NumberRules) -> Sequence[str]:
    whole = _number(part, rules)
    if whole is not None and (part.plus == "written" or _is_home(whole, rules)):
        return [whole]
    for width in (2, 1):
        pieces = part.at_gaps(width)
        if len(pieces) > 1 and (found := _each(pieces, rules, width)):
            return found
    if whole is not None:
        return [whole]
    if (two := _TWO_IN_ONE.fullmatch(part.digits)) and len(part.groups) == 1:
        both = [_number(_Part((half,), (), "none"), rules) for half in two.groups()]
        return [e164 for e164 in both if e164] if all(both) else []
    return _parted(part, rules)


def _each(pieces: Sequence[_Part], rules: NumberRules, width: int) -> list[str]:
    """Every piece a number, or a few stray digits; [] when it is not so.

    What stands before the first number may be its beginning: one space sets apart only what is whole without it.
    """
    found: list[str] = []
    is_led = False
    for piece in pieces:
        e164 = _number(piece, rules)
        if e164 is None and len(piece.digits) > (_STRAY_DIGITS if found else _LEADING_DIGITS):
            return []
        if e164 is None:
            is_led = is_led or not found
        elif is_led and not found and width < 2 and len(piece.digits) < _WHOLE_DIGITS:
            return []
        else:
            found.append(e164)
    return found


class _Way(NamedTuple):
    """How the first groups can be read; of two the smaller one is better."""

    stray: int
    abroad: int
    pieces: int
    numbers: tuple[str, ...]


def _parted(part: _Part, rules: NumberRules) -> Sequence[str]:
    """Numbers in a row that nothing sets apart: the reading that leaves the fewest digits over."""
    best: list[_Way | None] = [_Way(0, 0, 0, ()), *[None] * len(part.groups)]
    for first in range(len(part.groups)):
        way = best[first]
        if way is None:
            continue
        for last, further in _ways_on(part, first, way, rules):
            known = best[last]
            if known is None or further[:3] < known[:3]:
                best[last] = further
    end = best[-1]
    return end.numbers if end is not None and not (end.stray and end.abroad) else ()


def _ways_on(part: _Part, first: int, way: _Way, rules: NumberRules) -> Iterator[tuple[int, _Way]]:
    length = 0
    for last in range(first + 1, len(part.groups) + 1):
        length += len(part.groups[last - 1])
        if length > MAX_DIGITS:
            return
        e164 = _number(part.cut(first, last), rules)
        if e164 is not None:
            is_abroad = not (part.plus == "written" and first == 0) and not _is_home(e164, rules)
            yield last, _Way(way.stray, way.abroad + is_abroad, way.pieces + 1, (*way.numbers, e164))
        if way.numbers and length <= _STRAY_DIGITS:
            yield last, way._replace(stray=way.stray + length)


def _number(part: _Part, rules: NumberRules) -> str | None:
    digits = part.digits
    if not max(_LEAST_DIGITS - 1, rules.internal_digits) < len(digits) <= MAX_DIGITS:
        return None
    return public_number(digits, part.plus, rules)


def _is_home(e164: str, rules: NumberRules) -> bool:
    code = country_code_for_region(rules.region)
    return bool(code) and e164.startswith(f"+{code}")
