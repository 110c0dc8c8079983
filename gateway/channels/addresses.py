"""Where messengers tell what is new, and where they fetch what is sent."""

from __future__ import annotations

from urllib.parse import quote

from gateway.store.channels.channels import SavedChannel
from sms.channels.kinds import CHANNEL_KINDS


def channel_address(public_url: str, saved: SavedChannel) -> str | None:
    """Return where the messenger is to tell what is new; it holds a secret: never log it. None: it is asked instead."""
    kind = CHANNEL_KINDS[saved.channel.kind]
    if kind.is_polled(saved.channel) or not kind.capabilities.has_webhooks:
        return None
    return f"{public_url.rstrip('/')}/channels/{saved.id}/{saved.secret}"


def file_address(public_url: str, secret: str, name: str) -> str:
    """Return from where a messenger may fetch a file that is sent; it holds a secret: never log it. The name is for the
    messenger to show."""
    return f"{public_url.rstrip('/')}/channels/files/{secret}/{quote(name, safe='')}"
