"""What is written to FreeSWITCH to make a call, and what it says of one. Pure.

The employee's phone is rung as `user/…`; once it is picked up, `bridge` rings the client through a gateway of FreeSWITCH. Both
legs carry the attempt's id, so that the reports of mod_json_cdr name it. From documentation and memory: not confirmed by a run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

from gateway.pbx.capabilities import (
    Cancelled,
    CancelResult,
    CannotTell,
    FindResult,
    Live,
    NotSeen,
    PlaceOrder,
    RefusedByPbx,
)
from gateway.pbx.connection import Connection
from gateway.pbx.port import WireInvalid
from routing.dialable import is_extension, is_number
from routing.outbound.attempts import attempt_id_in

_MOST_RING_SECONDS = 300
_MOST_NAME = 60
_IN_NAMES = ".-"
_is_line = re.compile(r"\+?[0-9A-Za-z._-]{1,40}", re.ASCII).fullmatch
_is_word = re.compile(r"[A-Za-z0-9_.-]{1,79}", re.ASCII).fullmatch

# No phone was rung: the reports of mod_json_cdr tell of none, so that nothing more would be heard.
_NO_PHONE: Mapping[str, str] = {
    "USER_NOT_REGISTERED": "the employee's phone is not registered",
    "SUBSCRIBER_ABSENT": "FreeSWITCH does not know this employee",
    "DESTINATION_OUT_OF_ORDER": "the employee's phone cannot be reached",
    "NO_ROUTE_DESTINATION": "FreeSWITCH has no way to this phone",
    "CHAN_NOT_IMPLEMENTED": "FreeSWITCH has no such kind of phone",
    "INVALID_GATEWAY": "FreeSWITCH does not know the gateway",
    "GATEWAY_DOWN": "FreeSWITCH's gateway is down",
}
_OF_THE_CONNECTION = ("CHAN_NOT_IMPLEMENTED", "INVALID_GATEWAY", "GATEWAY_DOWN")
_NO_SUCH = "no such channel"


def gateway_of(connection: Connection) -> str:
    """Return the name of FreeSWITCH's gateway to the client; "" = none, so that this connection places no calls."""
    return str(connection.settings.get("originate_gateway") or "").strip()


def originate_command(order: PlaceOrder, connection: Connection) -> str:
    """Return the API command. Raises WireInvalid naming what is none of its kind: a comma would be another variable, a brace
    or a quote another string, a line break another command."""
    domain = str(connection.settings.get("originate_domain") or "").strip()
    _check("attempt_id", attempt_id_in(order.attempt_id) == order.attempt_id)
    _check("extension", order.group is None and is_extension(order.extension or ""))
    _check("extension", "#" not in str(order.extension) and "+" not in str(order.extension))
    _check("number", is_number(order.number))
    _check("line", order.line is None or _is_line(order.line))
    _check("originate_gateway", _is_word(gateway_of(connection)))
    _check("originate_domain", not domain or _is_word(domain))
    for name, seconds in (("ring", order.ring_seconds), ("client_ring", order.client_ring_seconds)):
        _check(f"{name}_seconds", 0 < seconds <= _MOST_RING_SECONDS)
    phone = f"user/{order.extension}@{domain}" if domain else f"user/{order.extension}"
    client = order.number.removeprefix("+")
    return f"originate {_variables(order)}{phone} &bridge({_clients(order)}sofia/gateway/{gateway_of(connection)}/{client})"


def _variables(order: PlaceOrder) -> str:
    """Of the employee's leg. It is shown the client's number, which is not for the client: so both legs are told what to show."""
    shown = order.line or order.extension or ""
    told = {
        "origination_uuid": order.attempt_id,
        "callmatrix_attempt": order.attempt_id,
        "callmatrix_client": order.number,
        "callmatrix_direction": "out",
        "origination_caller_id_number": order.number,
        "origination_caller_id_name": f"'{_display(order.display_name) or order.number}'",
        "effective_caller_id_number": shown,
        "effective_caller_id_name": shown,
        "originate_timeout": str(order.ring_seconds),
        "ignore_early_media": "true",
        "hangup_after_bridge": "true",
    }
    return "{" + ",".join(f"{name}={value}" for name, value in told.items()) + "}"


def _clients(order: PlaceOrder) -> str:
    told = {"callmatrix_attempt": order.attempt_id, "leg_timeout": str(order.client_ring_seconds)}
    return "[" + ",".join(f"{name}={value}" for name, value in told.items()) + "]"


def _check(name: str, is_right: object) -> None:
    if not is_right:
        raise WireInvalid(name, "is not what FreeSWITCH could be given")


def _display(name: str) -> str:
    kept = "".join(sign if sign.isalnum() or sign in _IN_NAMES else " " for sign in name)
    return " ".join(kept.split())[:_MOST_NAME].strip()


def refused(reply: str) -> RefusedByPbx:
    """Return what `-ERR` or `-USAGE` to the order itself means: nothing was begun."""
    return RefusedByPbx(
        code="originate-refused", words=reply.strip() or "no reason given", concerns="this_call"
    )


def told_by_job(body: str) -> RefusedByPbx | None:
    """Return what the end of the order's job says; None where a phone was rung, whose report tells the rest."""
    cause = body.strip().removeprefix("-ERR").strip().upper()
    if not body.strip().startswith("-ERR") or cause not in _NO_PHONE:
        return None
    is_all = cause in _OF_THE_CONNECTION
    return RefusedByPbx(
        code="originate-failed",
        words=f"{cause}: {_NO_PHONE[cause]}",
        concerns="connection" if is_all else "this_call",
    )


def found(dump: str) -> FindResult:
    """Return how far an attempt is by `uuid_dump` of the employee's leg."""
    if _NO_SUCH in dump.lower():
        return NotSeen()
    pairs = (line.partition(":") for line in dump.splitlines())
    told = {name.strip().lower(): unquote(value.strip()) for name, colon, value in pairs if colon}
    if not told.get("unique-id"):
        return CannotTell("FreeSWITCH did not say how far the call is")
    if told.get("answer-state") != "answered":
        return Live("operator_ringing")
    if told.get("variable_bridge_uuid"):
        return Live("talking")
    return Live("client_ringing" if told.get("other-leg-unique-id") else "operator_answered")


def killed(body: str) -> CancelResult:
    """Return what the answer to `uuid_kill` means."""
    if body.strip().startswith("+OK"):
        return Cancelled()
    return NotSeen() if _NO_SUCH in body.lower() else CannotTell(body.strip() or "FreeSWITCH did not answer")
