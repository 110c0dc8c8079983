"""Phone numbers as people read them, whole or masked."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers

from gateway.web.words.numbers import NBSP

HIDDEN = "•••"
SEEN_AT_THE_END = 4
"""Digits behind the hidden ones."""
_NUMBER = re.compile(r"\+?\d[\d\s().\-–]{7,}\d")


@lru_cache(maxsize=20_000)
def phone(number: str) -> str:
    """Spell it. number: E.164, or what the PBX sent, which stays as it is. «+7 900 000-14-23» with spaces that do not break."""
    if not number.startswith("+"):
        return number
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    spelt = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return spelt.replace(" ", NBSP)


def with_middle_hidden(number: str) -> str:
    """«+7 900 •••-14-23»: the three digits before the last four are hidden. What is short is an extension and stays."""
    spelt = phone(number)
    places = [at for at, sign in enumerate(spelt) if sign.isdigit()]
    if len(places) < 8:
        return spelt
    hidden = places[-3 - SEEN_AT_THE_END : -SEEN_AT_THE_END]
    return spelt[: hidden[0]] + HIDDEN + spelt[hidden[-1] + 1 :]


def with_numbers_hidden(text: str) -> str:
    """Hide the middle of whatever in a text may be a phone number: the CRM names clients by their number."""
    return _NUMBER.sub(lambda found: _hidden(found[0]), text)


def _hidden(spelt: str) -> str:
    places = [at for at, sign in enumerate(spelt) if sign.isdigit()]
    if len(places) < 10:
        return spelt
    hidden = places[-3 - SEEN_AT_THE_END : -SEEN_AT_THE_END]
    return spelt[: hidden[0]] + HIDDEN + spelt[hidden[-1] + 1 :]
