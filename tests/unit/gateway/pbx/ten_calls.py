"""The ten calls that every PBX must tell alike: a plan without any vendor's words, and each PBX's way of telling it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from gateway.pbx.asterisk.legs import Legs, step, sweep
from gateway.pbx.asterisk.wire import AmiMessage
from gateway.pbx.connection import Connection
from gateway.pbx.kinds import KINDS
from gateway.pbx.mango.signing import signed_form
from gateway.pbx.port import Inbound
from routing.calls.model import CallEvent
from tests.unit.gateway.pbx.ami_talk import Talk
from tests.unit.gateway.pbx.builders import FORM, a_connection, a_request

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LINE = "74951234567"
SALT = "salt"


@dataclass(frozen=True)
class Part:
    """One phone: who, when it rang, was answered and was left, in seconds of the call; None = never."""

    party: str
    rang: int
    answered: int | None = None
    left: int | None = None


@dataclass(frozen=True)
class Plan:
    """One call as it was. ended None: the PBX never says. begins: seconds after START. is_late: what comes last is told first."""

    name: str
    client: str | None
    parts: tuple[Part, ...]
    ended: int | None
    direction: str = "inbound"
    caller: str | None = None
    is_callback: bool = False
    is_late: bool = False
    begins: int = 0

    @property
    def talkers(self) -> list[str]:
        return [part.party for part in self.parts if part.answered is not None]

    @property
    def answered(self) -> int | None:
        return min((part.answered for part in self.parts if part.answered is not None), default=None)

    @property
    def talk_seconds(self) -> int | None:
        if self.ended is None:
            return None
        return 0 if self.answered is None else self.ended - self.answered

    def at(self, second: int) -> datetime:
        return START + timedelta(seconds=self.begins + second)

    def epoch(self, second: int) -> int:
        return int(self.at(second).timestamp())


TALKED = (Part("101", 1, 5, 35),)
MISSED = (Part("101", 1, None, 21),)

PLANS = (
    Plan("answered", "79001110001", TALKED, 35),
    Plan("missed", "79001110002", MISSED, 21),
    Plan("transferred", "79001110003", (Part("101", 1, 5, 20), Part("102", 20, 25, 60)), 60),
    Plan("ring-all", "79001110004", tuple(Part(p, 1, None, 21) for p in ("101", "102", "103")), 21),
    Plan("callback", "79001110005", TALKED, 35, is_callback=True),
    Plan("internal", None, (Part("102", 1, 5, 15),), 15, direction="internal", caller="101"),
    Plan("anonymous", "anonymous", TALKED, 35),
    Plan("at once, first", "79001110008", TALKED, 35),
    Plan("at once, second", "79001110008", MISSED, 21, begins=2),
    Plan("no hangup", "79001110009", (Part("101", 1, 5, None),), None),
    Plan("late answer", "79001110010", TALKED, 35, is_late=True),
)


@dataclass
class Teller:
    """A PBX: how it tells a plan, one item per message, and how messages become events."""

    kind: str
    tell: Callable[[Plan], list[Any]]
    connection: Connection
    read: Callable[[list[Any], Connection], list[CallEvent]] | None = None
    is_ordered: bool = False  # a stream that cannot be reordered: only the events that come out can
    more: dict[str, Any] = field(default_factory=dict)

    def events(self, messages: list[Any]) -> list[CallEvent]:
        if self.read is not None:
            return self.read(messages, self.connection)
        pbx = KINDS[self.kind]
        assert all(pbx.authenticate(message, self.connection) for message in messages)
        return [event for message in messages for event in pbx.parse(message, self.connection).events]


def _generic_fields(plan: Plan, event: str, second: int, **more: Any) -> dict[str, Any]:
    sides = {"from": plan.client, "to": LINE, "direction": "in"}
    if plan.direction == "internal":
        sides = {"from": plan.caller, "to": plan.parts[0].party, "direction": "internal"}
    told = {"event": event, "callId": plan.name, **sides, "at": plan.at(second).isoformat(), **more}
    return {**told, "callback": "1"} if plan.is_callback else told


def _ordered(plan: Plan, told: list[Inbound]) -> list[Inbound]:
    return list(reversed(told)) if plan.is_late else told


def tell_generic(plan: Plan) -> list[Inbound]:
    told = [a_request(query={"token": "demo"}, body=_generic_fields(plan, "newCall", 0))]
    for part in plan.parts:
        told.append(_posted(_generic_fields(plan, "ringing", part.rang, extension=part.party)))
        if part.answered is not None:
            told.append(_posted(_generic_fields(plan, "answer", part.answered, extension=part.party)))
    if plan.ended is not None:
        more: dict[str, Any] = {"cause": "normalClearing" if plan.answered else "noAnswer"}
        if plan.answered:
            more |= {"billsec": plan.talk_seconds, "extension": plan.talkers[0]}
        told.append(_posted(_generic_fields(plan, "hangup", plan.ended, **more)))
    return _ordered(plan, told)


def _posted(fields: dict[str, Any]) -> Inbound:
    return a_request(query={"token": "demo"}, form=fields)


def tell_kamailio(plan: Plan) -> list[Inbound]:
    told = [_posted(_generic_fields(plan, "invite", 0))]
    for part in plan.parts:
        told.append(_posted(_generic_fields(plan, "ringing", part.rang, user=part.party)))
        if part.answered is not None:
            told.append(_posted(_generic_fields(plan, "answer", part.answered, user=part.party)))
    if plan.ended is not None and plan.answered:
        more = {"billsec": plan.talk_seconds, "user": plan.talkers[0]}
        told.append(_posted(_generic_fields(plan, "bye", plan.ended, **more)))
    elif plan.ended is not None:
        told.append(_posted(_generic_fields(plan, "failure", plan.ended, code="408")))
    return _ordered(plan, told)


def tell_ringostat(plan: Plan) -> list[Inbound]:
    sides = {"caller": plan.client or plan.caller, "callee": LINE if plan.client else plan.parts[0].party}
    call_type = {"call_type": "callback" if plan.is_callback else "in"}
    both = {"call_id": plan.name, **sides, **call_type, "calldate": f"{plan.at(0):%Y-%m-%d %H:%M:%S}"}

    def hook(moment: str, **more: Any) -> Inbound:
        return a_request(moment, query={"token": "demo", **{k: str(v) for k, v in {**both, **more}.items()}})

    told = [hook("before-call")]
    for part in plan.parts:
        told.append(hook("forwarding", employee_number=part.party, duration=part.rang))
        if part.answered is not None:
            told.append(hook("on_answer", employee_number=part.party, waittime=part.answered))
    if plan.ended is not None:
        more: dict[str, Any] = {
            "duration": plan.ended,
            "billsec": plan.talk_seconds,
            "waittime": plan.answered or plan.ended,
        }
        status = "NO+ANSWER"
        if plan.answered:
            status, more = "PROPER", {**more, "employee_number": plan.talkers[0]}
        told.append(hook("after_call", disposition=status, **more))
    return _ordered(plan, told)


def tell_mango(plan: Plan) -> list[Inbound]:
    told = []

    def leg(second: int, call_id: str, seq: int, state: str, location: str, **more: Any) -> None:
        sides: dict[str, Any] = {"from": {"number": plan.client}, "to": {"number": LINE, "line_number": LINE}}
        if plan.direction == "internal":
            sides = {
                "from": {"extension": plan.caller, "number": "sip:a@b"},
                "to": {"number": plan.parts[0].party},
            }
        sides["to"] |= more.pop("to", {})
        sides["from"] |= more.pop("from_", {})
        told.append(
            _mango(
                "call",
                {
                    "entry_id": plan.name,
                    "call_id": call_id,
                    "timestamp": str(plan.epoch(second)),
                    "seq": str(seq),
                    "call_state": state,
                    "location": location,
                    **sides,
                    **more,
                },
            )
        )

    if plan.is_callback:
        _mango_callback(plan, leg)
    else:
        _mango_legs(plan, leg)
    if plan.ended is not None:
        told.append(_mango("summary", _mango_summary(plan)))
    return _ordered(plan, told)


def _mango_callback(plan: Plan, leg: Callable[..., None]) -> None:
    asked = {"callback_initiator": "\u0421allbackWidget"}  # the vendor's own Cyrillic letter
    leg(0, "l1", 1, "Appeared", "abonent", to={"extension": "101"}, **asked)
    leg(2, "l1", 2, "Connected", "abonent", to={"extension": "101"}, **asked)
    client = {
        "from_": {"extension": "101", "number": LINE},
        "to": {"number": plan.client, "line_number": LINE},
    }
    leg(2, "l2", 1, "Appeared", "abonent", **client, **asked)
    leg(5, "l2", 2, "Connected", "abonent", **client, **asked)
    leg(35, "l2", 3, "Disconnected", "abonent", disconnect_reason="1120", **client, **asked)
    leg(35, "l1", 3, "Disconnected", "abonent", disconnect_reason="1100", to={"extension": "101"}, **asked)


def _mango_legs(plan: Plan, leg: Callable[..., None]) -> None:
    taken: dict[str, Any] = {}
    if plan.direction == "inbound":
        leg(0, "menu", 1, "Appeared", "ivr")
        leg(0, "menu", 2, "Connected", "ivr")
        leg(1, "menu", 3, "Disconnected", "ivr", disconnect_reason=1170)
        taken = {"from_": {"taken_from_call_id": "menu"}}
    for n, part in enumerate(plan.parts):
        where = {"to": {"extension": part.party, "number": f"sip:{part.party}@x.mangosip.ru"}, **taken}
        leg(part.rang, f"leg{n}", 1, "Appeared", "abonent", **where)
        if part.answered is not None:
            leg(part.answered, f"leg{n}", 2, "Connected", "abonent", **where)
        if part.left is not None:
            reason = 1111 if part.answered is None else 1110
            leg(part.left, f"leg{n}", 3, "Disconnected", "abonent", disconnect_reason=reason, **where)


def _mango_summary(plan: Plan) -> dict[str, Any]:
    ours = {"extension": (plan.talkers or ["101"])[0], "number": "sip:101@x.mangosip.ru"}
    theirs = {"number": plan.client} if plan.client else {"extension": plan.caller, "number": "sip:a@b"}
    is_out = plan.is_callback  # the PBX dialled
    return {
        "entry_id": plan.name,
        "call_direction": 2 if is_out else 0 if plan.direction == "internal" else 1,
        "from": ours if is_out else theirs,
        "to": theirs if is_out else ours,
        "line_number": LINE if plan.client else "",
        "create_time": plan.epoch(0),
        "forward_time": plan.epoch(1),
        "talk_time": str(plan.talk_seconds),
        "end_time": plan.epoch(plan.ended or 0),
        "entry_result": 1 if plan.answered else 0,
        "disconnect_reason": 1110 if plan.answered else 1111,
    }


def _mango(name: str, payload: dict[str, Any]) -> Inbound:
    return a_request(f"events/{name}", body=signed_form("key", SALT, payload), headers={"Content-Type": FORM})


def tell_freeswitch(plan: Plan) -> list[Inbound]:
    """What the recipe posts while the call lasts, and one report per leg at its end."""
    live = tell_generic(Plan(**{**plan.__dict__, "ended": None, "is_late": False}))
    if plan.ended is None:
        return live
    caller, called = plan.client or plan.caller, LINE if plan.client else plan.parts[0].party
    bridged = plan.epoch(plan.answered) * 1_000_000 if plan.answered else 0
    first: dict[str, Any] = {
        "uuid": plan.name,
        "direction": "inbound",
        "start_epoch": str(plan.epoch(0)),
        "end_epoch": str(plan.epoch(plan.ended)),
        "hangup_cause": "NORMAL_CLEARING" if plan.answered else "NO_ANSWER",
    }
    if plan.answered:
        first |= {
            "bridge_channel": f"sofia/internal/{plan.talkers[0]}@pbx",
            "answer_epoch": str(plan.epoch(5)),
        }
    if plan.is_callback:
        first |= {"callmatrix_callback": "1", "callmatrix_direction": "in"}
    profile = {"caller_id_number": caller, "destination_number": called}
    flow = [{"caller_profile": profile, "times": {"bridged_time": str(bridged)}}]
    told = [*live, _cdr({"variables": first, "callflow": flow})]
    for n, part in enumerate(plan.parts):
        leg = {
            "uuid": f"{plan.name} {n}",
            "call_uuid": plan.name,
            "dialed_user": part.party,
            "start_epoch": str(plan.epoch(part.rang)),
            "answer_epoch": str(plan.epoch(part.answered) if part.answered else 0),
            "end_epoch": str(plan.epoch(part.left or 0)),
            "hangup_cause": "NORMAL_CLEARING" if part.answered else "NO_ANSWER",
        }
        told.append(_cdr({"variables": leg}))
    return _ordered(plan, told)


def _cdr(report: dict[str, Any]) -> Inbound:
    """Base64, with every value URL-encoded, as the module does by default."""
    variables = {name: quote(value, safe="") for name, value in report["variables"].items()}
    body = base64.b64encode(json.dumps({**report, "variables": variables}).encode())
    return a_request(
        query={"token": "demo", "uuid": "x"},
        body=b"cdr=" + body,
        headers={"Content-Type": "application/x-www-form-base64-encoded"},
    )


def tell_asterisk(plan: Plan) -> list[AmiMessage]:
    talk = Talk(plan.name, begins=plan.begins)
    caller = {"anonymous": "<unknown>"}.get(plan.client or "", plan.client or plan.caller or "")
    name = "PJSIP/trunk-00000001" if plan.client else f"PJSIP/{plan.caller}-00000001"
    told = [talk.came_in(0, caller, LINE if plan.client else plan.parts[0].party, name)]
    more = {"Callback": "1"} if plan.is_callback else {}
    told.append(talk.user_event(0, **{"Did": LINE, "Client": plan.client} if plan.client else {}, **more))
    uids = [f"{plan.name}.{n:02}" for n in range(len(plan.parts))]
    steps = []
    for n, part in enumerate(plan.parts):
        steps.append((part.rang, 0, n, part))
        if part.answered is not None:
            steps.append((part.answered, 1, n, part))
        if (part.left is not None and part.left != plan.ended) or part.answered is None:
            steps.append((part.left or 0, -1, n, part))
    for second, step_, n, part in sorted(steps, key=lambda s: (s[0], s[1])):
        uid = uids[n]
        if step_ == 0:
            told += talk.rings(second, plan.name, uid, part.party)
        elif step_ == 1:
            told += talk.answers(second, plan.name, uid)
        elif part.answered is None:
            told += [talk.dial_end(second, plan.name, uid, "NOANSWER"), talk.hangup(second, uid)]
        else:
            told += [*talk.leave(second, f"b{uid}", plan.name, uid), talk.hangup(second, uid)]
    if plan.ended is not None and plan.answered:
        told += talk.parts(plan.ended, plan.name, uids[-1])
    elif plan.ended is not None:
        told.append(talk.hangup(plan.ended, plan.name))
    if plan.ended is not None:
        told.append(talk.cdr(plan.ended, Disposition="ANSWERED", Channel=name))
    return told


def read_asterisk(messages: list[AmiMessage], connection: Connection) -> list[CallEvent]:
    state = Legs()
    events: list[CallEvent] = []
    for told in messages:
        state, happened = step(state, told, START, connection)
        events += happened
    return [*events, *sweep(state, START + timedelta(hours=1))[1]]


TELLERS = {
    teller.kind: teller
    for teller in (
        Teller("generic", tell_generic, a_connection("generic")),
        Teller("ringostat", tell_ringostat, a_connection("ringostat")),
        Teller("mango", tell_mango, a_connection("mango", keys={"api_key": "key", "api_salt": SALT})),
        Teller("kamailio", tell_kamailio, a_connection("kamailio")),
        Teller("freeswitch", tell_freeswitch, a_connection("freeswitch")),
        Teller(
            "asterisk",
            tell_asterisk,
            a_connection("asterisk", settings={"trunks": ["trunk"]}),
            read=read_asterisk,
            is_ordered=True,
        ),
    )
}
