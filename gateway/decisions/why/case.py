"""What became of a missed call: the decision of its case in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.decisions.why.sentence import DecisionFacts, Tone, WhySentence, named
from routing.texts.catalogue import Value, phrase

_TONES: Mapping[str, Tone] = {
    "case_opened": "warn",
    "case_counted": "warn",
    "case_escalated": "warn",
    "no_senior_left": "bad",
    "escalation_limit": "bad",
    "case_closed": "good",
    "case_closed_in_crm": "good",
    "case_closed_by_hand": "good",
    "client_reached_already": "good",
}


def why_case(reason: str, facts: DecisionFacts, *, was_clients_call: bool = False) -> WhySentence:
    """was_clients_call: the talk that closed it was a call of the client's."""
    case: Mapping[str, Any] = facts.outcome.get("case") or facts.inputs.get("case") or {}
    key = reason
    if reason == "case_closed":
        key = "case_closed.by_client" if was_clients_call else "case_closed"
    if reason in ("case_closed", "case_closed_in_crm") and not case.get("closed_by"):
        key += ".by_unknown"
    return WhySentence(
        phrase(f"why.case.{key}", **_values(case, facts)),
        phrase(f"why.badge.case.{reason}"),
        _TONES.get(reason, "quiet"),
    )


def _values(case: Mapping[str, Any], facts: DecisionFacts) -> dict[str, Value]:
    owner = case.get("owner_id")
    waited = case.get("waited_seconds")
    return {
        "person": named(facts.names.user(str(owner)) if owner else None),
        "by": named(case.get("closed_by") and _by(str(case["closed_by"]), facts)),
        "due": facts.moment(case.get("task_due_at")),
        "until": facts.moment(case.get("escalate_at")),
        "waited": facts.spelling.duration(waited) if waited is not None else "",
        "note": facts.entity(case.get("closed_note")),
        "count": len(case.get("missed_calls") or ()),
    }


def _by(closed_by: str, facts: DecisionFacts) -> str:
    """Return a name, or the id of a user of the CRM whom nobody knew by name then."""
    return facts.names.user(closed_by) if closed_by.isdigit() else closed_by
