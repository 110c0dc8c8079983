"""Codes of six digits that change each half minute (TOTP: RFC 6238 on RFC 4226, SHA-1), as every authenticator shows them."""

from __future__ import annotations

import base64
import hmac
import secrets
import struct
from datetime import datetime
from urllib.parse import quote, urlencode

STEP_SECONDS = 30
_DIGITS = 6
_SECRET_BYTES = 20
_SLACK = 1
"""So many half minutes a phone's clock may be off."""


def new_totp_secret() -> str:
    """Base32, as authenticators take it."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def code_of(secret: str, step: int) -> str:
    """Return the code of one half minute. secret: base32. step: half minutes since 1970."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", step), "sha1")
    place = digest[-1] & 0x0F
    (number,) = struct.unpack(">I", digest[place : place + 4])
    return str((number & 0x7FFF_FFFF) % 10**_DIGITS).zfill(_DIGITS)


def step_of(secret: str, code: str, now: datetime, after: int) -> int | None:
    """Return the half minute that this code is of, None when it is of none that counts. after: the last one that was taken."""
    current = int(now.timestamp()) // STEP_SECONDS
    fitting = [
        step
        for step in range(current - _SLACK, current + _SLACK + 1)
        if hmac.compare_digest(code_of(secret, step).encode(), code.encode("utf-8", "surrogatepass"))
        and step > after
    ]
    return fitting[0] if fitting else None


def totp_address(secret: str, login: str, where: str) -> str:
    """Return what the QR code says. where: the installation, as the authenticator lists it."""
    named = quote(f"Callmatrix {where}:{login}", safe="")
    return f"otpauth://totp/{named}?{urlencode({'secret': secret, 'issuer': f'Callmatrix {where}'}, quote_via=quote)}"
