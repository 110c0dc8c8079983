"""Every PBX tells the same calls in its own words, and out come the same calls."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.pbx.asterisk.wire import AmiMessage
from gateway.pbx.kinds import KINDS
from routing.calls.fold import fold
from routing.calls.lost import close_lost
from routing.calls.model import Call, CallEvent, Disposition, FailedSide
from tests.unit.gateway.pbx.planned_calls import LINE, PLANS, START, Plan
from tests.unit.gateway.pbx.tellers import TELLERS, Teller

LATER = START + timedelta(hours=6)
TOLD = [(kind, plan) for kind, teller in TELLERS.items() for plan in teller.plans]

kinds = pytest.mark.parametrize("kind", TELLERS)
each = pytest.mark.parametrize(("kind", "plan"), TOLD, ids=[f"{kind}: {plan.name}" for kind, plan in TOLD])


def by_call(events: list[CallEvent]) -> dict[str, Call]:
    """Of clients, and internal ones where a plan has one: what stands beside a client's call leaves nothing."""
    told = defaultdict[str, list[CallEvent]](list)
    for event in events:
        told[event.call_key].append(event)
    calls = {key: fold(of_one) for key, of_one in told.items()}
    names = {plan.name for plan in PLANS}
    return {key: call for key, call in calls.items() if key in names or call.direction != "internal"}


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
        "failed_side": call.failed_side,
        "talkers": [talk.party for talk in call.talks],
        "talks_at": [(talk.started_at - START).total_seconds() for talk in call.talks],
        "rung": sorted(call.rung) if call.direction != "outbound" else None,
        "talk_seconds": call.talk_seconds,
        "started": (call.started_at - START).total_seconds(),
        "ended": None if call.is_end_lost or not call.ended_at else (call.ended_at - START).total_seconds(),
        "is_callback": call.is_callback,
        "is_end_lost": call.is_end_lost,
    }


def wanted(plan: Plan, kind: str) -> dict[str, Any]:
    talked = sorted(part.answered for part in plan.parts if part.answered is not None)
    return {
        "direction": plan.direction,
        "client": plan.client,
        "line": LINE if plan.client and not plan.is_out else None,
        "disposition": Disposition.ANSWERED if talked else plan.disposition,
        "failed_side": plan.failed_side,
        "talkers": plan.talkers,
        "talks_at": [float(plan.begins + second) for second in talked],
        "rung": sorted(part.party for part in plan.parts) if not plan.is_out else None,
        "talk_seconds": plan.talk_seconds if TELLERS[kind].tells_who_leaves else plan.billed_seconds,
        "started": float(plan.begins),
        "ended": None if plan.ended is None else float(plan.begins + plan.ended),
        "is_callback": plan.is_callback,
        "is_end_lost": plan.ended is None,
    }


def same(found: dict[str, Any], right: dict[str, Any]) -> bool:
    """Times to the second: a plan has whole ones, what a real PBX recorded has not."""
    exact = {name for name, value in right.items() if not isinstance(value, float) and name not in _TIMES}
    return all(found[name] == right[name] for name in exact) and all(
        _near(found[name], right[name]) for name in _TIMES
    )


_TIMES = ("talks_at", "talk_seconds", "started", "ended")


def _near(found: Any, right: Any) -> bool:
    if isinstance(right, list):
        return len(found) == len(right) and all(map(_near, found, right))
    if found is None or right is None:
        return found is right
    return bool(abs(found - right) <= 1)


def everything(teller: Teller) -> list[Any]:
    return [message for plan in teller.plans for message in teller.tell(plan)]


def test_every_kind_that_can_be_connected_is_told_of_here() -> None:
    assert TELLERS.keys() == KINDS.keys()


def test_there_are_calls_enough_and_whoever_makes_calls_tells_nearly_all() -> None:
    assert len(PLANS) >= 25
    few = {kind: len(PLANS) - len(teller.plans) for kind, teller in TELLERS.items()}
    assert {kind: count for kind, count in few.items() if count} == {
        "kamailio": 12,
        "ringostat": 1,
        "mango": 1,
    }


@each
def test_the_call_comes_out_as_it_was(kind: str, plan: Plan) -> None:
    teller = TELLERS[kind]
    calls = by_call(teller.events(teller.tell(plan)))
    assert list(calls) == [plan.name]
    found, right = told(calls[plan.name]), wanted(plan, kind)
    assert same(found, right), {
        name: (found[name], right[name]) for name in right if found[name] != right[name]
    }


@kinds
def test_all_calls_at_once_come_out_as_they_were(kind: str) -> None:
    teller = TELLERS[kind]
    calls = by_call(teller.events(everything(teller)))
    assert calls.keys() == {plan.name for plan in teller.plans}
    wrong = [plan.name for plan in teller.plans if not same(told(calls[plan.name]), wanted(plan, kind))]
    assert wrong == []


@kinds
@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_shuffled_and_doubled_they_are_the_same_calls(kind: str, dice: Any) -> None:
    teller = TELLERS[kind]
    straight = by_call(teller.events(everything(teller)))
    messages = everything(teller)
    if not teller.is_ordered:
        messages = messages + [message for message in messages if dice.random() < 0.5]
        dice.shuffle(messages)
    events = teller.events(messages)
    events += [event for event in events if dice.random() < 0.5]
    dice.shuffle(events)
    assert by_call(events) == straight


def _is_own_word_of_dialplan(message: Any) -> bool:
    return isinstance(message, AmiMessage) and message.event == "UserEvent"


# Recordings lose their messages one by one where they are read (test_asterisk_recorded).
# Who was in a room is in no report of FreeSWITCH's, so there each answer is told once.
LOSABLE = [
    (kind, plan)
    for kind, plan in TOLD
    if plan.ended is not None
    and not (kind == "asterisk" and plan.recording)
    and not (kind == "freeswitch" and plan.is_room)
]


@pytest.mark.parametrize(("kind", "plan"), LOSABLE, ids=[f"{kind}: {plan.name}" for kind, plan in LOSABLE])
def test_with_any_single_message_lost_the_call_comes_out_the_same(kind: str, plan: Plan) -> None:
    """What the matrix decides by stays; a length that only the lost message told may be unknown."""
    teller = TELLERS[kind]
    messages = teller.tell(plan)
    right = wanted(plan, kind)
    for lost in range(len(messages)):
        calls = by_call(teller.events(messages[:lost] + messages[lost + 1 :]))
        assert list(calls) == [plan.name], lost
        found = told(calls[plan.name])
        for name in ("direction", "client", "line", "disposition", "is_callback"):
            if name == "is_callback" and _is_own_word_of_dialplan(messages[lost]):
                continue  # that the client asked for it is known to nobody else
            if name == "client" and plan.origin == "click" and found[name] is None:
                continue  # before the client is dialled, one message knows whom it is for
            if name == "disposition" and not plan.talkers:
                assert found[name] is not Disposition.ANSWERED, lost
                continue
            assert found[name] == right[name], (lost, name)
        first = found["talkers"][0] if found["talkers"] else None
        assert first == (plan.talkers[0] if plan.talkers else None), lost
        assert set(found["talkers"]) <= set(plan.talkers), lost
        assert found["talk_seconds"] is None or _may_be(found["talk_seconds"], plan, found["talkers"]), lost
        assert _is_no_further(found["failed_side"], right["failed_side"]), lost


def _may_be(seconds: int, plan: Plan, talkers: list[str]) -> bool:
    """At least what those talked who are known of, at most all the time until the end."""
    heard = replace(plan, parts=tuple(part for part in plan.parts if part.party in talkers))
    return (heard.talk_seconds or 0) - 1 <= seconds <= (plan.billed_seconds or 0) + 1


def _is_no_further(found: FailedSide | None, right: FailedSide | None) -> bool:
    """What is lost may hide how far a call came, it never takes a call further than it came."""
    ranks: list[FailedSide | None] = [None, *FailedSide]
    return ranks.index(found) <= ranks.index(right)


@kinds
def test_a_call_that_goes_on_is_not_over(kind: str) -> None:
    teller = TELLERS[kind]
    (plan,) = (plan for plan in PLANS if plan.ended is None)
    (call,) = by_call(teller.events(teller.tell(plan))).values()
    assert (call.is_over, call.disposition, call.answered_by) == (False, Disposition.TALKING, "101")
