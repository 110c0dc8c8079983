"""Where a recording of MANGO's is listened to. Pure."""

from __future__ import annotations

from typing import Literal

from gateway.pbx.connection import Connection
from runtime.vendors.mango_signing import signature

BASE = "https://app.mango-office.ru/vpbx/"
_NEVER = 4102444800  # 2100-01-01: a link kept in the CRM must not expire; and the same recording always has the same link


def recording_link(
    recording_id: str,
    connection: Connection,
    action: Literal["play", "download"] = "play",
    expires_at: int = _NEVER,
) -> str:
    """Return a link that redirects to the file; the bare id where the connection has no key.

    Such links must be enabled in the cabinet. Setting `base_url` replaces the vendor's address. expires_at: Unix seconds.
    """
    api_key, salt = connection.keys.get("api_key"), connection.keys.get("api_salt")
    if not api_key or not salt:
        return recording_id
    base = str(connection.settings.get("base_url", BASE)).rstrip("/")
    sign = signature(api_key, salt, str(expires_at), recording_id)
    return f"{base}/queries/recording/link/{recording_id}/{action}/{api_key}/{expires_at}/{sign}"
