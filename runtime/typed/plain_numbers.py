"""Numbers as people type them: digits, and nothing else that a programming language would take for a number."""

from __future__ import annotations

import re
from types import NoneType
from typing import Any, get_args

_WHOLE = re.compile(r"[+-]?[0-9]+")
_FRACTION = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def number_kind(annotation: Any) -> type[int] | type[float] | None:
    """Return what a value of this type is read as, where it is a number (or several, or none); None: it may be a text."""
    kinds = {part for part in (get_args(annotation) or (annotation,)) if part is not NoneType}
    if kinds == {int}:
        return int
    return float if kinds and kinds <= {int, float} else None


def is_plain_number(text: str, kind: type[int] | type[float]) -> bool:
    """Whether it is written in digits: not "1_0", " 10 ", "1e3" or digits of other scripts."""
    return (_WHOLE if kind is int else _FRACTION).fullmatch(text) is not None
