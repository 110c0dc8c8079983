"""Whether an address is this machine's own, or lies right beside it."""

from __future__ import annotations

import ipaddress
import socket


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


def is_beside_us(host: str) -> bool:
    """Whether it is an address of this machine, of its link, or of nobody, however it is written; a name is none."""
    name = host.strip("[]").partition("%")[0]
    try:
        ip = ipaddress.ip_address(name)
    except ValueError:
        try:
            ip = ipaddress.IPv4Address(socket.inet_aton(name))  # 127.1, 0x7f000001, 2130706433
        except OSError:
            return False
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return ip.is_loopback or ip.is_link_local or ip.is_unspecified or ip.is_multicast
