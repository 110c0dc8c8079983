"""Why this person got the deal, or nobody did yet: the decision of a distribution in one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from gateway.decisions.why.sentence import DecisionFacts, Tone, WhySentence, named
from routing.texts.catalogue import Phrase, Value, phrase

_TONES: Mapping[str, Tone] = {"given": "good", "kept": "good", "waits": "warn", "nobody": "bad"}
_WHOLE = 100


def why_distribution(reason: str, facts: DecisionFacts) -> WhySentence:
    outcome = str(facts.outcome.get("outcome"))
    employee = facts.outcome.get("employee")
    owner = facts.last.get("owner")
    values: dict[str, Value] = {
        "person": named(facts.names.employee(str(employee)) if employee else None),
        "owner": named(facts.names.employee(str(owner)) if owner else None),
        "count": int(facts.last.get("deals") or 0),
        "share": _share(facts, str(employee)),
        "why": _left_out(facts),
        "until": facts.moment(facts.outcome.get("waits_until")),
    }
    key = reason
    if reason == "percent" and not values["share"]:
        key = "percent.unknown"
    if reason in ("waits_for_working_time", "quiet_hours", "waits_for_person") and not values["until"]:
        key += ".open"
    return WhySentence(
        phrase(f"why.distribution.{key}", **values),
        phrase(f"why.badge.distribution.{reason}"),
        _TONES.get(outcome, "quiet"),
        mend="template" if outcome in ("waits", "nobody") else None,
        about=str(facts.outcome.get("template") or ""),
    )


def _share(facts: DecisionFacts, employee: str) -> str:
    """Of what the ledger gave out, in whole percent."""
    entries = facts.outcome.get("entries") or ()
    weights: Mapping[str, int] = entries[-1].get("weights") or {} if entries else {}
    total = sum(weights.values())
    return str(round(weights.get(employee, 0) * _WHOLE / total)) if total and employee in weights else ""


def _left_out(facts: DecisionFacts) -> Phrase:
    """Why most of them could not get it."""
    reasons = Counter(
        str(step["because"])
        for step in facts.steps
        if step["rule"] == "person" and step["verdict"] == "excluded"
    )
    if not reasons:
        return phrase("why.nobody.in_template")
    (most, number), *_others = reasons.most_common(1)
    is_all = number == sum(reasons.values())
    return phrase(f"why.nobody.all.{most}") if is_all else phrase("why.nobody.mixed")
