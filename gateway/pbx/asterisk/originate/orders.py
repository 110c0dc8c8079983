"""What is written to Asterisk to make a call, and how far a call is by its living channels. Pure.

The second leg is the dialplan's: the context of setting `originate_context`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from gateway.pbx.asterisk.wire import AmiMessage
from gateway.pbx.capabilities import Live, NotSeen, PlaceOrder, RefusedByPbx
from gateway.pbx.connection import Connection
from gateway.pbx.port import WireInvalid
from routing.dialable import is_extension, is_number
from routing.outbound.attempts import attempt_id_in

_MOST_RING_SECONDS = 300
_MOST_NAME = 60
_IN_NAMES = " .-+:()№"
_is_line = re.compile(r"\+?[0-9A-Za-z._-]{1,40}", re.ASCII).fullmatch
_is_context = re.compile(r"[A-Za-z0-9_.-]{1,79}", re.ASCII).fullmatch
_is_technology = re.compile(r"[A-Za-z0-9]{1,20}", re.ASCII).fullmatch

_OF_THE_CONNECTION = ("permission denied", "forbidden")
"""What Asterisk says to a user of manager.conf who may not do this, in small letters."""


def context_of(connection: Connection) -> str:
    """Return the dialplan's context that calls the client; "" = none, so that this connection places no calls."""
    return str(connection.settings.get("originate_context") or "").strip()


def originate_fields(order: PlaceOrder, connection: Connection) -> tuple[tuple[str, str], ...]:
    """Return the headers of the action. Raises WireInvalid naming what is none of its kind: a comma in a variable would be
    another variable, an `&` another phone, a line break another action."""
    technology = str(connection.settings.get("originate_technology") or "PJSIP").strip()
    _check("attempt_id", attempt_id_in(order.attempt_id) == order.attempt_id)
    _check("extension", order.group is None and is_extension(order.extension or ""))
    _check("number", is_number(order.number))
    _check("line", order.line is None or _is_line(order.line))
    _check("originate_context", _is_context(context_of(connection)))
    _check("originate_technology", _is_technology(technology))
    for name, seconds in (("ring", order.ring_seconds), ("client_ring", order.client_ring_seconds)):
        _check(f"{name}_seconds", 0 < seconds <= _MOST_RING_SECONDS)
    return (
        ("ActionID", order.attempt_id),
        ("Async", "true"),
        ("ChannelId", order.attempt_id),
        ("Channel", f"{technology}/{order.extension}"),
        ("Context", context_of(connection)),
        ("Exten", order.number.removeprefix("+")),  # the context's pattern is `_X.`
        ("Priority", "1"),
        ("Timeout", str(order.ring_seconds * 1000)),
        ("CallerID", f'"{_display(order.display_name)}" <{order.number}>'),
        ("Variable", f"__CALLMATRIX_ATTEMPT={order.attempt_id}"),
        ("Variable", f"__CALLMATRIX_LINE={order.line or ''}"),
        ("Variable", f"__CALLMATRIX_RING_SECONDS={order.client_ring_seconds}"),
    )


def _check(name: str, is_right: object) -> None:
    if not is_right:
        raise WireInvalid(name, "is not what Asterisk could be given")


def _display(name: str) -> str:
    """Letters, digits and a few signs: the rest would mean something to Asterisk, or to a phone."""
    kept = "".join(sign if sign.isalnum() or sign in _IN_NAMES else " " for sign in name)
    return " ".join(kept.split())[:_MOST_NAME].strip()


def refused(response: AmiMessage) -> RefusedByPbx:
    """Return what `Response: Error` to an Originate means."""
    words = response.get("Message") or "no reason given"
    is_all = any(sign in words.lower() for sign in _OF_THE_CONNECTION)
    return RefusedByPbx(
        code="ami-permission-denied" if is_all else "originate-refused",
        words=words,
        concerns="connection" if is_all else "this_call",
    )


def of_attempt(channels: Iterable[AmiMessage], attempt_id: str) -> tuple[AmiMessage, ...]:
    return tuple(c for c in channels if attempt_id in (c.get("Uniqueid"), c.get("Linkedid")))


def found(channels: Sequence[AmiMessage], attempt_id: str) -> Live | NotSeen:
    """Return how far an attempt is. channels: those of CoreShowChannels."""
    ours = of_attempt(channels, attempt_id)
    if not ours:
        return NotSeen()
    employee = next((c for c in ours if c.get("Uniqueid") == attempt_id), None)
    bridges = [bridge for c in ours if (bridge := c.get("BridgeId"))]
    if len(bridges) > len(set(bridges)):
        return Live("talking")
    if len(ours) > 1 or employee is None:
        return Live("client_ringing")
    if employee.get("ChannelStateDesc") == "Up":
        return Live("operator_answered")
    return Live("placing" if employee.get("ChannelStateDesc") == "Down" else "operator_ringing")


def employees_channel(channels: Sequence[AmiMessage], attempt_id: str) -> str | None:
    """Return the exact name of the first leg. `/…` would be a pattern to Asterisk, and hang up all that it matches."""
    names = [c.get("Channel") for c in channels if c.get("Uniqueid") == attempt_id]
    return next((name for name in names if name and not name.startswith("/")), None)
