"""Steps of a distribution as its log shows them, whether it happened or was tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from routing.staff import Staff
from routing.texts.catalogue import Texts

_ICONS: Mapping[str, str] = {
    "decided": "check",
    "excluded": "user-off",
    "repeat": "user-search",
    "only": "user-search",
    "person": "users",
    "group": "users",
    "nobody": "user-question",
    "quiet": "moon",
}
LogCandidate = tuple[str, str, str]
"""As the kit's trace has it: the name, why, and the kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStep:
    """As the kit's trace has it."""

    icon: str
    title: str
    text: str
    verdict: str
    kind: str
    candidates: Sequence[LogCandidate] = ()


def log_steps(told: Sequence[Mapping[str, Any]], staff: Staff, texts: Texts) -> list[LogStep]:
    """told: steps with their words, as decisions are explained. Those about single people are one step with all of them."""
    found: list[LogStep] = []
    people: list[LogCandidate] = []
    for step in told:
        if step["rule"] == "person":
            people.append((_who(step, staff), str(step["message"]), ""))
            continue
        _tell_people(people, found, texts)
        people = []
        found.append(_log_step(step, staff, texts))
    _tell_people(people, found, texts)
    return found


def _tell_people(people: Sequence[LogCandidate], found: list[LogStep], texts: Texts) -> None:
    if people:
        title = texts.say("distribution.log.rule.person")
        found.append(
            LogStep(icon=_ICONS["person"], title=title, text="", verdict="", kind="", candidates=people)
        )


def _log_step(step: Mapping[str, Any], staff: Staff, texts: Texts) -> LogStep:
    rule, kind = str(step["rule"]), step["verdict"] if step["verdict"] in ("decided", "excluded") else ""
    own = f"distribution.log.rule.{rule}"
    who, why = _who(step, staff), str(step["message"])
    return LogStep(
        icon=_ICONS["decided"] if kind == "decided" else _ICONS.get(rule, "list"),
        title=texts.say(own) if own in texts.sentences else str(step["rule_message"]),
        text=texts.say("distribution.log.of", name=who, why=why) if who else why,
        verdict=str(step["verdict_message"]),
        kind=kind,
    )


def _who(step: Mapping[str, Any], staff: Staff) -> str:
    """Return the name of whom the step is about, "" = nobody in particular."""
    facts = step["facts"]
    id = str(facts.get("employee") or "")
    return staff.by_id[id].name if id in staff.by_id else id
