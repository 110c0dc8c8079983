"""Why a call ended, where it is told by the number of a standard: Q.850 (ISDN, up to 127) or SIP (from 300)."""

from __future__ import annotations

from collections.abc import Mapping

from routing.calls.model import Disposition, NumberWord

# 16 (normal) and 26 (answered elsewhere) say nothing about how the call came out.
_Q850: Mapping[int, Disposition] = {
    17: Disposition.BUSY,
    18: Disposition.NO_ANSWER,
    19: Disposition.NO_ANSWER,
    20: Disposition.NO_ANSWER,
    21: Disposition.REJECTED,
    1: Disposition.FAILED,
    3: Disposition.FAILED,
    27: Disposition.FAILED,
    22: Disposition.FAILED,
    28: Disposition.FAILED,
    34: Disposition.FAILED,
    38: Disposition.FAILED,
}
_SIP: Mapping[int, Disposition] = {
    486: Disposition.BUSY,
    600: Disposition.BUSY,
    487: Disposition.CANCELLED,
    408: Disposition.NO_ANSWER,
    480: Disposition.NO_ANSWER,
    403: Disposition.REJECTED,
    603: Disposition.REJECTED,
}


# 1 unallocated, 22 changed, 28 incomplete; 404 not found, 410 gone, 484 incomplete, 604 nowhere. 3 (no route) is the provider's.
_NO_SUCH_NUMBER = frozenset({1, 22, 28, 404, 410, 484, 604})


def number_word_of_code(code: str) -> NumberWord | None:
    return "no_such_number" if _is_code(code) and int(code) in _NO_SUCH_NUMBER else None


def disposition_of_code(code: str) -> Disposition | None:
    """None for what is no number, or says nothing of how the call came out."""
    if not _is_code(code):
        return None
    number = int(code)
    return _SIP.get(number, Disposition.FAILED) if 300 <= number < 700 else _Q850.get(number)


def _is_code(code: str) -> bool:
    return code.isascii() and code.isdigit() and len(code) <= 3
