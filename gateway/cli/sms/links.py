"""How the link of an SMS provider fares, as a command shows it."""

from __future__ import annotations

from gateway.cli.output import local
from gateway.store.sms.connections import SavedSmsConnection
from gateway.store.sms.links import SmsLinkHeard
from sms.kinds import SMS_KINDS


def link_said(saved: SavedSmsConnection, link: SmsLinkHeard | None, zone: str) -> str:
    """Say it in a cell of a table, "" of a kind that keeps none. zone: the account's."""
    if link is None:
        return "not tried yet" if SMS_KINDS[saved.connection.kind].capabilities.has_link else ""
    since = f"since {local(link.since, zone)}"
    why = ": ".join(text for text in (link.reason, link.words) if text)
    return f"up {since}" if link.is_up else f"down {since} ({why})" if why else f"down {since}"
