"""One subscriber, several spellings: prefixes that appear in one direction only, and numbering plans that have changed.

Argentina writes a 9 after +54 for calls from abroad to mobiles, and none at home; Mexico wrote a 1 after +52 until 2019;
Brazil's mobiles have had nine digits since 2016, address books and messengers still have eight. What was the Soviet
Union dialled 8 before the national number, and address books kept it where the prefix is 0 or none today.
Sources: ITU national numbering plans and the operators' tables of change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

SOVIET_EIGHT = frozenset({"AM", "AZ", "BY", "EE", "GE", "KG", "LT", "LV", "MD", "TJ", "TM", "UA", "UZ"})
"""Regions whose numbers were dialled with an 8 before them; in Russia and Kazakhstan they still are."""


class Renumbering(NamedTuple):
    """was: a national number of the old plan, as dialled at home or, is_abroad, after the country code. now: its successor."""

    was: re.Pattern[str]
    now: str
    is_abroad: bool = True
    is_home: bool = True


def _was(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


# 2018: eleven digits became ten, each old beginning has one successor.
_VIETNAM = {
    **dict(zip(range(120, 130), (70, 79, 77, 83, 84, 85, 76, 81, 78, 82), strict=True)),
    **{160 + last: 30 + last for last in range(2, 10)},
    186: 56,
    188: 58,
    199: 59,
}

_RENUMBERED: dict[int, tuple[Renumbering, ...]] = {
    52: (
        Renumbering(_was(r"(?:1|01|044|045)([1-9]\d{9})"), r"\1", is_home=False),
        Renumbering(_was(r"(?:01|044|045)([1-9]\d{9})"), r"\1", is_abroad=False),
    ),
    55: (Renumbering(_was(r"(?:0(?:[1-9]\d)?)?([1-9]\d)([689]\d{7})"), r"\g<1>9\2"),),
    57: (Renumbering(_was(r"([124-8]\d{7})"), r"60\1"),),  # fixed lines, 2021
    84: tuple(Renumbering(_was(rf"0?{old}(\d{{7}})"), rf"{new}\1") for old, new in _VIETNAM.items()),
    225: tuple(  # mobiles, 2021: the second digit told the operator, two digits before the number do now
        Renumbering(_was(rf"([04-9]{operator}\d{{6}})"), rf"{new}\1")
        for operator, new in (("[0-3]", "01"), ("[4-6]", "05"), ("[7-9]", "07"))
    ),
    229: (Renumbering(_was(r"([2-9]\d{7})"), r"01\1"),),  # 2024
    # The 8 of home after the country code: `+380 8 050 …`.
    **dict.fromkeys(
        (371, 372, 373, 374, 380, 992, 994, 995, 996, 998),
        (Renumbering(_was(r"80?(\d{7,9})"), r"\1", is_home=False),),
    ),
}
COUNTRY_CODES = {"MX": 52, "BR": 55, "CO": 57, "VN": 84, "CI": 225, "BJ": 229}
"""Those whose numbers have successors, by region."""

_ARGENTINE_MOBILE = _was(r"\A(\+?54)9(\d{10})\Z")
_EARLIER = (
    (_was(r"54([1-3]\d{9})"), (r"549\1",)),
    (_was(r"52(\d{10})"), (r"521\1",)),
    (_was(r"55(\d\d)9([689]\d{7})"), (r"55\1\2",)),
)


def successors_abroad(digits: str) -> Iterator[str]:
    """Return what a number of an old plan, written with its country code, is called today: digits with the country code."""
    for code, plan in _RENUMBERED.items():
        national = digits.removeprefix(str(code))
        if len(national) < len(digits):
            yield from (f"{code}{now}" for now in _successors(national, plan, is_home=False))


def successors_at_home(digits: str, region: str) -> Iterator[str]:
    """Return the same of a number as it was dialled in its country."""
    code = COUNTRY_CODES.get(region)
    if code is not None:
        yield from (f"{code}{now}" for now in _successors(digits, _RENUMBERED[code], is_home=True))


def _successors(national: str, plan: tuple[Renumbering, ...], *, is_home: bool) -> Iterator[str]:
    for old in plan:
        if (old.is_home if is_home else old.is_abroad) and (match := old.was.fullmatch(national)):
            yield match.expand(old.now)


def without_mobile_nine(number: str) -> str:
    """Return a mobile of Argentina as it is called at home, which is how callers are shown; anything else as it is.

    number: with its country code, with or without a `+`."""
    return _ARGENTINE_MOBILE.sub(r"\1\2", number) if len(number) in (13, 14) else number


def earlier_key(e164: str) -> int | None:
    """Under which other number rows may still stand that were stored before one subscriber had one; None = none."""
    return int(f"549{e164[3:]}") if e164.startswith("+54") and len(e164) == 13 else None


def spellings(e164: str) -> tuple[str, ...]:
    """Return the number itself first, and every other international spelling that a CRM may have of it; E.164."""
    digits = e164[1:]
    others = [f"+{match.expand(form)}" for was, forms in _EARLIER if (match := was.fullmatch(digits)) for form in forms]  # fmt: skip
    return (e164, *others)
