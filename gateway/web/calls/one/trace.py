"""The steps of a decision as they are shown: what was looked at, what was found, what came of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.decisions.explain import step_in_full
from gateway.decisions.names_then import NamesThen
from gateway.store.decisions.decisions import DecisionRow
from gateway.web.words.words import Words
from routing.client import ClientEntity

UrlTo = Callable[[str, str], str]
"""(kind, id) -> the entity's page in the CRM."""

_ICONS = {
    "caller": "hash",
    "lead": "inbox",
    "contact": "user",
    "deal": "briefcase",
    "deputy": "user-check",
    "template": "template",
    "group": "users",
    "scheme": "phone",
    "client": "user-question",
    "only": "user-check",
    "selection": "table",
    "case": "phone-x",
}
_OWNER_FAILED = frozenset({"owner_unmapped", "owner_inactive", "owner_unavailable"})
_OWNER_RINGS = frozenset({"lead_owner", "contact_owner", "deal_owner"})
_KINDS = {"passed": "", "excluded": "excluded", "decided": "decided"}


@dataclass(frozen=True, slots=True)
class EntityLink:
    """then: its name at the decision; now: at present where that is another, "" = the same or not known. url "": gone."""

    then: str
    now: str = ""
    url: str = ""
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class TraceStep:
    """entity: what the step looked at. kind: as the kit's trace has it."""

    icon: str
    title: str
    text: str
    verdict: str
    kind: str
    entity: EntityLink | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceWords:
    """What steps are told with. entities: as the directory has them now."""

    names: NamesThen
    entities: Mapping[tuple[str, str], ClientEntity]
    words: Words
    url_to: UrlTo


def lookup_steps(row: DecisionRow, beside: TraceWords) -> list[TraceStep]:
    steps = [_lookup_step(row, step, beside) for step in row.steps]
    if row.steps and row.steps[0]["rule"] != "caller":
        steps.insert(0, _number_step(row, beside.words))
    return steps


def _number_step(row: DecisionRow, words: Words) -> TraceStep:
    said = words.text(str(row.inputs.get("phone") or ""))
    text = words.texts.say("calls.step.number_read", sent=said, read=words.phone(row.client))
    return TraceStep(
        "hash", words.texts.say("calls.step.number"), text, words.texts.say("calls.verdict.passed"), ""
    )


def _lookup_step(row: DecisionRow, step: Mapping[str, Any], beside: TraceWords) -> TraceStep:
    texts, because, facts = beside.words.texts, str(step["because"]), step["facts"]
    full = step_in_full("lookup", step, texts, beside.words.zone)
    title = texts.word("calls.step.rule", str(step["rule"]))
    entity, rule = _entity(row, facts, beside), str(step["rule"])
    if rule == "caller" and len(row.steps) > 1:
        rule = "scheme"
        title = texts.say("calls.step.rule.scheme")
    if because in _OWNER_FAILED | _OWNER_RINGS and entity is not None:
        title = texts.word("entity", str(facts["kind"])).capitalize()
    return TraceStep(
        _ICONS.get(rule, "circle-dashed"),
        title if title != step["rule"] else _capital(full["rule_message"]),
        beside.words.text(_owner(because, facts, beside) or _capital(full["message"])),
        _rings(row, beside.words) if step["verdict"] == "decided" else _verdict(step, texts),
        _KINDS.get(str(step["verdict"]), ""),
        entity,
    )


def _verdict(step: Mapping[str, Any], texts: Any) -> str:
    return str(texts.word("calls.verdict", str(step["verdict"])))


def _owner(because: str, facts: Mapping[str, Any], beside: TraceWords) -> str:
    """Return whose it is and why that person was rung or passed over."""
    texts, person = beside.words.texts, _person(facts, beside.names)
    if because in _OWNER_RINGS:
        return texts.say("calls.step.owner", person=person)
    if because not in _OWNER_FAILED:
        return ""
    if not person:
        return texts.say("calls.step.no_owner")
    away = str(facts.get("away") or because)
    state = texts.word("why.state", away if because == "owner_unavailable" else because)
    return texts.say("calls.step.owner_state", person=person, state=state)


def _person(facts: Mapping[str, Any], names: NamesThen) -> str:
    if facts.get("employee"):
        return names.employee(str(facts["employee"]))
    return names.user(str(facts["owner"])) if facts.get("owner") else ""


def _rings(row: DecisionRow, words: Words) -> str:
    targets: Sequence[Mapping[str, Any]] = row.outcome.get("targets") or ()
    if not targets:
        return words.texts.say("calls.verdict.scheme")
    told = [
        words.texts.say(
            "calls.verdict.rings",
            address=words.phone(str(t.get("address"))) if t.get("kind") == "phone" else str(t.get("address")),
            seconds=words.duration(int(t.get("ring_seconds") or 0)),
        )
        for t in targets
    ]
    return ", ".join(told)


def _entity(row: DecisionRow, facts: Mapping[str, Any], beside: TraceWords) -> EntityLink | None:
    if not facts.get("kind") or not facts.get("id"):
        return None
    kind, id = str(facts["kind"]), str(facts["id"])
    now = beside.entities.get((kind, id))
    then = next(
        (str(c[4]) for c in row.inputs.get("candidates") or () if (c[0], str(c[1])) == (kind, id)), ""
    )
    shown = beside.words.text(then or (now.name if now else "") or id)
    if now is None:
        return EntityLink(shown, is_gone=True)
    renamed = beside.words.text(now.name) if then and now.name != then else ""
    return EntityLink(shown, renamed, beside.url_to(kind, id))


def other_steps(row: DecisionRow, words: Words) -> list[TraceStep]:
    """Of the matrix, of cases and of distributions, in the words that all of them have."""
    shown = []
    for step in row.steps:
        full = step_in_full(row.kind, step, words.texts, words.zone)
        text = ". ".join(
            part for part in (_capital(full["message"]), _capital(full["facts_message"])) if part
        )
        shown.append(
            TraceStep(
                _ICONS.get(str(step["rule"]), "circle-dashed"),
                _capital(full["rule_message"]),
                words.text(text),
                str(words.texts.word("calls.verdict", str(step["verdict"]))),
                _KINDS.get(str(step["verdict"]), ""),
            )
        )
    return shown


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
