"""Orders to MANGO to call, and what its result codes mean for them. Pure.

A result says that the order was taken (1000) or why not; nothing about the talk. It may stand in the answer, or come later as
a notification `result/callback`. The meanings are the vendor's; which of them it sends for which order is not confirmed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from gateway.pbx.capabilities import PlaceOrder, PlaceUnknown, RefusedByPbx
from gateway.pbx.mango.commands import Command
from gateway.pbx.port import WireInvalid
from gateway.pbx.reading.payload import as_count, json_object
from routing.dialable import is_extension, is_number
from routing.outbound.attempts import attempt_id_in

_Concerns = Literal["this_call", "connection", "limit"]
_is_line = re.compile(r"[0-9A-Za-z._@-]{1,64}", re.ASCII).fullmatch
_is_short_number = re.compile(r"[0-9]{1,10}", re.ASCII).fullmatch

_MEANINGS: Mapping[int, tuple[str, str, _Concerns]] = {
    2211: ("day-limit", "the day's limit of the account is reached", "connection"),
    2212: ("month-limit", "the month's limit of the account is reached", "connection"),
    2220: ("too-many-calls", "too many calls at once", "limit"),
    2230: ("service-off", "the service is switched off", "connection"),
    2240: ("no-money", "no money on the account", "connection"),
    2300: ("direction-forbidden", "calls in this direction are forbidden", "this_call"),
    3101: ("order-invalid", "the request has no form that MANGO reads", "connection"),
    3102: ("pbx-refused", "the signature is wrong", "connection"),
    3124: ("line-unfit", "the line cannot be used for it", "this_call"),
    3136: ("bad-number", "this is no number that can be called", "this_call"),
    3300: ("no-such-object", "there is no such employee or group", "this_call"),
    3330: ("foreign-number", "the number is not of this VPBX", "this_call"),
    4001: ("not-supported", "the VPBX does not support it", "connection"),
    5008: ("pbx-throttled", "asked too often", "limit"),
}
_CLASSES: Mapping[int, tuple[str, str, _Concerns]] = {
    2: ("billing", "refused by the billing", "connection"),
    3: ("order-invalid", "a parameter is wrong", "this_call"),
    4: ("call-limit", "the call is not possible now", "limit"),
}


def ordered_command(order: PlaceOrder) -> Command:
    """Return the order: the employee or the group is rung first. Raises WireInvalid naming what is none of its kind."""
    _check("attempt_id", attempt_id_in(order.attempt_id) == order.attempt_id)
    _check("number", is_number(order.number))
    line = None if order.line is None else order.line.removeprefix("+")
    _check("line", order.group is None if line is None else _is_line(line))  # a group's call must have one
    payload: dict[str, Any] = {"command_id": order.attempt_id}
    if order.group is not None:
        _check("group", order.extension is None and _is_short_number(order.group))
        payload |= {"from": order.group, "to": order.number.removeprefix("+")}
    else:
        _check("extension", is_extension(order.extension or ""))
        payload |= {"from": {"extension": order.extension}, "to_number": order.number.removeprefix("+")}
    if line:
        payload["line_number"] = line
    return Command("commands/callback" if order.group is None else "commands/callback_group", payload)


def hangup_command(call_id: str, command_id: str) -> Command:
    return Command("commands/call/hangup", {"command_id": command_id, "call_id": call_id})


def result_in(body: bytes) -> int | None:
    """Return the code that an answer carries; None where it has none, which is as good as taken."""
    try:
        return as_count(json_object(body, "body").get("result"), "result") if body.strip() else None
    except WireInvalid:
        return None


def refused_with(code: int) -> RefusedByPbx | None:
    """Return what a result code means for an order; None for one that was taken, and for a fault of MANGO's own, after which
    the call may come or not."""
    family = code // 1000
    meaning = _MEANINGS.get(code) or _CLASSES.get(family)
    if meaning is None:
        return None
    ours, words, concerns = meaning
    return RefusedByPbx(code=ours, words=f"MANGO {code}: {words}", concerns=concerns)


def told_by(code: int | None) -> RefusedByPbx | PlaceUnknown | None:
    """Return what the answer to an order says; None: it was taken."""
    if code is None or code // 1000 == 1:
        return None
    return refused_with(code) or PlaceUnknown(f"MANGO {code}")


def _check(name: str, is_right: object) -> None:
    if not is_right:
        raise WireInvalid(name, "is not what MANGO could be given")
