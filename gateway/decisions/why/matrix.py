"""What a call left in the CRM, and why: the decision of the matrix in one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.decisions.why.sentence import DecisionFacts, Mend, Tone, WhySentence
from gateway.store.decisions.decisions import EffectRow
from routing.texts.catalogue import Value, phrase

_MADE = frozenset({"create_contact", "create_deal", "create_lead", "create_task"})
_NEVER = frozenset({"skipped", "expired"})
_MENDS: Mapping[str, Mend] = {"empty_cell": "cell", "no_cell": "cell", "no_matrix": "cell"}
_UNDONE: tuple[tuple[str, str, Tone], ...] = (("dead", "refused", "bad"), ("held", "held", "warn"))
_TONES: Mapping[str, Tone] = {"no_cell": "bad", "no_matrix": "bad", "client_gone": "warn"}


def why_matrix(reason: str, facts: DecisionFacts, effects: Sequence[EffectRow] | None = None) -> WhySentence:
    """effects: what became of what was ordered; None where it is not known: then it is said what was ordered, and no more."""
    badge = phrase(f"why.badge.matrix.{reason}")
    cell = str(facts.outcome.get("cell") or "")
    if reason != "ordered":
        known = f"why.matrix.{reason}" if "row" in facts.outcome else f"why.no-client.{reason}"
        until = facts.moment(facts.outcome.get("wait_until"))
        shown = badge if "row" in facts.outcome else phrase(f"why.badge.{reason}")
        return WhySentence(
            phrase(known, until=until),
            shown,
            _TONES.get(reason, "quiet"),
            mend=_MENDS.get(reason),
            about=cell,
        )
    sentence, tone = _ordered(facts, effects)
    return WhySentence(sentence, badge, tone, about=cell)


def _ordered(facts: DecisionFacts, effects: Sequence[EffectRow] | None) -> tuple[Any, Tone]:
    """Say what was made; what still waits, or was refused, before that."""
    if effects is None:
        orders = [e["order"] for e in facts.outcome.get("effects", ())]
        return phrase("why.matrix.ordered", what=_list(orders, facts)), "quiet"
    left = [e for e in effects if e.state not in _NEVER]
    states = {e.state for e in left}
    if not states:
        return phrase("why.matrix.not-needed"), "quiet"
    for state, key, tone in _UNDONE:
        if state in states:
            undone = [e.order for e in left if e.state == state]
            return phrase(f"why.matrix.{key}", what=_list(undone, facts)), tone
    if states != {"done"}:
        waiting = [e.order for e in left if e.state != "done"]
        return phrase("why.matrix.waits", what=_list(waiting, facts)), "quiet"
    orders = [e.order for e in left]
    key = "made" if {str(order.get("do")) for order in orders} <= _MADE else "written"
    return phrase(f"why.matrix.{key}", what=_list(orders, facts)), "good"


def _list(orders: Sequence[Mapping[str, Any]], facts: DecisionFacts) -> Value:
    found: list[str | Any] = []
    for order in orders:
        do = str(order.get("do"))
        due = facts.moment(order.get("due_at")) if do == "create_task" else ""
        what = phrase("why.what.task-until", until=due) if due else phrase(f"why.what.{do}")
        if what not in found:
            found.append(what)
    return tuple(found)
