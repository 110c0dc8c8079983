"""Addresses of our pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit


def address(path: str, **query: Any) -> str:
    """path: encoded where it has to be. None, "" and False are left out, True is 1, sequences give the name once each."""
    named: list[tuple[str, str]] = []
    for name, value in query.items():
        for one in value if isinstance(value, (list, tuple)) else (value,):
            if one is None or one is False or one == "":
                continue
            named.append((name, "1" if one is True else str(one)))
    return f"{path}?{urlencode(named)}" if named else path


def own_path(text: str | None, otherwise: str = "/") -> str:
    """Return the address if it is one of ours, without a host; a stranger's, or what a browser may take for one, is not."""
    if not text or not text.startswith("/") or text.startswith(("//", "/\\")) or len(text) > 2000:
        return otherwise
    if any(sign < " " or sign in "\\\x7f" for sign in text):
        return otherwise
    parts = urlsplit(text)
    return otherwise if parts.scheme or parts.netloc else text
