"""Who asks: the peer of the connection, or whom our own reverse proxies name."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from aiohttp import web

from runtime.addresses import is_local

ADDRESS_HEADER = "X-Callmatrix-Address"
"""Who asked the gateway, said to the process that makes the pages; nobody else's counts."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_FORWARDED = (
    "X-Forwarded-For",
    "Forwarded",
    "X-Real-IP",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Server",
    "Via",
)


class Peers:
    """proxies: addresses of our reverse proxies; what others write into X-Forwarded-For is not believed.

    hops: so many proxies stand in front, whatever their addresses; for where these are not known. Unused with `proxies`.
    """

    def __init__(self, proxies: Sequence[Network] = (), hops: int = 0) -> None:
        self._proxies, self._hops = tuple(proxies), hops

    def address_of(self, request: web.BaseRequest) -> str:
        """Each proxy adds the address it saw: what stands left of the first stranger, or of what is no address, anybody wrote."""
        peer = request.remote or ""
        if not (self._proxies or self._hops):
            return peer
        seen = [
            part.strip()
            for part in ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
            if part.strip()
        ]
        if not self._proxies:
            return (_address(seen[-self._hops]) if len(seen) >= self._hops else None) or peer
        address = peer
        while seen and self.is_proxy(address):
            if (before := _address(seen.pop())) is None:
                break
            address = before
        return address

    def is_proxy(self, address: str) -> bool:
        """Whether this peer speaks for many. Where only their number is known, any may be one."""
        if not self._proxies:
            return self._hops > 0
        try:
            ip = ipaddress.ip_address(address.strip("[]").partition("%")[0])
        except ValueError:
            return False
        ip = getattr(ip, "ipv4_mapped", None) or ip
        return any(ip in network for network in self._proxies)


def _address(text: str) -> str | None:
    """Return an address as a proxy writes it, some of them with its port; None: it is none, and nobody's word counts."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return text


def is_from_this_machine(request: web.BaseRequest) -> bool:
    """Asked here and directly: a reverse proxy on this machine passes on what strangers ask."""
    return (
        is_local(request.remote)
        and not any(name in request.headers for name in _FORWARDED)
        and is_local(host_name(request))
    )


def host_name(request: web.BaseRequest) -> str:
    """Return the name that the asker believes to speak to, without the port."""
    host = request.headers.get("Host", "").strip().lower()
    if host.startswith("["):
        return host.partition("]")[0].strip("[]")
    return host.partition(":")[0].rstrip(".")
