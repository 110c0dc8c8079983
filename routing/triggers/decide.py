"""Whether a cause starts a trigger's action for a deal, with every step that was looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from routing.decision import Fact, Step, Trace
from routing.triggers.causes import Cause
from routing.triggers.conditions import holds
from routing.triggers.facts import TriggerFacts
from routing.triggers.model import Trigger, TypedCondition
from routing.triggers.reasons import FiringReason

MOST_FIRINGS = 5
LOOP_WINDOW = timedelta(hours=1)
"""One trigger may fire so often for one deal within this time: more is a circle, ours or somebody else's."""
_SHOWN = 200
"""Characters of what a condition asks for, and of what the deal has."""

_MOVES = frozenset(("entered", "created", "won", "lost"))


@dataclass(frozen=True, slots=True, kw_only=True)
class FiredLately:
    """fired: how often this trigger fired for the deal within the loop window. same_action: whether the client got the same
    action within the gap between two calls or texts."""

    fired: int = 0
    same_action: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FiringDecision:
    outcome: Literal["queue", "skip"]
    reason: FiringReason
    steps: Trace

    @property
    def is_loop(self) -> bool:
        return self.reason == "loop"


def decide(trigger: Trigger, cause: Cause, facts: TriggerFacts, lately: FiredLately) -> FiringDecision:
    steps = [Step(trigger.name, "passed", "cause", {"cause": cause.on, "cause_key": cause.key})]
    reason = _stands(trigger, cause, facts)
    if reason is None:
        steps.append(Step(trigger.name, "passed", "stands_there", _place(facts)))
        steps.extend(_conditions(trigger, facts))
        reason = _in_the_end(steps, lately)
    last = Step(trigger.name, "decided", reason, {"fired": lately.fired})
    return FiringDecision(
        outcome="queue" if reason == "fires" else "skip", reason=reason, steps=(*steps, last)
    )


def _stands(trigger: Trigger, cause: Cause, facts: TriggerFacts) -> FiringReason | None:
    """Why it cannot fire whatever the conditions are."""
    if not trigger.is_on:
        return "switched_off"
    if not facts.is_there:
        return "deal_gone"
    if not _is_still_there(trigger, cause, facts):
        return "elsewhere"
    if not facts.is_open and cause.on not in _MOVES and trigger.stage_id is None:
        return "deal_closed"
    return None


def _is_still_there(trigger: Trigger, cause: Cause, facts: TriggerFacts) -> bool:
    """Say it of the trigger's place; a deal that won or lost stands where it ended, perhaps not in the one that the trigger names."""
    if cause.on in ("won", "lost"):
        return (facts.pipeline_id, facts.stage_id) == (cause.pipeline_id, cause.stage_id)
    if cause.stage_id is not None and facts.stage_id != cause.stage_id:
        return False
    return trigger.is_at(facts.pipeline_id, facts.stage_id)


def _conditions(trigger: Trigger, facts: TriggerFacts) -> Iterator[Step]:
    for number, condition in enumerate(trigger.conditions, start=1):
        rule = f"{trigger.name}#{number}"
        found = facts.values_of(condition.of)
        asked = _asked(condition, found)
        if found is None:
            yield Step(rule, "excluded", "not_known", asked)
        elif holds(condition, facts):
            yield Step(rule, "passed", "met", asked)
        else:
            yield Step(rule, "excluded", "not_met_by", asked)


def _asked(condition: TypedCondition, found: tuple[str, ...] | None) -> dict[str, Fact]:
    asked: dict[str, Fact] = {
        "condition": " ".join((condition.of, condition.test, ", ".join(condition.values)))[:_SHOWN]
    }
    return asked if found is None else {**asked, "found": ", ".join(found)[:_SHOWN]}


def _in_the_end(steps: list[Step], lately: FiredLately) -> FiringReason:
    if any(step.verdict == "excluded" for step in steps):
        return "not_met"
    if lately.fired >= MOST_FIRINGS:
        return "loop"
    return "same_action_lately" if lately.same_action else "fires"


def _place(facts: TriggerFacts) -> dict[str, Fact]:
    return {"pipeline": facts.pipeline_id, "stage": facts.stage_id}
