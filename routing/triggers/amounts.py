"""Numbers as people and CRMs write them: with spaces between thousands, a comma or a point before the fraction."""

from __future__ import annotations

import re
from decimal import Decimal

_SIGNS = str.maketrans({"−": "-", "\u2009": " ", "\u202f": " ", "\u00a0": " ", "'": " ", "’": " "})
_FORMS = (
    re.compile(r"([+-]?[0-9]{1,30})(?:[.]([0-9]{1,30}))?"),
    re.compile(r"([+-]?[0-9]{1,30})[,]([0-9]{1,30})"),
    re.compile(r"([+-]?[0-9]{1,3}(?: [0-9]{3}){1,9})(?:[.,]([0-9]{1,30}))?"),
    re.compile(r"([+-]?[0-9]{1,3}(?:,[0-9]{3}){1,9})[.]([0-9]{1,30})"),
    re.compile(r"([+-]?[0-9]{1,3}(?:[.][0-9]{3}){1,9})[,]([0-9]{1,30})"),
    re.compile(r"([+-]?[0-9]{1,3}(?:,[0-9]{3}){2,9}|[+-]?[0-9]{1,3}(?:[.][0-9]{3}){2,9})()"),
)
_TWO_MEANINGS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
_BETWEEN_THOUSANDS = str.maketrans("", "", " ,.")


def amount_of(text: str) -> Decimal | None:
    """Return the number that a text is. None: it is none, or has two meanings, as "50,000" has."""
    plain = text.translate(_SIGNS).strip()
    if _TWO_MEANINGS.fullmatch(plain):
        return None
    for form in _FORMS:
        if found := form.fullmatch(plain):
            whole, fraction = found[1].translate(_BETWEEN_THOUSANDS), found[2] or "0"
            return Decimal(f"{whole}.{fraction}")
    return None
