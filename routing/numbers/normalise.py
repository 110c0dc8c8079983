"""Telephone numbers as they arrive from PBXs and the CRM, made into the one form that is stored and compared.

`normalise` has two ways to the same answer: a short one for well-formed numbers of country code 7, which is what
callers have while a phone rings, and the thorough one for everything else. A property test holds them equal.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, is_valid_number, parse

from routing.numbers.plans import SOVIET_EIGHT, successors_abroad, successors_at_home, without_mobile_nine
from routing.numbers.ranges import national_numbers, writes_810_abroad
from routing.numbers.spelling import SEPARATORS, Plus, Reason, spelled
from routing.settings import NumberPolicy

MAX_CACHED_TEXT = 32
_CACHED_NUMBERS = 8192
_KEPT_TEXT = 64


class PublicNumber(NamedTuple):
    """A valid number of the public network. e164: `+` and up to 15 digits, one and the same for every spelling of the
    subscriber: the key of the client everywhere. is_own: one of the account's own."""

    e164: str
    extension: str | None = None
    is_own: bool = False


class InternalNumber(NamedTuple):
    """An extension or a short number (101, 112): never E.164, never a client."""

    digits: str


class NoNumber(NamedTuple):
    """Nothing that could be looked up. raw: what arrived, cut to 64 characters; never for logs."""

    reason: Reason
    raw: str


Number = PublicNumber | InternalNumber | NoNumber


class NumberRules(NamedTuple):
    """What of a policy decides how a text is read; two accounts that read alike share what is remembered."""

    region: str
    area_code: str | None
    eight: bool
    internal_digits: int


_SEPARATORS = str.maketrans("", "", SEPARATORS)
_SEVEN_REGIONS = frozenset({"RU", "KZ"})
_is_of_seven = national_numbers(7, length=10).fullmatch


def normalise(raw: str | None, policy: NumberPolicy) -> Number:
    """Read one number. raw: whatever arrived, any text; None when nothing did. Never raises."""
    if raw is not None and len(raw) <= MAX_CACHED_TEXT:
        e164 = well_formed(raw, policy)
        if e164 is not None:
            return PublicNumber(e164, None, e164 in policy.own_numbers)
        number = _cached(raw, rules_of(policy))
    else:
        number = read(raw, rules_of(policy))
    if isinstance(number, PublicNumber) and number.e164 in policy.own_numbers:
        return number._replace(is_own=True)
    return number


def well_formed(raw: str, policy: NumberPolicy) -> str | None:
    """Return the E.164 form of a plainly spelled valid number of country code 7; None = not known, ask `thorough`."""
    if len(raw) == 12 and raw.startswith("+7") and _is_of_seven(raw, 2):
        return raw
    digits = raw if raw.isdecimal() else raw.translate(_SEPARATORS)
    length = len(digits)
    if length == 12:
        return digits if digits.startswith("+7") and _is_of_seven(digits, 2) else None
    if policy.region not in _SEVEN_REGIONS:
        return None
    if length == 11:
        first = digits[0]
        if first == "7":
            return "+" + digits if _is_of_seven(digits, 1) else None
        if first == "8" and policy.eight_is_plus_seven and raw[0] != " ":
            return "+7" + digits[1:] if _is_of_seven(digits, 1) else None
    elif length == 10 and raw[0] != " " and (digits[0] != "8" or policy.eight_is_plus_seven):
        return "+7" + digits if _is_of_seven(digits) else None
    return None


def thorough(raw: str | None, policy: NumberPolicy) -> Number:
    """Return the same as `normalise` without its short cuts: what they are held to."""
    number = read(raw, rules_of(policy))
    if isinstance(number, PublicNumber):
        return number._replace(is_own=number.e164 in policy.own_numbers)
    return number


def digits_of(e164: str) -> int:
    """Return an E.164 number as the integer that the directory is keyed by."""
    return int(e164[1:])


def rules_of(policy: NumberPolicy) -> NumberRules:
    return NumberRules(policy.region, policy.area_code, policy.eight_is_plus_seven, policy.internal_digits)


def read(raw: str | None, rules: NumberRules) -> Number:
    """`thorough` without the question whose number it is."""
    cut = spelled(raw)
    if isinstance(cut, str):
        return NoNumber(cut, (raw or "")[:_KEPT_TEXT])
    if len(cut.digits) <= rules.internal_digits:
        return InternalNumber(cut.digits)
    e164 = public_number(cut.digits, cut.plus, rules)
    if e164 is None:
        return NoNumber("invalid_number", (raw or "")[:_KEPT_TEXT])
    return PublicNumber(e164, cut.extension)


_cached = lru_cache(maxsize=_CACHED_NUMBERS)(read)


def public_number(digits: str, plus: Plus, rules: NumberRules) -> str | None:
    """Return the first valid reading, E.164. Where a number is valid at home and abroad, home wins, unless a `+` was written.

    A number of a plan that is no longer in force is read where there is no other reading of it.
    """
    if plus != "none":
        e164 = _from_abroad(digits, rules.region) or _valid(digits)
        if e164 is None and plus == "written" and not _is_trunk_eight(digits, rules.region):
            return _renumbered(digits)
        if e164 is not None:
            return e164
    return _without_plus(digits, rules) or _renumbered(digits)


def _without_plus(digits: str, rules: NumberRules) -> str | None:
    region, area_code, eight, _ = rules
    e164 = _from_abroad(digits, region)
    if e164 is None and digits[0] == "8" and not eight:
        e164 = _valid(digits)
    e164 = e164 or _at_home(digits, region)
    if e164 is None and eight and len(digits) == 11 and digits[0] == "8":
        e164 = _valid("7" + digits[1:])
    if e164 is None and area_code and len(digits) <= _longest_local(digits, region):
        e164 = _valid(area_code + digits, region)
    if e164 is None and digits[0] == "8" and region in SOVIET_EIGHT:
        e164 = _valid(digits[1:], region) if len(digits) > 1 else None
    # Foreign numbers come without their + too; shorter ones are local numbers that lack an area code.
    return e164 or (_valid(digits) if len(digits) >= 10 else None)


def _at_home(digits: str, region: str) -> str | None:
    return _valid(digits, region) or next(filter(None, map(_valid, successors_at_home(digits, region))), None)


def _renumbered(digits: str) -> str | None:
    return next(filter(None, map(_valid, successors_abroad(digits.removeprefix("00")))), None)


def _longest_local(digits: str, region: str) -> int:
    """Digits of a number that lacks its area code; mobiles of Argentina have a 15 where that stands."""
    return 10 if region == "AR" and digits.startswith("15") else 8


def _is_trunk_eight(digits: str, region: str) -> bool:
    return digits[0] == "8" and (len(digits) == 11 or region in SOVIET_EIGHT)


def _from_abroad(digits: str, region: str) -> str | None:
    """Return a number dialled with an international prefix. `+810…` comes from systems that put a `+` before whatever was dialled."""
    if digits.startswith("00"):
        return _valid(digits[2:])
    if digits.startswith("810") and (writes_810_abroad(region) or region in SOVIET_EIGHT):
        return _valid(digits[3:])
    return None


def _valid(digits: str, region: str | None = None) -> str | None:
    """region: where the digits were dialled; None = they begin with a country code. None when it is no valid number."""
    e164 = _parsed(digits, region)
    if e164 is None:
        return None
    # Some are valid as dialled at home and another number, or none, as E.164 (+375 8100000000): nobody could call back.
    if e164[1:] != digits and _parsed(e164[1:]) != e164:
        return None
    return _one_spelling(e164)


def _one_spelling(e164: str) -> str:
    digits = without_mobile_nine(e164[1:])
    return e164 if digits == e164[1:] or _parsed(digits) is None else f"+{digits}"


def _parsed(digits: str, region: str | None = None) -> str | None:
    """As the metadata of numbering plans has it."""
    if region is None and digits[:1] == "0":
        return None
    try:
        number = parse(digits if region else f"+{digits}", region)
    except NumberParseException:
        return None
    if not is_valid_number(number):
        return None
    e164: str = format_number(number, PhoneNumberFormat.E164)
    return e164 if len(e164) <= 16 else None
