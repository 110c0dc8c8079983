"""Text as PBXs send it, made into text that can be stored.

What is no letter in any charset that could be meant stays visible as U+FFFD and its code in hex: so nothing is refused
for it, and two texts that differ stay different.
"""

from __future__ import annotations

import codecs
import re

SPOILT = "\ufffd"

# PostgreSQL stores neither; bytes that are no UTF-8 are decoded into the second.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def legible(text: str) -> str:
    """Return the same text; a NUL, half a letter or a byte that is none as U+FFFD and its code."""
    if text.isascii() and "\x00" not in text:
        return text
    return _UNSTORABLE.sub(_shown, text)


def _shown(sign: re.Match[str]) -> str:
    code = ord(sign[0])
    return f"{SPOILT}{code - 0xDC00 if 0xDC80 <= code <= 0xDCFF else code:02X}"


def decoded(data: bytes, charset: str | None = None) -> str:
    """UTF-8 where it is UTF-8, whatever was declared; else the declared charset. Bytes that are no letters become lone
    surrogates, to be shown by `legible`."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "surrogateescape" if name == "utf-8" else "replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass
    try:
        return data.decode(charset or "ascii")
    except (UnicodeDecodeError, LookupError):
        return data.decode("utf-8", "surrogateescape")
