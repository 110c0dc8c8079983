"""Commands and questions to MANGO as values, and how often they may be sent. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway.pbx.connection import Connection
from gateway.pbx.port import WireInvalid
from runtime.vendors.mango_signing import signed_form

_LIMITS = (1, 5, 10, 20, 50, 100, 500, 1000, 2000, 5000)


@dataclass(frozen=True, slots=True)
class Command:
    """path: behind the API's base address. payload: the field `json`."""

    path: str
    payload: Mapping[str, Any]

    def body(self, connection: Connection) -> bytes:
        """Return the signed form. Raises WireInvalid when the connection has no key or salt."""
        for name in ("api_key", "api_salt"):
            if not connection.keys.get(name):
                raise WireInvalid(name, "is not set for this connection")
        return signed_form(connection.keys["api_key"], connection.keys["api_salt"], self.payload)


def route_command(call_id: str, to_number: str, command_id: str, display_name: str | None = None) -> Command:
    """Send a call that dwells in a voice menu or queue on to somebody.

    call_id: of the leg in the menu. to_number: an extension (obeys its owner's schedule), a group, or a number.
    command_id: ours, ≤ 128 characters; the result and the new leg name it. display_name: what the phone shows.
    """
    if not 0 < len(command_id) <= 128:
        raise WireInvalid("command_id", "must have 1 to 128 characters")
    payload: dict[str, Any] = {"command_id": command_id, "call_id": call_id, "to_number": to_number}
    if display_name:
        payload["sip_headers"] = {"From/display-name": display_name}
    return Command("commands/route", payload)


def calls_request(since: datetime, until: datetime, offset: int = 0, limit: int = 5000) -> Command:
    """Ask for the extended statistics of a range: what backfill and reconciliation read. Times are written in UTC."""
    if limit not in _LIMITS:
        raise WireInvalid("limit", f"is not one of {', '.join(map(str, _LIMITS))}")
    return Command(
        "stats/calls/request",
        {
            "start_date": f"{since:%d.%m.%Y %H:%M:%S}",
            "end_date": f"{until:%d.%m.%Y %H:%M:%S}",
            "limit": str(limit),
            "offset": str(offset),
        },
    )


def calls_result(key: str) -> Command:
    """Fetch what `calls_request` prepared: asked again, seconds apart, until it is complete."""
    return Command("stats/calls/result", {"key": key})


def users_request() -> Command:
    return Command(
        "config/users/request",
        {"ext_fields": ["general.user_id", "general.sips", "groups", "general.mobile"]},
    )


# The routing command's limit is per product: under load most calls take the voice menu's own way, which must be there.
ROUTE_EVERY = timedelta(seconds=2)
STATS_EVERY = timedelta(seconds=2)
CALLBACK_EVERY = timedelta(milliseconds=250)
CONTACT_CENTRE_EVERY = timedelta(milliseconds=250)
RESULT_EVERY = timedelta(seconds=5)
