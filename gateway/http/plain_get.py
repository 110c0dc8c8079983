"""The plainest of requests, read strictly: a whole GET of HTTP/1.1, alone, without a body, on a connection that stays.

Whatever is not certainly that is nothing to this module, and goes to the library's parser, which knows the rest of HTTP.
"""

from __future__ import annotations

import re

MAX_BYTES = 4096

_END = b"\r\n\r\n"
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(rb"[\x20-\x7e\t]*")
_ONCE = (b"host", b"authorization")
# They say that a body comes, that the connection ends or becomes another one, or that something is expected first.
_NOT_PLAIN = frozenset(
    (
        b"content-length",
        b"content-encoding",
        b"transfer-encoding",
        b"te",
        b"trailer",
        b"expect",
        b"upgrade",
        b"http2-settings",
        b"proxy-connection",
    )
)


def parted(data: bytes) -> tuple[str, bytes] | None:
    """Return the address and the headers of one whole GET; None: it is something else, or more or less than one.

    The headers are not judged: see `authorization_of`.
    """
    if len(data) > MAX_BYTES or data.find(_END) != len(data) - 4:
        return None
    line, _, headers = data.partition(b"\r\n")
    if line[:5] != b"GET /" or line[-9:] != b" HTTP/1.1" or not line.isascii():
        return None
    address = line[4:-9].decode("ascii")
    return (address, headers) if " " not in address and address.isprintable() else None


def authorization_of(headers: bytes) -> str | None:
    """Return what stands in Authorization, where these headers are such as a plain GET has; None: they are not, or it is missing.

    headers: as `parted` returns them, with the empty line at their end.
    """
    found: dict[bytes, bytes] = {}
    for line in headers[:-4].split(b"\r\n"):
        name, colon, value = line.partition(b":")
        name, value = name.lower(), value.strip(b" \t")
        if not colon or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value) or name in _NOT_PLAIN:
            return None
        if name in _ONCE and name in found:
            return None
        if name == b"connection" and value.lower() != b"keep-alive":
            return None
        found[name] = value
    if not found.get(b"host") or b"authorization" not in found:
        return None
    return found[b"authorization"].decode("ascii")
