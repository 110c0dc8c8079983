"""Asterisk's way of telling a plan: as a real one did, where there is a recording of such a call, else event by event."""

from __future__ import annotations

import re
from datetime import timedelta

from gateway.pbx.asterisk.legs import Legs, step, sweep
from gateway.pbx.asterisk.wire import AmiMessage, AmiReader
from gateway.pbx.connection import Connection
from routing.calls.model import CallEvent, Disposition, FailedSide
from tests.unit.gateway.pbx.ami_talk import Talk
from tests.unit.gateway.pbx.planned_calls import LINE, START, Plan
from tests.unit.gateway.pbx.recorded_calls import TRUTH, raw_recording

PHONE = "PJSIP/101-00000001"


def tell_asterisk(plan: Plan) -> list[AmiMessage]:
    if plan.recording is not None:
        return _as_recorded(plan, plan.recording)
    if plan.is_out:
        return _click_hung_up(plan) if plan.origin == "click" else _unanswered(plan)
    if plan.is_room:
        return _in_a_room(plan)
    return _called(plan)


def _as_recorded(plan: Plan, name: str) -> list[AmiMessage]:
    """With the plan's client, line, time and key."""
    raw = raw_recording(name)
    old, new = TRUTH[name].client, plan.client
    assert old is not None
    assert new is not None
    raw = raw.replace(old[-10:].encode(), new[-10:].encode())
    raw = re.sub(rb"74950000\d{3}", LINE.encode(), raw)
    first = re.search(rb"Linkedid: (a-\d+\.\d+)\r", raw)
    assert first is not None
    raw = re.sub(re.escape(first[1]) + rb"(?=\r)", plan.name.encode(), raw)
    raw = raw.replace(b": a-179", f": {plan.name} a-179".encode())
    begun = min(float(at) for at in re.findall(rb"Timestamp: ([\d.]+)", raw))
    later = START.timestamp() + plan.begins - begun
    raw = re.sub(rb"(Timestamp: )([\d.]+)", lambda m: m[1] + f"{float(m[2]) + later:.6f}".encode(), raw)
    return list(AmiReader(banner="as read before").feed(raw))


def _called(plan: Plan) -> list[AmiMessage]:
    """Somebody calls, phones ring one after the other or together."""
    talk = Talk(plan.name, begins=plan.begins)
    caller = {"anonymous": "<unknown>"}.get(plan.client or "", plan.client or plan.caller or "")
    name = "PJSIP/trunk-00000001" if plan.client else f"PJSIP/{plan.caller}-00000001"
    told = [talk.came_in(0, caller, LINE if plan.client else plan.parts[0].party, name)]
    more = {"Callback": "1"} if plan.is_callback else {}
    told.append(talk.user_event(0, **{"Did": LINE, "Client": plan.client} if plan.client else {}, **more))
    uids = [f"{plan.name}.{n:02}" for n in range(len(plan.parts))]
    steps = []
    for n, part in enumerate(plan.parts):
        steps.append((part.rang or 0, 0, n, part))
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


def _in_a_room(plan: Plan) -> list[AmiMessage]:
    """The client comes into a conference, 101 dials in. The room's calls have nothing in common but the bridge."""
    talk, phone = Talk(plan.name, begins=plan.begins), Talk(f"{plan.name} phone", begins=plan.begins)
    (part,) = plan.parts
    ended, dialled = plan.ended or 0, (part.answered or 0) - 1
    return [
        talk.came_in(0, plan.client or "", LINE),
        *talk.enter(1, f"room {plan.name}", talk.key),
        talk.bridge(1, "ConfbridgeJoin", talk.key, f"room {plan.name}", 1),
        phone.came_in(dialled, "101", "77", PHONE),
        *phone.enter(part.answered or 0, f"room {plan.name}", phone.key),
        phone.bridge(part.answered or 0, "ConfbridgeJoin", phone.key, f"room {plan.name}", 2),
        *talk.leave(ended, f"room {plan.name}", talk.key),
        talk.hangup(ended, talk.key),
        *phone.leave(ended, f"room {plan.name}", phone.key),
        phone.hangup(ended, phone.key),
        talk.cdr(ended, Disposition="ANSWERED", Channel="PJSIP/trunk-00000001"),
    ]


def _unanswered(plan: Plan) -> list[AmiMessage]:
    """101 calls, the client does not answer."""
    talk, leg, ended = Talk(plan.name, begins=plan.begins), f"{plan.name}.02", plan.ended or 0
    is_busy = plan.disposition is Disposition.BUSY
    return [
        talk.came_in(0, "101", plan.client or "", PHONE),
        *talk.rings(0, plan.name, leg, f"{plan.client}@trunk"),
        talk.dial_end(ended, plan.name, leg, "BUSY" if is_busy else "NOANSWER"),
        talk.hangup(ended, leg, "17" if is_busy else "19"),
        talk.hangup(ended, plan.name),
        talk.cdr(ended, Disposition="NO ANSWER", Channel=PHONE),
    ]


def _click_hung_up(plan: Plan) -> list[AmiMessage]:
    """101 is rung, picks up, and goes before the client is dialled."""
    assert plan.failed_side is FailedSide.EMPLOYEE_HUNG_UP
    talk, ended = Talk(plan.name, begins=plan.begins), plan.ended or 0
    talk.caller[plan.name] = plan.client or ""
    return [
        talk.new(0, plan.name, PHONE, caller=plan.client or ""),
        talk.dial(0, "DialBegin", None, plan.name, DialString="101"),
        talk.dial(3, "DialEnd", None, plan.name, DialStatus="ANSWER"),
        talk.hangup(ended, plan.name),
        talk.cdr(ended, Disposition="ANSWERED", Channel=PHONE),
    ]


def read_asterisk(messages: list[AmiMessage], connection: Connection) -> list[CallEvent]:
    state = Legs()
    events: list[CallEvent] = []
    for told in messages:
        state, happened = step(state, told, START, connection)
        events += happened
    return [*events, *sweep(state, START + timedelta(hours=1))[1]]
