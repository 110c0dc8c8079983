"""What the Kamailio recipe posts ↔ the generic push format. Pure; the fields are ours, since a proxy has none of its own.

`event`: invite | ringing | answer | bye | cancel | failure; `callId` = $ci; `from` = $fU; `to` = $oU (the number that the
caller dialled, before any rewriting); `user` = $rU (whose phone it is); `code` = the final SIP status of a failure;
`billsec` = $DLG_lifetime at the end; `at` = $TV(Sn), Unix seconds with a fraction, or RFC 3339, optional. Anything else is kept as a parameter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.pbx.port import WireInvalid
from gateway.pbx.reading.payload import as_count, as_text
from gateway.pbx.times import from_epoch

_EVENTS: Mapping[str, str] = {"invite": "newCall", "bye": "hangup", "cancel": "hangup", "failure": "hangup"}


def generic_fields(raw: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return the same message in the generic format. Raises WireInvalid naming the field."""
    event = as_text(raw.get("event"), "event") or path.rpartition("/")[2]
    fields: dict[str, Any] = {name: value for name, value in raw.items() if name != "code"}
    fields["event"] = _EVENTS.get(event.lower(), event)
    at = as_text(raw.get("at"), "at") or ""
    if at.isascii() and at.replace(".", "", 1).isdigit():
        fields["at"] = from_epoch(float(at), "at").isoformat()
    code = as_count(raw.get("code"), "code")
    if code is not None and not 100 <= code <= 699:
        raise WireInvalid("code", "must be a SIP status")
    if fields["event"] == "hangup" and not fields.get("cause"):
        fields["cause"] = "cancel" if event.lower() == "cancel" else _cause(code)
    return fields


def _cause(code: int | None) -> str | None:
    """Return the generic cause of a final SIP status; None for one that says nothing about the outcome."""
    if code is None or code < 300:
        return None
    by_code = {
        486: "busy",
        600: "busy",
        487: "cancel",
        408: "noAnswer",
        480: "noAnswer",
        403: "rejected",
        603: "rejected",
        404: "notFound",
        484: "notFound",
        604: "notFound",
    }
    return by_code.get(code, "failed")
