"""The closed set of reasons that a decision of the matrix can give, and its trace in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from routing.decision import Step
from routing.matrix.texts import action_phrase, cell_phrase, row_phrase
from routing.texts.catalogue import Phrase, Texts, phrase

DECISIONS: tuple[str, ...] = (
    "ordered",
    "nothing_to_do",
    "empty_cell",
    "no_cell",
    "no_matrix",
    "waiting_for_entities",
    "nothing_to_update",
    "client_gone",
    "campaign_without_traces",
)

STEPS: tuple[str, ...] = (
    "on_trial_share",
    "on_trial_line",
    "on_trial_case",
    "not_on_trial_share",
    "not_on_trial_line",
    "not_on_trial_case",
    "selection_holds",
    "selection_does_not_hold",
    "default_matrix",
    "call_kind",
    "call_kind_client_changed",
    "call_kind_client_gone",
    "already_ordered",
    "contact_exists",
    "company_exists",
    "deal_exists",
    "lead_exists",
    "open_deal_exists",
    "added_to_closed_deal",
    "nothing_to_attach_to",
    "who_answered_not_told_yet",
    "no_open_deal",
    "deal_in_other_stage",
    "deal_in_stage_already",
    "stage_gone",
    "nothing_to_set",
    "nobody_to_show_to",
    "call_was_not_missed",
    "missed_too_long_ago",
    "nobody_to_call_back",
)

OWNERS: tuple[str, ...] = (
    "who_answered",
    "owner",
    "owner_of_contact",
    "owner_of_deal",
    "senior",
    "fixed_employee",
    "answered_by_unknown",
    "employee_unmapped",
    "employee_inactive",
    "employee_gone",
    "no_owner",
    "owner_inactive",
    "by_template",
    "template_kept",
    "template_answered",
    "template_picked_before",
    "template_unknown",
    "template_waits",
    "template_nobody",
    "only_this_person",
    "case_owner",
    "deputy_instead",
    "admin_instead",
    "no_senior",
)


def step_in_words(step: Step, texts: Texts) -> str:
    """One line of the trace, without the facts."""
    return texts.say("matrix.trace.line", rule=rule_phrase(step.rule), because=_because(step, texts))


def _because(step: Step, texts: Texts) -> str:
    if step.verdict == "passed" and step.because == "ordered":
        return texts.say("matrix.trace.ordered", owner=_owner(step.facts, texts))
    if step.verdict != "decided" and step.because in STEPS:
        return texts.word("matrix.step", step.because)
    for prefix in ("matrix.reason", "distribution.step", "distribution.reason"):
        if f"{prefix}.{step.because}" in texts.sentences:
            return texts.word(prefix, step.because)
    return step.because


def _owner(facts: Mapping[str, Any], texts: Texts) -> str:
    because = facts.get("owner_because")
    if because not in OWNERS:
        return ""
    return texts.say("matrix.trace.responsible", owner=texts.word("matrix.owner", str(because)))


def rule_phrase(rule: str) -> str | Phrase:
    """`inbound.missed.new/end#2:create_deal` in words; other rules keep their names."""
    if rule == "trial":
        return phrase("matrix.trace.trial")
    cell, _, action = rule.partition("#")
    if cell == "selection":
        return (
            phrase("matrix.trace.selection-rule", number=action)
            if action
            else phrase("matrix.trace.selection")
        )
    number, _, do = action.partition(":")
    if do:
        return phrase("matrix.trace.action", cell=cell_phrase(cell), number=number, action=action_phrase(do))
    if cell.count(".") != 2:
        return rule
    return cell_phrase(cell) if "/" in cell else row_phrase(cell)
