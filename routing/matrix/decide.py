"""The call matrix: what a call leaves behind in the CRM at one moment, and why.

`decide` is the only place where that is decided, for live calls, dry runs, replays and stored decisions alike.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field

from routing.calls.model import Call
from routing.client import ClientKind
from routing.conditions import all_hold
from routing.decision import Fact, Step, Verdict
from routing.effects import Effect
from routing.matrix.actions import MakeContact, MakeDeal, MakeLead
from routing.matrix.by_template.turns import BookedTurn
from routing.matrix.call_note import due_moments_of
from routing.matrix.draft import Plan
from routing.matrix.model import (
    CELLS,
    ROWS,
    CallOutcome,
    Matrix,
    MatrixTable,
    Moment,
    ParameterField,
    PipelineRule,
    SelectionRule,
    row_of,
)
from routing.matrix.orders import take
from routing.matrix.situation import Situation, facts_of, kind_of, outcome_of, party_of, who_answered
from routing.matrix.versions.trial import TrialOfCall

__all__ = [
    "CELLS",
    "ROWS",
    "CallOutcome",
    "Matrix",
    "MatrixDecision",
    "MatrixTable",
    "Moment",
    "ParameterField",
    "PipelineRule",
    "SelectionRule",
    "Situation",
    "decide",
    "due_moments",
]

_DEAL_FOLLOWS = timedelta(seconds=10)


class MatrixDecision(BaseModel):
    """What was decided for one call at one moment.

    reason: ordered | campaign_without_traces | nothing_to_do (every action of the cell was needless; the steps say why) | empty_cell | no_cell |
    client_gone (what they were known by was deleted, and the cell makes nothing to put the call on) | no_matrix | waiting_for_entities | nothing_to_update. wait_until: only with waiting_for_entities: this moment is not
    done; decide it again at that time, or as soon as the client has an entity. turns: what templates of distribution
    book for it; asked_templates: all that were looked at.
    """

    model_config = ConfigDict(frozen=True)

    version: int
    matrix: str
    row: str
    cell: str
    moment: Moment
    reason: str
    effects: tuple[Effect, ...]
    steps: tuple[Step, ...]
    wait_until: datetime | None = None
    turns: tuple[BookedTurn, ...] = ()
    asked_templates: tuple[str, ...] = Field(default=(), exclude=True)


def decide(matrix: Matrix, situation: Situation) -> MatrixDecision:
    """Decide: same matrix and situation, same decision. Never raises for a business outcome: it is a reason."""
    s = situation
    steps: list[Step] = [_side(s.trial)] if s.trial else []
    name = _selected(matrix, s, steps)
    row = _row(s, steps)
    cell = f"{row}/{s.moment.value}"
    table = matrix.tables.get(name)
    actions = table.cells.get(cell) if table else None
    effects: tuple[Effect, ...] = ()
    turns: tuple[BookedTurn, ...] = ()
    asked: tuple[str, ...] = ()
    wait_until = None
    if table is None or actions is None:
        reason = "no_matrix" if table is None else "no_cell"
    elif s.campaign is not None and not s.campaign.leaves_traces:
        reason = "campaign_without_traces"
    elif not actions:
        reason = "empty_cell"
    elif table.waits_for_entities and (wait_until := _waits_until(s)):
        reason = "waiting_for_entities"
    elif table.waits_for_entities and not s.client.entities:
        reason = "nothing_to_update"
    else:
        plan = Plan(matrix, s, cell)
        _make_up(plan, table)
        for index, action in enumerate(actions):
            take(plan, index, action)
        steps += plan.steps
        effects, turns = tuple(plan.effects), tuple(plan.turns.values())
        asked = tuple(sorted(plan.asked_templates))
        reason = "ordered" if effects else _why_nothing(s, plan.steps)
    steps.append(
        Step(cell, "decided", reason, {"matrix": name, "version": matrix.version, "effects": len(effects)})
    )
    return MatrixDecision(
        version=matrix.version,
        matrix=name,
        row=row,
        cell=cell,
        moment=s.moment,
        reason=reason,
        effects=effects,
        steps=tuple(steps),
        wait_until=wait_until,
        turns=turns,
        asked_templates=asked,
    )


def _side(trial: TrialOfCall) -> Step:
    """Name the side of the trial that the call is on."""
    because = f"{'on_trial' if trial.is_on_trial else 'not_on_trial'}_{trial.because}"
    part: dict[str, Fact] = {"line": trial.line} if trial.line else {"percent": trial.percent}
    verdict: Verdict = "passed" if trial.is_on_trial else "excluded"
    return Step("trial", verdict, because, {"version": trial.version, **part})


def _make_up(plan: Plan, table: MatrixTable) -> None:
    """Make first what earlier moments would have made for the client as they are now: those moments met the client as
    they were, and what that left is gone."""
    s, kind = plan.s, kind_of(plan.s)
    if s.moment is Moment.RING or (kind is s.client_kind and not s.gone):
        return
    earlier = [(Moment.RING, CallOutcome.RINGING), (Moment.ANSWER, outcome_of(s))]
    present = plan.cell
    for moment, outcome in earlier[: 1 if s.moment is Moment.ANSWER else 2]:
        plan.cell = f"{row_of(s.call.direction, outcome, kind)}/{moment.value}"
        for index, action in enumerate(table.cells.get(plan.cell) or ()):
            if isinstance(action, MakeContact | MakeDeal | MakeLead):
                take(plan, index, action)
    plan.cell = present


def _why_nothing(s: Situation, steps: Sequence[Step]) -> str:
    has_no_place = any(step.because in ("nothing_to_attach_to", "nothing_to_update") for step in steps)
    return "client_gone" if has_no_place and (s.gone or kind_of(s) is not s.client_kind) else "nothing_to_do"


def due_moments(call: Call, done: Collection[str], settled: bool) -> tuple[Moment, ...]:
    """Return the moments that a folded call calls for now, in order. done: values of those decided before. settled: the settle
    time has passed since the end; until then a missed call may still turn out to be answered."""
    return due_moments_of(call, frozenset(done), settled)


def _selected(matrix: Matrix, s: Situation, steps: list[Step]) -> str:
    """Id of the table that applies: the first rule that holds, else the default."""
    if matrix.selection:
        facts = facts_of(s)
        for number, rule in enumerate(matrix.selection, start=1):
            label = f"selection#{number}"
            if all_hold(rule.when, facts):
                steps.append(
                    Step(label, "passed", "selection_holds", {"name": rule.name, "matrix": rule.matrix})
                )
                return rule.matrix
            steps.append(Step(label, "excluded", "selection_does_not_hold", {"name": rule.name}))
    steps.append(Step("selection", "passed", "default_matrix", {"matrix": matrix.default}))
    return matrix.default


def _row(s: Situation, steps: list[Step]) -> str:
    """Return the row, with the client's kind as fixed at the call's first event; a kind that has changed since is a fact, and
    counts where what the client was known by is gone."""
    outcome = outcome_of(s)
    kind, now = kind_of(s), s.client.kind
    row = row_of(s.call.direction, outcome, kind)
    because = "call_kind" if now is s.client_kind else "call_kind_client_changed"
    if kind is not s.client_kind:
        because = "call_kind_client_gone"
    who = who_answered(s)
    facts = {
        "client": s.client_kind.value,
        "client_now": now.value,
        "entities": len(s.client.entities),
        "disposition": s.call.disposition.value,
        "answered_at_address": party_of(s.call) if s.call.is_answered else None,
        "answered_by": who.name if who else None,
        "is_mapped": bool(who and who.crm_user_id) if s.call.is_answered else None,
    }
    if s.call.failed_side:
        facts["failed_side"] = s.call.failed_side.value
    if s.call.is_left_waiting:
        facts["left_waiting"] = True
    steps.append(Step(row, "passed", because, facts))
    return row


def _waits_until(s: Situation) -> datetime | None:
    """When waiting for another integration's entities is over; None when it is, or when there is nothing to wait for.

    A contact that was made during this very call is given a moment longer: its deal is usually the next thing made."""
    if s.moment is not Moment.END:
        return None
    until = (s.call.ended_at or s.now) + timedelta(seconds=s.settings.calls.update_wait_seconds)
    if s.client.entities:
        made = [e.created_at for e in s.client.entities if e.created_at]
        is_half_made = s.client_kind is ClientKind.NEW and not (s.client.of("deal") or s.client.of("lead"))
        if not is_half_made or not made:
            return None
        until = min(until, max(made) + _DEAL_FOLLOWS)
    return until if s.now < until else None
