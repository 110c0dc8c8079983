"""What is told of an ordered call may come late, twice, out of order or never: the outcome is the same, or less is known."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pbx.kinds import KINDS
from gateway.pbx.port import Inbound
from routing.calls.fold import fold
from routing.calls.lost import close_lost
from routing.calls.model import CallEvent
from routing.outbound.outcome import outcome_of
from tests.unit.gateway.pbx import test_asterisk_attempts as asterisk
from tests.unit.gateway.pbx.ami_talk import Talk
from tests.unit.gateway.pbx.builders import a_connection
from tests.unit.gateway.pbx.recorded_calls import recorded
from tests.unit.gateway.pbx.test_asterisk_legs import run
from tests.unit.gateway.pbx.test_asterisk_recorded import events_of
from tests.unit.gateway.pbx.test_failed_side import RUNG_A, RUNG_B, UP_A, a_leg, a_mango_summary

_AFTER = {"operator": 0, "client": 1, "talked": 2}
MANGO = a_connection("mango", keys={"api_key": "key", "api_salt": "salt"})


def _mango(*requests: Inbound) -> list[CallEvent]:
    return [event for one in requests for event in KINDS["mango"].parse(one, MANGO).events]


def _asterisk_talk() -> list[CallEvent]:
    talk = Talk(asterisk.ATTEMPT)
    told = [
        *asterisk.an_originate(talk),
        *talk.rings(5, asterisk.ATTEMPT, asterisk.CLIENT_LEG, f"{asterisk.NUMBER}@trunk"),
        *talk.answers(9, asterisk.ATTEMPT, asterisk.CLIENT_LEG),
        *talk.parts(30, asterisk.ATTEMPT, asterisk.CLIENT_LEG),
    ]
    return run(told)[1]


GONE_A = a_leg("A", "Disconnected", 5, 1100)
SCENES: dict[str, tuple[list[CallEvent], str, str]] = {
    "mango, employee busy": (_mango(RUNG_A, a_leg("A", "Disconnected", 2, 1121), a_mango_summary(1121)), "operator", "busy"),
    "mango, employee left": (_mango(RUNG_A, UP_A, a_leg("A", "Disconnected", 3, 1110), a_mango_summary(1110)), "operator", "hung_up"),
    "mango, client declined": (
        _mango(RUNG_A, UP_A, RUNG_B, a_leg("B", "Disconnected", 4, 1122), GONE_A, a_mango_summary(1122)),
        "client",
        "declined",
    ),
    "mango, no such number": (
        _mango(RUNG_A, UP_A, RUNG_B, a_leg("B", "Disconnected", 4, 1133), GONE_A, a_mango_summary(1133)),
        "client",
        "bad_number",
    ),
    "mango, talk": (
        _mango(RUNG_A, UP_A, RUNG_B, a_leg("B", "Connected", 4), a_leg("B", "Disconnected", 8, 1120), GONE_A),
        "talked",
        "talked",
    ),
    "asterisk, employee busy": (run(asterisk.employees("BUSY", "17"))[1], "operator", "busy"),
    "asterisk, employee declined": (run(asterisk.employees("NOANSWER", "21"))[1], "operator", "declined"),
    "asterisk, client busy": (run(asterisk.clients("BUSY", "17"))[1], "client", "busy"),
    "asterisk, no such number": (run(asterisk.clients("NOANSWER", "1"))[1], "client", "bad_number"),
    "asterisk, talk": (_asterisk_talk(), "talked", "talked"),
}  # fmt: skip
SCENE = st.sampled_from(sorted(SCENES))


def known(events: list[CallEvent]) -> tuple[str, str] | None:
    """After the patience for what is lost: a minute where the legs are known to have gone."""
    call = fold(events)
    outcome = outcome_of(close_lost(call, call.started_at + timedelta(hours=2)))
    assert outcome is not None
    return outcome.side, outcome.reason


@given(SCENE, st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(name: str, chance: Any) -> None:
    events, side, reason = SCENES[name]
    told = [event for event in events for _ in range(chance.randint(1, 3))]
    chance.shuffle(told)
    assert known(told) == (side, reason)
    assert fold(told).attempt == asterisk.ATTEMPT


@given(SCENE, st.data())
def test_what_is_lost_makes_nobody_talk_who_did_not_and_nobody_reached_who_was_not(
    name: str, data: st.DataObject
) -> None:
    events, side, _ = SCENES[name]
    kept = [event for event in events if data.draw(st.booleans())] or events[:1]
    found = known(kept)
    assert found is not None
    assert found[0] == "unknown" or _AFTER[found[0]] <= _AFTER[side]


@given(SCENE, st.data())
def test_an_outgoing_call_of_ours_never_turns_into_one_that_the_client_made(
    name: str, data: st.DataObject
) -> None:
    """While the beginning or the client's leg is known; a report alone says which way it went."""
    events, *_ = SCENES[name]
    kept = [event for event in events if event.direction == "outbound" or data.draw(st.booleans())]
    assert fold(kept).direction == "outbound"


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("click_to_call", ("talked", "talked")),
        ("click_to_a_desk_and_a_mobile", ("talked", "talked")),
        ("click_to_an_own_mobile", ("talked", "talked")),
        ("click_to_call_employee_does_not_answer", ("operator", "no_answer")),
        ("click_to_call_client_does_not_answer", ("client", "no_answer")),
        ("click_to_call_direct_client_does_not_answer", ("client", "cancelled")),
        ("click_to_a_desk_and_a_mobile_client_does_not_answer", ("client", "no_answer")),
        ("click_to_an_own_mobile_client_does_not_answer", ("client", "no_answer")),
    ],
)
def test_recorded_calls_that_asterisk_was_asked_for(name: str, outcome: tuple[str, str]) -> None:
    events = events_of(recorded(name))
    ours = {event.call_key for event in events if event.is_callback}
    (call,) = [fold([e for e in events if e.call_key == key]) for key in ours][:1]
    found = outcome_of(call)
    assert found is not None
    assert (found.side, found.reason) == outcome
