"""Who asks: signatures of requests to the chats, and of what they send."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from crm.sandbox.api.replies import refuse

MOST_SECONDS = 15 * 60


def check_signature(
    secret: str, method: str, path: str, headers: Mapping[str, str], body: bytes, now: float
) -> None:
    """Refuse what is not signed with this secret, in the last quarter of an hour, for these very bytes. path: without query."""
    date, kind = headers.get("Date", ""), headers.get("Content-Type", "")
    try:
        told = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        raise refuse(403, "Date is no date of RFC 2822") from None
    if abs(now - told.timestamp()) > MOST_SECONDS:
        raise refuse(403, "Date is too old")
    checksum = hashlib.md5(body).hexdigest()  # noqa: S324
    if headers.get("Content-MD5") != checksum:
        raise refuse(403, "Content-MD5 is not that of the body")
    wanted = signature(secret, "\n".join((method, checksum, kind, date, path)).encode())
    if headers.get("X-Signature") != wanted:
        raise refuse(403, "X-Signature is wrong")


def signature(secret: str, told: bytes) -> str:
    return hmac.new(secret.encode(), told, hashlib.sha1).hexdigest()
