"""Whether an address is one of the web, this machine's own, right beside it, or in a network that only we can reach."""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import urlsplit

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_LONGEST = 2000
_WRITABLE = re.compile(r"[^\s\x00-\x1f\x7f\"'<>\\^`{|}]+")

# The first 12 bytes of IPv6 that end in an IPv4 address: "compatible", translated (RFC 2765), NAT64 (RFC 6052).
_CARRIES_IPV4 = (bytes(12), bytes(8) + b"\xff\xff\0\0", b"\0\x64\xff\x9b" + bytes(8))
_OF_IPV6 = (bytes(4), bytes(3) + b"\1")  # :: and ::1


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


def is_web_address(text: str) -> bool:
    """Whether this is an address of the web: http or https, no longer than 2000 characters, nobody's name or password in
    it, and nothing that would end it where it is shown."""
    if len(text) > _LONGEST or not _WRITABLE.fullmatch(text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


def is_beside_us(host: str) -> bool:
    """Whether it is an address of this machine, of its link, or of nobody, however it is written; a name is none."""
    ip = _address_in(host)
    return ip is not None and _is_beside(ip)


def is_inside(host: str) -> bool:
    """Whether it is an address that the web does not reach: beside us, or of a private network; a name is none."""
    ip = _address_in(host)
    return ip is not None and (_is_beside(ip) or not ip.is_global)


def _address_in(host: str) -> _Address | None:
    """Return the address that stands there, however it is written."""
    name = host.strip("[]").partition("%")[0].rstrip(".")
    try:
        return _within(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(name))  # 127.1, 0x7f000001, 2130706433
    except OSError:
        return None


def _is_beside(ip: _Address) -> bool:
    return (
        ip.is_loopback
        or ip.is_link_local
        or ip.is_unspecified
        or ip.is_multicast
        or ip.packed[:1] == b"\0"  # all of 0.0.0.0/8, and what IPv6 reserves for itself
        or _is_our_own(ip)
    )


def _within(ip: _Address) -> _Address:
    """Return the IPv4 address that an IPv6 one stands for, where it stands for one."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip.ipv4_mapped or ip.sixtofour:
        return ip.ipv4_mapped or ip.sixtofour or ip
    if ip.packed[:12] in _CARRIES_IPV4 and ip.packed[12:] not in _OF_IPV6:
        return ipaddress.IPv4Address(ip.packed[12:])
    return ip


def _is_our_own(ip: _Address) -> bool:
    """Whether this machine has it: who speaks to their own address speaks from it. No packet is sent."""
    family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as line:
            line.connect((str(ip), 9))
            return ipaddress.ip_address(line.getsockname()[0].partition("%")[0]) == ip
    except OSError:
        return False
