"""The charset in which a vendor says that it writes. Pure."""

from __future__ import annotations

import re

_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)
# Charsets of one byte a letter that are in use; Python knows others that are no charsets of text.
_ONE_BYTE = re.compile(r"(windows-|cp)12\d\d|cp866|ibm866|koi8-[ru]|iso-8859-\d\d?|latin-?1", re.IGNORECASE)


def charset_of(content_type: str) -> str | None:
    """Return the charset that a header declares, where it is one to be believed."""
    declared = _CHARSET.search(content_type)
    return declared[1] if declared and _ONE_BYTE.fullmatch(declared[1]) else None
