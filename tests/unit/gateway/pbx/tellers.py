"""Each PBX's own way of telling a plan: what it sends, in the order in which it would."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from gateway.pbx.connection import Connection
from gateway.pbx.kinds import KINDS
from gateway.pbx.port import Inbound
from routing.calls.model import CallEvent, Disposition, FailedSide
from tests.unit.gateway.pbx.builders import a_connection, a_request
from tests.unit.gateway.pbx.planned_calls import LINE, PLANS, Part, Plan
from tests.unit.gateway.pbx.tell_asterisk import read_asterisk, tell_asterisk
from tests.unit.gateway.pbx.tell_mango import SALT, tell_mango


@dataclass
class Teller:
    """A PBX: how it tells a plan, one item per message, and how messages become events."""

    kind: str
    in_order: Callable[[Plan], list[Any]]
    connection: Connection
    read: Callable[[list[Any], Connection], list[CallEvent]] | None = None
    is_ordered: bool = False  # a stream that cannot be reordered: only the events that come out can
    tells_who_leaves: bool = True  # else the length of a talk is what the PBX bills

    @property
    def plans(self) -> Sequence[Plan]:
        return [plan for plan in PLANS if self.kind not in plan.but_not]

    def tell(self, plan: Plan) -> list[Any]:
        told = self.in_order(plan)
        return told[::-1] if plan.is_late and not self.is_ordered else told

    def events(self, messages: list[Any]) -> list[CallEvent]:
        if self.read is not None:
            return self.read(messages, self.connection)
        pbx = KINDS[self.kind]
        assert all(pbx.authenticate(message, self.connection) for message in messages)
        return [event for message in messages for event in pbx.parse(message, self.connection).events]


# -- the generic format and the proxy that posts it -------------------------------------------------------------------


def _generic_fields(plan: Plan, event: str, second: int, **more: Any) -> dict[str, Any]:
    sides = {"from": plan.client, "to": LINE, "direction": "in"}
    if plan.direction == "internal":
        sides = {"from": plan.caller, "to": plan.parts[0].party, "direction": "internal"}
    elif plan.is_out:
        sides = {"from": "101", "to": plan.client, "direction": "out"}
    told = {"event": event, "callId": plan.name, **sides, "at": plan.at(second).isoformat(), **more}
    return {**told, "callback": "1"} if plan.is_callback else told


def _rings(plan: Plan) -> list[tuple[int, Part]]:
    """Phones of ours that ring for a call from outside."""
    return [] if plan.is_out else [(part.rang, part) for part in plan.parts if part.rang is not None]


def _steps(plan: Plan) -> list[tuple[int, str, Part]]:
    """ring, answer and leave, by time."""
    steps = [(second, "ringing", part) for second, part in _rings(plan)]
    talked = [part for part in plan.parts if part.answered is not None]
    steps += [(part.answered or 0, "answer", part) for part in talked]
    steps += [(part.left, "leave", part) for part in talked if part.left not in (None, plan.ended)]
    return sorted(steps, key=lambda told: told[0])


def tell_generic(plan: Plan) -> list[Inbound]:
    told = [a_request(query={"token": "demo"}, body=_generic_fields(plan, "newCall", 0))]
    told += [
        _posted(_generic_fields(plan, event, at, extension=part.party)) for at, event, part in _steps(plan)
    ]
    if plan.machine is not None:
        told.append(_posted(_generic_fields(plan, "answer", plan.machine, answeringNumber="voicemail")))
    if plan.ended is not None:
        told.append(_posted(_generic_fields(plan, "hangup", plan.ended, **_generic_end(plan))))
    return told


def _generic_end(plan: Plan) -> dict[str, Any]:
    if plan.answered:
        return {"cause": "normalClearing", "billsec": plan.billed_seconds, "extension": plan.talkers[0]}
    if plan.machine:
        return {"cause": "normalClearing", "answeringNumber": "voicemail"}
    cause = "busy" if plan.disposition is Disposition.BUSY else "noAnswer"
    return {"cause": cause, **({"side": plan.failed_side.value} if plan.failed_side else {})}


def _posted(fields: dict[str, Any]) -> Inbound:
    return a_request(query={"token": "demo"}, form=fields)


def tell_kamailio(plan: Plan) -> list[Inbound]:
    told = [_posted(_generic_fields(plan, "invite", 0))]
    told += [
        _posted(_generic_fields(plan, event, at, user=part.party))
        for at, event, part in _steps(plan)
        if event != "leave"
    ]
    if plan.ended is not None and plan.answered:
        more = {"billsec": plan.billed_seconds, "user": plan.talkers[0]}
        told.append(_posted(_generic_fields(plan, "bye", plan.ended, **more)))
    elif plan.ended is not None:
        code = "486" if plan.disposition is Disposition.BUSY else "408"
        side = {"side": plan.failed_side.value} if plan.failed_side else {}
        told.append(_posted(_generic_fields(plan, "failure", plan.ended, code=code, **side)))
    return told


# -- Ringostat --------------------------------------------------------------------------------------------------------


def tell_ringostat(plan: Plan) -> list[Inbound]:
    sides = {"caller": plan.client or plan.caller, "callee": LINE if plan.client else plan.parts[0].party}
    call_type = {"call_type": "callback" if plan.is_callback else "in"}
    if plan.is_out:
        sides, call_type = {"caller": "101", "callee": plan.client}, {"call_type": "out"}
        if plan.is_callback:
            call_type["insertion_type"] = "callback"
    both = {"call_id": plan.name, **sides, **call_type, "calldate": f"{plan.at(0):%Y-%m-%d %H:%M:%S}"}

    def hook(moment: str, **more: Any) -> Inbound:
        return a_request(moment, query={"token": "demo", **{k: str(v) for k, v in {**both, **more}.items()}})

    told = [hook("before-call")]
    for at, event, part in _steps(plan):
        if event == "leave":
            continue
        moment, when = ("forwarding", "duration") if event == "ringing" else ("on_answer", "waittime")
        told.append(hook(moment, employee_number=part.party, **{when: at}))
    if plan.ended is not None:
        talked = {"billsec": plan.billed_seconds, "waittime": plan.answered or plan.ended}
        who = {"employee_number": plan.talkers[0]} if plan.answered else {}
        told.append(
            hook("after_call", disposition=_ringostat_status(plan), duration=plan.ended, **talked, **who)
        )
    return told


def _ringostat_status(plan: Plan) -> str:
    if plan.answered:
        return "PROPER"
    if plan.machine:
        return "VOICEMAIL"
    if plan.is_callback and plan.failed_side is FailedSide.CLIENT_NOT_REACHED:
        return "CLIENT+NO+ANSWER"
    return "BUSY" if plan.disposition is Disposition.BUSY else "NO+ANSWER"


# -- FreeSWITCH -------------------------------------------------------------------------------------------------------


def tell_freeswitch(plan: Plan) -> list[Inbound]:
    """What the recipe posts while the call lasts, and one report per leg at its end."""
    live = tell_generic(replace(plan, ended=None))
    if plan.ended is None:
        return live
    first, caller, called = _first_leg(plan)
    bridged = (
        0 if plan.answered is None or "conference_name" in first else plan.epoch(plan.answered) * 1_000_000
    )
    profile = {"caller_id_number": caller, "destination_number": called}
    flow = [{"caller_profile": profile, "times": {"bridged_time": str(bridged)}}]
    return [*live, _report({"variables": first, "callflow": flow}), *map(_report, _second_legs(plan))]


def _first_leg(plan: Plan) -> tuple[dict[str, Any], str | None, str | None]:
    """Its variables, who called and who was called."""
    ended = plan.ended or 0
    variables: dict[str, Any] = {
        "uuid": plan.name,
        "direction": "inbound",
        "start_epoch": str(plan.epoch(0)),
        "end_epoch": str(plan.epoch(ended)),
        "hangup_cause": "NORMAL_CLEARING" if plan.answered else "NO_ANSWER",
    }
    if plan.disposition is Disposition.BUSY:
        variables["hangup_cause"] = "USER_BUSY"
    if plan.answered:
        variables["bridge_channel"] = f"sofia/internal/{plan.talkers[0]}@pbx"
    if plan.is_room:
        variables["conference_name"] = "77"
    if plan.answered or plan.machine or plan.failed_side is FailedSide.EMPLOYEE_HUNG_UP:
        variables["answer_epoch"] = str(plan.epoch(plan.answered or plan.machine or 3))
    if plan.failed_side is FailedSide.CLIENT_NOT_REACHED:
        variables |= {"originate_disposition": "NO_ANSWER", "answer_epoch": str(plan.epoch(2))}
    if plan.is_callback and not plan.is_out:
        variables |= {"callmatrix_callback": "1", "callmatrix_direction": "in"}
    if plan.origin == "click":
        return {**variables, "direction": "outbound", "dialed_user": "101"}, plan.client, "101"
    if plan.origin == "client_first":
        up = {"answer_epoch": str(plan.epoch(1))}
        return {**variables, "direction": "outbound", **up}, LINE, plan.client
    if plan.is_out:
        return variables, "101", plan.client
    return variables, plan.client or plan.caller, LINE if plan.client else plan.parts[0].party


def _second_legs(plan: Plan) -> list[dict[str, Any]]:
    """Phones that were rung, and of an outgoing call the client's. Which variable links them differs."""
    legs = []
    for n, part in enumerate(part for part in plan.parts if part.rang is not None and plan.origin != "click"):
        leg = {
            "uuid": f"{plan.name} {n}",
            ("originating_leg_uuid" if n % 2 else "call_uuid"): plan.name,
            "dialed_user": part.party,
            "start_epoch": str(plan.epoch(part.rang or 0)),
            "answer_epoch": str(plan.epoch(part.answered) if part.answered else 0),
            "end_epoch": str(plan.epoch(part.left or plan.ended or 0)),
            "hangup_cause": "NORMAL_CLEARING" if part.answered else "NO_ANSWER",
        }
        legs.append({"variables": leg})
    if plan.origin in ("phone", "click") and plan.failed_side in (None, FailedSide.CLIENT_NOT_REACHED):
        leg = {
            "uuid": f"{plan.name} c",
            "originating_leg_uuid": plan.name,
            "destination_number": plan.client or "",
        }
        times = {"start_epoch": str(plan.epoch(0)), "end_epoch": str(plan.epoch(plan.ended or 0))}
        answer = {"answer_epoch": str(plan.epoch(plan.answered) if plan.answered else 0)}
        cause = "NORMAL_CLEARING" if plan.answered else "NO_ANSWER"
        legs.append({"variables": {**leg, **times, **answer, "direction": "outbound", "hangup_cause": cause}})
    return legs


def _report(report: dict[str, Any]) -> Inbound:
    """Base64, with every value URL-encoded, as the module does by default."""
    variables = {name: quote(value, safe="") for name, value in report["variables"].items()}
    body = base64.b64encode(json.dumps({**report, "variables": variables}).encode())
    return a_request(
        query={"token": "demo", "uuid": "x"},
        body=b"cdr=" + body,
        headers={"Content-Type": "application/x-www-form-base64-encoded"},
    )


TELLERS = {
    teller.kind: teller
    for teller in (
        Teller("generic", tell_generic, a_connection("generic")),
        Teller("ringostat", tell_ringostat, a_connection("ringostat"), tells_who_leaves=False),
        Teller("mango", tell_mango, a_connection("mango", keys={"api_key": "key", "api_salt": SALT})),
        Teller("kamailio", tell_kamailio, a_connection("kamailio"), tells_who_leaves=False),
        Teller("freeswitch", tell_freeswitch, a_connection("freeswitch")),
        Teller(
            "asterisk",
            tell_asterisk,
            a_connection("asterisk", settings={"trunks": ["trunk", "provider"]}),
            read=read_asterisk,
            is_ordered=True,
        ),
    )
}
