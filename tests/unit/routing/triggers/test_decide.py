"""Whether a trigger fires for a deal, and why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.triggers.causes import Cause, applied
from routing.triggers.decide import MOST_FIRINGS, FiredLately, decide
from routing.triggers.facts import TriggerFacts
from routing.triggers.model import CAUSE_KINDS, Trigger, TypedCondition
from routing.triggers.reasons import FIRING_REASONS, FIRING_STEPS
from tests.unit.routing.triggers.test_conditions import CONDITIONS, FACTS
from tests.unit.routing.triggers.values import condition, facts, trigger

CAME_IN = Cause(on="entered", key="stage:10/11@3", event_id=3, pipeline_id="10", stage_id="11")
WON = Cause(on="won", key="stage:10/142@4", pipeline_id="10", stage_id="142", before="11")
WROTE = Cause(on="client_wrote", key="wrote@5")


def reason(
    one: Trigger, known: TriggerFacts, cause: Cause = CAME_IN, lately: FiredLately | None = None
) -> str:
    return decide(one, cause, known, lately or FiredLately()).reason


def test_a_deal_that_came_in_fires() -> None:
    found = decide(trigger(), CAME_IN, facts(), FiredLately())
    assert (found.outcome, found.reason) == ("queue", "fires")
    assert [s.because for s in found.steps] == ["cause", "stands_there", "fires"]


@pytest.mark.parametrize(
    ("one", "known", "cause", "why"),
    [
        (trigger(is_on=False), facts(), CAME_IN, "switched_off"),
        (trigger(), facts(is_there=False), CAME_IN, "deal_gone"),
        (trigger(), facts(stage_id="12"), CAME_IN, "elsewhere"),
        (trigger(stage_id=None), facts(stage_id="12"), CAME_IN, "elsewhere"),
        (trigger(), facts(stage_id=None, pipeline_id=None), CAME_IN, "elsewhere"),
        (trigger(stage_id=None), facts(is_open=False, stage_id="142"), WROTE, "deal_closed"),
        (trigger(), facts(stage_id="142", is_open=False), WON, "fires"),
        (trigger(), facts(), WON, "elsewhere"),
        (trigger(stage_id="142"), facts(stage_id="142", is_open=False), WROTE, "fires"),
        (trigger(), facts(), applied("p"), "fires"),
        (trigger(), facts(stage_id="12"), applied("p"), "elsewhere"),
    ],
)
def test_where_the_deal_stands_decides_first(
    one: Trigger, known: TriggerFacts, cause: Cause, why: str
) -> None:
    assert reason(one, known, cause) == why


def test_all_conditions_must_hold_and_each_is_told() -> None:
    conditions = [condition("price", "above", "50 000"), condition("tags", "has_any", "new")]
    found = decide(trigger(conditions=conditions), CAME_IN, facts(), FiredLately())
    assert [s.because for s in found.steps] == ["cause", "stands_there", "met", "not_met_by", "not_met"]


def test_what_is_not_known_is_told_apart_from_what_is_not_met() -> None:
    one = trigger(conditions=[condition("tags", "has_none", "new")])
    found = decide(one, CAME_IN, facts(tags=None), FiredLately())
    assert [s.because for s in found.steps] == ["cause", "stands_there", "not_known", "not_met"]


@pytest.mark.parametrize(("fired", "why"), [(MOST_FIRINGS - 1, "fires"), (MOST_FIRINGS, "loop")])
def test_a_circle_ends_after_five_firings(fired: int, why: str) -> None:
    found = decide(trigger(), CAME_IN, facts(), FiredLately(fired=fired))
    assert (found.reason, found.is_loop) == (why, why == "loop")


def test_a_deal_that_does_not_meet_the_conditions_is_no_circle() -> None:
    one = trigger(conditions=[condition("price", "above", "70000")])
    assert reason(one, facts(), lately=FiredLately(fired=99)) == "not_met"


def test_the_same_action_to_one_client_is_left_out_within_the_gap() -> None:
    """Case 5 of the triggers, its second half."""
    assert reason(trigger(), facts(), lately=FiredLately(same_action=True)) == "same_action_lately"


@given(
    st.lists(CONDITIONS, max_size=3), FACTS, st.sampled_from(CAUSE_KINDS), st.integers(0, 9), st.booleans()
)
def test_every_decision_ends_with_its_reason_and_only_codes_of_the_closed_sets(
    conditions: list[TypedCondition], known: TriggerFacts, on: str, fired: int, same: bool
) -> None:
    cause = Cause(on=on, key="k@1", pipeline_id="10", stage_id="11")  # type: ignore[arg-type]
    found = decide(trigger(conditions=conditions), cause, known, FiredLately(fired=fired, same_action=same))
    assert found.reason in FIRING_REASONS
    assert found.steps[-1].because == found.reason
    assert [s.verdict for s in found.steps].count("decided") == 1
    assert {s.because for s in found.steps[:-1]} <= set(FIRING_STEPS)
    assert (found.outcome == "queue") is (found.reason == "fires")
