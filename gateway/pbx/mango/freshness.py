"""When a notification was signed: the vendor's signature holds for ever, so one that was overheard can be sent again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.pbx.connection import Connection
from gateway.pbx.port import WireForbidden


def signing_time(fields: Mapping[str, Any]) -> datetime | None:
    """Return what `timestamp` says (Unix seconds); None: it is not there, or no time."""
    value = fields.get("timestamp")
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return datetime.fromtimestamp(float(value), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def refuse_too_old(signed_at: datetime | None, received_at: datetime, connection: Connection) -> None:
    """Raise WireForbidden where the connection has a limit (`oldest_notification_minutes`) and this is beyond it.

    Without one old ones are taken: after an outage MANGO delivers late.
    """
    limit = str(connection.settings.get("oldest_notification_minutes") or "").strip()
    if signed_at is None or not (limit.isascii() and limit.isdigit()) or not int(limit):
        return
    if received_at - signed_at > timedelta(minutes=int(limit)):
        raise WireForbidden("timestamp: was signed too long ago")
