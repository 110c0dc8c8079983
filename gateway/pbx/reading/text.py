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
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)
# Charsets of one byte a letter that are in use; Python knows others that are no charsets of text.
_ONE_BYTE = re.compile(r"(windows-|cp)12\d\d|cp866|ibm866|koi8-[ru]|iso-8859-\d\d?|latin-?1", re.IGNORECASE)


def legible(text: str) -> str:
    """Return the same text; a NUL, half a letter or a byte that is none as U+FFFD and its code."""
    if text.isascii() and "\x00" not in text:
        return text
    return _UNSTORABLE.sub(_shown, text)


def _shown(sign: re.Match[str]) -> str:
    code = ord(sign[0])
    return f"{SPOILT}{code - 0xDC00 if 0xDC80 <= code <= 0xDCFF else code:02X}"


def charset_of(content_type: str) -> str | None:
    """Return the charset that a header declares, where it is one to be believed."""
    declared = _CHARSET.search(content_type)
    return declared[1] if declared and _ONE_BYTE.fullmatch(declared[1]) else None


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
