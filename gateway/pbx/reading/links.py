"""Links to recordings. People press them in the CRM, and whoever can send an event wrote them."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from runtime.addresses import is_web_address


def leads_to(text: str, hosts: Collection[str]) -> bool:
    """Whether it is a link to one of these hosts, named without port, in any case."""
    return is_web_address(text) and (urlsplit(text).hostname or "") in {host.lower() for host in hosts}
