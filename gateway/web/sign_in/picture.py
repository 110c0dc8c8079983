"""What a phone's authenticator is shown: a QR code, and the secret to type where it cannot be scanned."""

from __future__ import annotations

from urllib.parse import urlsplit

import segno

from gateway.admin.sign_in.totp import totp_address


def offered(secret: str, login: str, base_url: str) -> dict[str, str]:
    """Return `picture`, an address for `<img>`, and `typed`, the secret in groups."""
    address = totp_address(secret, login, urlsplit(base_url).hostname or "")
    code = segno.make(address, error="m", micro=False)
    return {
        "picture": code.svg_data_uri(scale=4, border=3, dark="#000", light="#fff", xmldecl=False),
        "typed": " ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
    }
