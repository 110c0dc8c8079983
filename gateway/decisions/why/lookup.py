"""Why a phone rang where it rang: the decision of a lookup in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.decisions.why.sentence import DecisionFacts, Mend, Tone, WhySentence, named
from routing.texts.catalogue import Phrase, Value, phrase

_OWNER = ("contact_owner", "deal_owner", "lead_owner")
_FAILED = ("owner_unmapped", "owner_inactive", "owner_unavailable")
_MENDS: Mapping[str, Mend] = {
    "owner_unmapped": "employee",
    "owner_inactive": "deputy",
    "directory_loading": "crm",
}
_TONES: Mapping[str, Tone] = {
    "owner_unmapped": "warn",
    "owner_inactive": "warn",
    "owner_unavailable": "warn",
    "directory_loading": "warn",
    "deadline": "bad",
    "failure": "bad",
}


def why_lookup(reason: str, facts: DecisionFacts) -> WhySentence:
    outcome = str(facts.outcome.get("outcome"))
    values = _values(facts)
    if outcome == "manager" and reason in _OWNER:
        return WhySentence(
            phrase(f"why.lookup.{_of_kind(reason, facts)}", **values),
            phrase(f"why.badge.{_of_kind(reason, facts)}"),
            "good",
            _several(facts),
        )
    if reason == "only_this_person":
        key = "only_this_person" if outcome == "manager" else "only_person_substitute"
        return WhySentence(
            phrase(f"why.lookup.{key}", **values), phrase("why.badge.only_this_person"), "good"
        )
    if reason in _FAILED:
        return _passed_over(outcome, reason, facts, values)
    sentence = phrase(f"why.lookup.{reason}", number=named(_sent(facts)), **values)
    return WhySentence(
        sentence, phrase(f"why.badge.{reason}"), _TONES.get(reason, "quiet"), mend=_MENDS.get(reason)
    )


def _passed_over(outcome: str, reason: str, facts: DecisionFacts, values: dict[str, Value]) -> WhySentence:
    """Say who was rung in place of an owner who could not be."""
    owner, employee = _owner(facts)
    if owner is None:
        values["state"] = phrase("why.owner.nobody")
    else:
        values["state"] = phrase("why.owner", owner=owner, state=_state(reason, facts))
    last = str(facts.steps[-1]["because"]) if facts.steps else ""
    instead = {
        "deputy_rings": "deputy",
        "substitute_rings": "substitute",
        "template_rings": "template",
        "group_rings": "group",
        "away_rings_first": "away",
    }.get(last, "scheme")
    badge = phrase("why.badge.deputy") if outcome == "deputy" else phrase(f"why.badge.{reason}")
    values |= {"template": named(facts.last.get("template")), "members": int(facts.last.get("members") or 0)}
    return WhySentence(
        phrase(f"why.lookup.instead.{instead}", **values),
        badge,
        "warn",
        mend=_MENDS.get(reason),
        about=employee,
    )


def _values(facts: DecisionFacts) -> dict[str, Value]:
    entity, person = facts.outcome.get("entity") or {}, facts.outcome.get("responsible") or {}
    return {
        "entity": facts.entity(entity.get("name")),
        "person": named(person.get("name")),
        "address": _address(facts.outcome.get("targets") or [], facts),
    }


def _of_kind(reason: str, facts: DecisionFacts) -> str:
    """Companies count as contacts; the sentence says which it was."""
    entity = facts.outcome.get("entity") or {}
    return "company_owner" if reason == "contact_owner" and entity.get("kind") == "company" else reason


def _address(targets: list[Mapping[str, Any]], facts: DecisionFacts) -> Value:
    """Where it rings for good; one that is rung for a moment first is not meant."""
    target = next((t for t in targets if not t.get("is_away")), targets[0] if targets else None)
    if target is None:
        return ""
    kind, address = str(target.get("kind")), str(target.get("address"))
    if kind == "phone":
        return facts.spelling.phone(address)
    return phrase(f"why.address.{kind}", address=address)


def _owner(facts: DecisionFacts) -> tuple[Value | None, str]:
    """Return the name of the first owner who could not be rung, and their id here, "" = no employee of ours."""
    failed = facts.step(*_FAILED) or {}
    employee, user = failed.get("employee"), failed.get("owner")
    if employee:
        return facts.names.employee(str(employee)), str(employee)
    if user:
        return facts.names.user(str(user)), ""
    return None, ""


def _state(reason: str, facts: DecisionFacts) -> Phrase:
    if reason != "owner_unavailable":
        return phrase(f"why.state.{reason}")
    failed = facts.step(reason) or {}
    away, back_at = str(failed.get("away") or "unknown"), failed.get("back_at")
    state = phrase(f"why.state.{away}")
    return phrase("why.state.until", state=state, until=facts.moment(str(back_at))) if back_at else state


def _several(facts: DecisionFacts) -> Phrase | None:
    """Say that others had the same number, and by what this one was chosen."""
    last = facts.last
    if int(last.get("of") or 0) < 2:
        return None
    kind, name = str(last.get("kind")), facts.entity((facts.outcome.get("entity") or {}).get("name"))
    by = "open_deal" if last.get("has_open_deal") and kind in ("contact", "company") else "newest"
    return phrase(f"why.several.{kind}.{by}", count=int(last["of"]), name=name)


def _sent(facts: DecisionFacts) -> str:
    """Return what the PBX sent in place of a number, as it came: it may be somebody's number in an odd spelling."""
    return facts.spelling.phone(str(facts.inputs.get("phone") or ""))
