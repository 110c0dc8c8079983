"""Signatures of amoCRM's chats: of what we ask them, and of what they tell us. Pure.

The sum is of the exact bytes that are sent. PHP's own JSON (slashes and Cyrillic escaped) and compact UTF-8 are signed alike; the
examples of amoCRM's documentation come out as PHP writes them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime

JSON_TYPE = "application/json"


def signed_headers(secret: str, method: str, path: str, body: bytes, now: datetime) -> Mapping[str, str]:
    """Return the headers of a request. path: without query. now: aware; amoCRM lets it be 15 minutes old at most."""
    checksum = hashlib.md5(body).hexdigest()  # noqa: S324 - as amoCRM wants it
    date = format_datetime(now)
    told = "\n".join((method.upper(), checksum, JSON_TYPE, date, path))
    return {
        "Date": date,
        "Content-Type": JSON_TYPE,
        "Content-MD5": checksum,
        "X-Signature": _hmac(secret, told.encode()),
    }


def is_genuine(secret: str, body: bytes, signature: str) -> bool:
    """Whether a hook was signed with the channel's secret."""
    told = signature.strip().lower().encode("utf-8", "surrogateescape")
    return hmac.compare_digest(told, _hmac(secret, body).encode())


def _hmac(secret: str, told: bytes) -> str:
    return hmac.new(secret.encode(), told, hashlib.sha1).hexdigest()
