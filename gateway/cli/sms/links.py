"""How the link of an SMS provider fares, as a command shows it."""

from __future__ import annotations

from typing import Any

from gateway.store.sms.connections import SavedSmsConnection
from gateway.store.sms.links import SmsLinkHeard
from sms.kinds import SMS_KINDS


def link_as_json(link: SmsLinkHeard | None) -> dict[str, Any] | None:
    """None: this kind keeps none, or nobody has tried yet."""
    if link is None:
        return None
    told = link.told
    return {"is_up": told.is_up, "since": link.since, "reason": told.reason, "words": told.words}


def link_said(saved: SavedSmsConnection, link: SmsLinkHeard | None) -> str:
    """Say it in a cell of a table, "" of a kind that keeps none."""
    if link is None:
        return "not tried yet" if SMS_KINDS[saved.connection.kind].capabilities.has_link else ""
    since = f"since {link.since:%Y-%m-%d %H:%M} UTC"
    why = ": ".join(text for text in (link.told.reason, link.told.words) if text)
    return f"up {since}" if link.told.is_up else f"down {since} ({why})" if why else f"down {since}"
