"""The GSM-7 default alphabet (3GPP TS 23.038): which characters it has, and their septets. Pure."""

from __future__ import annotations

from collections.abc import Mapping

ESCAPE = 0x1B

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""By code, 0 to 127. 0x1B is the escape to the table below and no character."""

_EXTENSION: Mapping[str, int] = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}

_SEPTETS: Mapping[str, bytes] = {
    **{character: bytes([code]) for code, character in enumerate(_BASIC) if code != ESCAPE},
    **{character: bytes([ESCAPE, code]) for character, code in _EXTENSION.items()},
}
_EXTENDED = {code: character for character, code in _EXTENSION.items()}


def septets(character: str) -> int | None:
    """How many septets a character takes: 1, or 2 in the extension table; None: the alphabet lacks it."""
    found = _SEPTETS.get(character)
    return None if found is None else len(found)


def encode(text: str) -> bytes:
    """Return one octet for each septet. Raises KeyError for a character that the alphabet lacks."""
    return b"".join(_SEPTETS[character] for character in text)


def decode(data: bytes) -> str:
    """Read octets that hold a septet each. What no table knows becomes U+FFFD, a code behind the escape its basic character."""
    text: list[str] = []
    is_escaped = False
    for code in data:
        if code == ESCAPE and not is_escaped:
            is_escaped = True
            continue
        text.append(_character(code, is_escaped))
        is_escaped = False
    return "".join(text)


def _character(code: int, is_escaped: bool) -> str:
    basic = _BASIC[code] if code < len(_BASIC) else "\ufffd"
    return _EXTENDED.get(code, basic) if is_escaped else basic
