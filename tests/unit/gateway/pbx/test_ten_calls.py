"""Every PBX tells the same ten calls in its own words, and out come the same ten calls."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from gateway.pbx.asterisk.wire import AmiMessage
from gateway.pbx.kinds import KINDS
from routing.calls.fold import fold
from routing.calls.lost import close_lost
from routing.calls.model import Call, CallEvent, Disposition
from tests.unit.gateway.pbx.ten_calls import LINE, PLANS, START, TELLERS, Plan, Teller

LATER = START + timedelta(hours=6)

kinds = pytest.mark.parametrize("kind", TELLERS)
plans = pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)


def by_call(events: list[CallEvent]) -> dict[str, Call]:
    keys = dict.fromkeys(event.call_key for event in events)
    return {key: fold([event for event in events if event.call_key == key]) for key in keys}


def closed(call: Call) -> Call:
    """What the timer leaves of it, where it has to."""
    return close_lost(call, LATER)


def told(call: Call) -> dict[str, Any]:
    """All that the matrix looks at, times as seconds since the start of the test."""
    call = closed(call)
    return {
        "direction": call.direction,
        "client": call.client,
        "line": call.line,
        "disposition": call.disposition,
        "talks": [(talk.party, (talk.started_at - START).total_seconds()) for talk in call.talks],
        "rung": sorted(call.rung),
        "talk_seconds": call.talk_seconds,
        "started": (call.started_at - START).total_seconds(),
        "ended": None
        if call.is_end_lost
        else (call.ended_at - START).total_seconds()
        if call.ended_at
        else None,
        "is_callback": call.is_callback,
        "is_end_lost": call.is_end_lost,
    }


def wanted(plan: Plan) -> dict[str, Any]:
    talks = [
        (part.party, float(plan.begins + part.answered)) for part in plan.parts if part.answered is not None
    ]
    return {
        "direction": plan.direction,
        "client": plan.client,
        "line": LINE if plan.client else None,
        "disposition": Disposition.ANSWERED if talks else Disposition.NO_ANSWER,
        "talks": talks,
        "rung": sorted(part.party for part in plan.parts),
        "talk_seconds": plan.talk_seconds,
        "started": float(plan.begins),
        "ended": None if plan.ended is None else float(plan.begins + plan.ended),
        "is_callback": plan.is_callback,
        "is_end_lost": plan.ended is None,
    }


def _is_own_word_of_dialplan(message: Any) -> bool:
    return isinstance(message, AmiMessage) and message.event == "UserEvent"


def everything(teller: Teller) -> list[Any]:
    return [message for plan in PLANS for message in teller.tell(plan)]


def test_every_kind_that_can_be_connected_is_told_of_here() -> None:
    assert TELLERS.keys() == KINDS.keys()


@kinds
@plans
def test_the_call_comes_out_as_it_was(kind: str, plan: Plan) -> None:
    teller = TELLERS[kind]
    calls = by_call(teller.events(teller.tell(plan)))
    assert list(calls) == [plan.name]
    assert told(calls[plan.name]) == wanted(plan)


@kinds
def test_all_calls_at_once_come_out_as_they_were(kind: str) -> None:
    calls = by_call(TELLERS[kind].events(everything(TELLERS[kind])))
    assert {name: told(call) for name, call in calls.items()} == {plan.name: wanted(plan) for plan in PLANS}


@kinds
@pytest.mark.parametrize("seed", range(10))
def test_shuffled_and_doubled_they_are_the_same_calls(kind: str, seed: int) -> None:
    teller, dice = TELLERS[kind], random.Random(seed)
    straight = by_call(teller.events(everything(teller)))
    messages = everything(teller)
    if not teller.is_ordered:
        messages = messages + [message for message in messages if dice.random() < 0.5]
        dice.shuffle(messages)
    events = teller.events(messages)
    events += [event for event in events if dice.random() < 0.5]
    dice.shuffle(events)
    assert by_call(events) == straight


@kinds
@plans
def test_with_any_single_message_lost_the_call_comes_out_the_same(kind: str, plan: Plan) -> None:
    """What the matrix decides by stays; a length that only the lost message told may be unknown."""
    if plan.ended is None:
        return  # it has lost its hangup already
    teller = TELLERS[kind]
    messages = teller.tell(plan)
    right = wanted(plan)
    for lost in range(len(messages)):
        calls = by_call(teller.events(messages[:lost] + messages[lost + 1 :]))
        assert list(calls) == [plan.name], lost
        found = told(calls[plan.name])
        for name in ("direction", "client", "line", "disposition", "is_callback"):
            if name == "is_callback" and _is_own_word_of_dialplan(messages[lost]):
                continue  # that the client asked for it is known to nobody else
            assert found[name] == right[name], (lost, name)
        first = found["talks"][0][0] if found["talks"] else None
        assert first == (plan.talkers[0] if plan.talkers else None), lost
        assert {party for party, _ in found["talks"]} <= set(plan.talkers), lost
        assert found["talk_seconds"] in (right["talk_seconds"], None), lost


@kinds
def test_a_call_that_goes_on_is_not_over(kind: str) -> None:
    teller = TELLERS[kind]
    (plan,) = (plan for plan in PLANS if plan.ended is None)
    (call,) = by_call(teller.events(teller.tell(plan))).values()
    assert (call.is_over, call.disposition, call.answered_by) == (False, Disposition.TALKING, "101")
