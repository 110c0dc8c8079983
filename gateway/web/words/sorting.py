"""In which order names stand."""

from __future__ import annotations

import unicodedata

_TWO_DOTS = "\u0308"


def by_name(name: str) -> str:
    """Return what names are sorted by: letters with two dots stand with those without, capitals with small ones."""
    return unicodedata.normalize("NFD", name.lower()).replace(_TWO_DOTS, "")
