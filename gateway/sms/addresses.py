"""Where providers report."""

from __future__ import annotations

from gateway.store.sms.connections import SavedSmsConnection
from sms.kinds import SMS_KINDS


def report_address(public_url: str, saved: SavedSmsConnection) -> str | None:
    """Return the address with its secret: never log it. None: this kind of provider reports nowhere, or through a PBX's door."""
    if not SMS_KINDS[saved.connection.kind].capabilities.has_pushes or saved.connection.kind == "smpp":
        return None
    return f"{public_url.rstrip('/')}/sms/{saved.account_id}/{saved.name}/{saved.report_secret}"
