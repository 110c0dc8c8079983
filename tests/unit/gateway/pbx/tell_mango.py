"""MANGO's way of telling a plan: notifications leg by leg, and the report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.pbx.port import Inbound
from routing.calls.model import Disposition, FailedSide
from runtime.vendors.mango_signing import signed_form
from tests.unit.gateway.pbx.builders import FORM, a_request
from tests.unit.gateway.pbx.planned_calls import LINE, MOBILE, Plan

SALT = "salt"

Leg = Callable[..., None]


def tell_mango(plan: Plan) -> list[Inbound]:
    told = []

    def leg(second: int, call_id: str, seq: int, state: str, location: str = "abonent", **more: Any) -> None:
        about = {
            "entry_id": plan.name,
            "call_id": call_id,
            "timestamp": str(plan.epoch(second)),
            "seq": str(seq),
        }
        sides = _sides(plan)
        sides["to"] |= more.pop("to", {})
        sides["from"] |= more.pop("from_", {})
        told.append(
            _notification("call", {**about, "call_state": state, "location": location, **sides, **more})
        )

    if plan.is_out:
        _OUTGOING[plan.origin](plan, leg)
    elif plan.is_callback:
        _callback(plan, leg)
    else:
        _incoming(plan, leg)
    if plan.ended is not None:
        told.append(_notification("summary", _summary(plan)))
    return told


def _sides(plan: Plan) -> dict[str, Any]:
    if plan.is_out:
        return {"from": {}, "to": {}}
    if plan.direction == "internal":
        return {
            "from": {"extension": plan.caller, "number": "sip:a@b"},
            "to": {"number": plan.parts[0].party},
        }
    return {"from": {"number": plan.client}, "to": {"number": LINE, "line_number": LINE}}


def _callback(plan: Plan, leg: Leg) -> None:
    asked = {"callback_initiator": "\u0421allbackWidget"}  # the vendor's own Cyrillic letter
    leg(0, "l1", 1, "Appeared", to={"extension": "101"}, **asked)
    leg(2, "l1", 2, "Connected", to={"extension": "101"}, **asked)
    client = {
        "from_": {"extension": "101", "number": LINE},
        "to": {"number": plan.client, "line_number": LINE},
    }
    leg(2, "l2", 1, "Appeared", **client, **asked)
    leg(5, "l2", 2, "Connected", **client, **asked)
    leg(35, "l2", 3, "Disconnected", disconnect_reason="1120", **client, **asked)
    leg(35, "l1", 3, "Disconnected", disconnect_reason="1100", to={"extension": "101"}, **asked)


def _incoming(plan: Plan, leg: Leg) -> None:
    taken: dict[str, Any] = {}
    if plan.direction == "inbound":
        leg(0, "menu", 1, "Appeared", "ivr")
        leg(0, "menu", 2, "Connected", "ivr")
        leg(1, "menu", 3, "Disconnected", "ivr", disconnect_reason=1170)
        taken = {"from_": {"taken_from_call_id": "menu"}}
    for n, part in enumerate(plan.parts):
        ours = {"extension": part.party, "number": f"sip:{part.party}@x.mangosip.ru"}
        where = {"to": {"number": MOBILE} if part.party == MOBILE else ours, **taken}
        begins = part.answered if part.rang is None else part.rang
        leg(begins or 0, f"leg{n}", 1, "Appeared", **where)
        if part.answered is not None:
            leg(part.answered, f"leg{n}", 2, "Connected", **where)
        if part.left is not None:
            reason = 1111 if part.answered is None else 1110
            leg(part.left, f"leg{n}", 3, "Disconnected", disconnect_reason=reason, **where)
    if plan.machine is not None:
        leg(plan.machine, "box", 1, "Appeared", "ivr", **taken)
        leg(plan.machine, "box", 2, "Connected", "ivr", **taken)


def _phone(plan: Plan, leg: Leg, call_id: str = "l1", **more: Any) -> None:
    """101's own call, or the leg to the client once 101 is there."""
    sides = {
        "from_": {"extension": "101", "number": "sip:101@x", **more.pop("from_", {})},
        "to": {"number": plan.client},
    }
    begins = 3 if more else 0
    leg(begins, call_id, 1, "Appeared", **sides, **more)
    if plan.answered is not None:
        leg(plan.answered, call_id, 2, "Connected", **sides, **more)
    reason = 1120 if plan.talkers else 1121 if plan.disposition is Disposition.BUSY else 1111
    leg(plan.ended or 0, call_id, 3, "Disconnected", disconnect_reason=reason, **sides, **more)


def _click(plan: Plan, leg: Leg) -> None:
    asked = {"callback_initiator": "API", "command_id": "c1"}
    first = {"from_": {"number": LINE}, "to": {"extension": "101", "number": "sip:101@x"}}
    leg(0, "l1", 1, "Appeared", **first, **asked)
    if plan.failed_side is FailedSide.EMPLOYEE_NOT_REACHED:
        leg(plan.ended or 0, "l1", 2, "Disconnected", disconnect_reason=1111, **first, **asked)
        return
    leg(2, "l1", 2, "Connected", **first, **asked)
    if plan.failed_side is not FailedSide.EMPLOYEE_HUNG_UP:
        _phone(plan, leg, "l2", from_={"taken_from_call_id": "l1"}, **asked)
    leg(plan.ended or 0, "l1", 3, "Disconnected", disconnect_reason=1100, **first, **asked)


def _client_first(plan: Plan, leg: Leg) -> None:
    asked = {"callback_initiator": "API", "command_id": "c1"}
    client = {"from_": {"number": LINE}, "to": {"number": plan.client}}
    leg(0, "l1", 1, "Appeared", **client, **asked)
    leg(1, "l1", 2, "Connected", **client, **asked)
    ours = {
        "from_": {"number": plan.client, "taken_from_call_id": "l1"},
        "to": {"extension": "101", "number": "sip:101@x"},
    }
    leg(1, "l2", 1, "Appeared", **ours, **asked)
    leg(plan.ended or 0, "l2", 2, "Disconnected", disconnect_reason=1111, **ours, **asked)
    leg(plan.ended or 0, "l1", 3, "Disconnected", disconnect_reason=1110, **client, **asked)


_OUTGOING = {"phone": _phone, "click": _click, "client_first": _client_first}


def _summary(plan: Plan) -> dict[str, Any]:
    talker = (plan.talkers or ["101"])[0]
    ours = (
        {"number": talker} if talker == MOBILE else {"extension": talker, "number": "sip:101@x.mangosip.ru"}
    )
    theirs = {"number": plan.client} if plan.client else {"extension": plan.caller, "number": "sip:a@b"}
    is_out = plan.is_callback or plan.is_out  # the PBX dialled
    reason = 1110 if plan.answered else 1121 if plan.disposition is Disposition.BUSY else 1111
    return {
        "entry_id": plan.name,
        "call_direction": 2 if is_out else 0 if plan.direction == "internal" else 1,
        "from": ours if is_out else theirs,
        "to": theirs if is_out else ours,
        "line_number": LINE if plan.client and not plan.is_out else "",
        "create_time": plan.epoch(0),
        "forward_time": plan.epoch(1),
        "talk_time": str(plan.talk_seconds),
        "end_time": plan.epoch(plan.ended or 0),
        "entry_result": 1 if plan.answered or plan.machine else 0,
        "disconnect_reason": reason,
    }


def _notification(name: str, payload: dict[str, Any]) -> Inbound:
    return a_request(f"events/{name}", body=signed_form("key", SALT, payload), headers={"Content-Type": FORM})
