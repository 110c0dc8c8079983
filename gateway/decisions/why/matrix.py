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
_TONES: Mapping[str, Tone] = {"no_cell": "bad", "no_matrix": "bad", "client_gone": "warn"}


def why_matrix(reason: str, facts: DecisionFacts, effects: Sequence[EffectRow] = ()) -> WhySentence:
    """effects: what became of what was ordered; none where they are not known (yet)."""
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


def _ordered(facts: DecisionFacts, effects: Sequence[EffectRow]) -> tuple[Any, Tone]:
    """Say what was made; what still waits, or was refused, before that."""
    orders = [e.order for e in effects] or [e["order"] for e in facts.outcome.get("effects", ())]
    states = {e.state for e in effects} - _NEVER
    what = _list(orders, facts)
    if "dead" in states:
        dead = [e.order for e in effects if e.state == "dead"]
        return phrase("why.matrix.refused", what=_list(dead, facts)), "bad"
    if "held" in states:
        return phrase("why.matrix.held", what=what), "warn"
    if not effects or states - {"done"}:
        return phrase("why.matrix.waits", what=what), "quiet"
    if not states:
        return phrase("why.matrix.not-needed"), "quiet"
    done = [e.order for e in effects if e.state == "done"]
    key = "made" if {str(order.get("do")) for order in done} <= _MADE else "written"
    return phrase(f"why.matrix.{key}", what=_list(done, facts)), "good"


def _list(orders: Sequence[Mapping[str, Any]], facts: DecisionFacts) -> Value:
    found: list[str | Any] = []
    for order in orders:
        do = str(order.get("do"))
        due = facts.moment(order.get("due_at")) if do == "create_task" else ""
        what = phrase("why.what.task-until", until=due) if due else phrase(f"why.what.{do}")
        if what not in found:
            found.append(what)
    return tuple(found)
