"""Links to recordings. People press them in the CRM, and whoever can send an event wrote them."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import urlsplit

_LONGEST = 2000
_WRITABLE = re.compile(r"[^\s\x00-\x1f\x7f\"'<>\\^`{|}]+")


def is_link(text: str) -> bool:
    """Whether this is an address of the web: http or https, no longer than 2000 characters, nobody's name or password in
    it, and nothing that would end it where it is shown."""
    if len(text) > _LONGEST or not _WRITABLE.fullmatch(text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


def leads_to(text: str, hosts: Collection[str]) -> bool:
    """Whether it is a link to one of these hosts, named without port, in any case."""
    return is_link(text) and (urlsplit(text).hostname or "") in {host.lower() for host in hosts}
