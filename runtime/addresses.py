"""Whether an address is this machine's own."""

from __future__ import annotations

import ipaddress


def is_local(host: str | None) -> bool:
    """host: a name or an IP address without port, IPv6 with or without brackets; None and "" are nobody's."""
    if not host:
        return False
    name = host.strip("[]").lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
