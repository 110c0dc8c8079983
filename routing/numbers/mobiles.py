"""Whether a number may be a mobile's: who is on a landline reads no text."""

from __future__ import annotations

from functools import lru_cache

from phonenumbers import NumberParseException, PhoneNumberType, number_type, parse

_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


@lru_cache(maxsize=8192)
def may_be_mobile(e164: str) -> bool:
    """Say so by the numbering plan of the country; where that does not tell mobiles apart (USA), any number may be one."""
    try:
        return number_type(parse(e164, None)) in _MOBILE
    except NumberParseException:
        return False
