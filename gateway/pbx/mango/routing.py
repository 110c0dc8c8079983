"""MANGO's way of asking whose client is calling: a call that dwells in a voice menu waits for a routing command. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.pbx import dialects
from gateway.pbx.capabilities import Dwelling
from gateway.pbx.connection import Connection
from gateway.pbx.mango.paths import event_name
from gateway.pbx.mango.signing import read_signed
from gateway.pbx.mango.wire import CommandResult, parse_result
from gateway.pbx.parties import clean_number
from gateway.pbx.port import Inbound, LookupRequest, WireInvalid
from gateway.pbx.reading.payload import as_text, json_object

_MOST_NAME = 60
_RESULTS = ("result/route", "result/callback", "result/callback_group")


def dwelling_call(request: Inbound, connection: Connection) -> Dwelling | None:
    """None for every other notification: legs of employees, outbound calls, calls that come back from somebody.

    Only the call's first leg counts: one that returned to the menu was routed already, and nobody answered.
    Where setting `routes_calls` is off, nothing is ever read.
    """
    if not connection.switch("routes_calls") or event_name(request.path) != "call":
        return None
    try:
        told = json_object(read_signed(request.body).json, "json")
        caller, called = _side(told.get("from")), _side(told.get("to"))
        location = as_text(told.get("location"), "location") or ""
        leg, call_key = as_text(told.get("call_id"), "call_id"), as_text(told.get("entry_id"), "entry_id")
        is_first = as_text(caller.get("taken_from_call_id"), "taken_from_call_id") is None
        is_ours = as_text(caller.get("extension"), "extension") is not None
        phone = clean_number(as_text(caller.get("number"), "number"))
        line = as_text(called.get("line_number"), "line_number") or as_text(called.get("number"), "number")
    except WireInvalid:
        return None
    if told.get("call_state") != "Appeared" or location.partition(".")[0] != "ivr":
        return None
    if (
        not (leg and call_key and is_first)
        or is_ours
        or told.get("callback_initiator")
        or told.get("command_id")
    ):
        return None
    return Dwelling(leg, call_key, LookupRequest(phone=phone, did=line, call_id=call_key))


def destination(answer: Mapping[str, Any], connection: Connection) -> tuple[str, str | None] | None:
    """Where to, and the name for the phone's display, from a lookup's answer; None: the menu's own way is right.

    An extension obeys its owner's schedule. Setting `shows_client_name` puts the client's name on the display, of a
    running campaign's client the campaign too.
    """
    _, body = dialects.write(answer, dialects.in_digits(connection), "text")
    address = body.decode().strip()
    if not address:
        return None
    name = _shown(answer) if connection.switch("shows_client_name") else ""
    return address, " ".join(name.split())[:_MOST_NAME] or None


def _shown(answer: Mapping[str, Any]) -> str:
    """Return the client's name, and behind it the campaign that is calling them."""
    entity, campaign = answer.get("entity") or {}, answer.get("campaign") or {}
    said = (entity.get("name") or campaign.get("client"), campaign.get("name"))
    return " · ".join(text for part in said if (text := str(part or "").strip()))


def command_result(request: Inbound) -> CommandResult | None:
    """Return the outcome of a command of ours that routes or makes a call, None for anything else."""
    name = event_name(request.path)
    if name not in _RESULTS:
        return None
    try:
        return parse_result(name.removeprefix("result/"), read_signed(request.body).json)
    except WireInvalid:
        return None


def _side(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
