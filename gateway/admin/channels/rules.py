"""Rules of a channel as a person orders them: judged by themselves, and against what the CRM, the templates and the staff have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import ValidationError

from gateway.admin.refused import InputRefused
from gateway.store.admin.matrix_catalogue import catalogue_of
from gateway.texts.sentences import TEXTS
from routing.dialogues.rule_problems import RuleProblem, rule_problems
from routing.dialogues.rules import AfterClosing, ChannelRules, CopyRule, OwnerRule
from runtime.database.pool import Conn

_WORDS = TEXTS["en"]
_SWITCH = "true or false"
_TAKES: Mapping[str, str] = {
    "pipeline_id": "a text, the CRM's number of a pipeline",
    "stage_id": "a text, the CRM's number of a stage",
    "owner": f"one of: {', '.join(get_args(OwnerRule))}",
    "employees": "a list of ids of employees",
    "template": "a text, the name of a template",
    "after_closing": f"one of: {', '.join(get_args(AfterClosing))}",
    "authors": "the messenger's ids of people, each with the id of one employee",
    "eight_to_seven": f"{_SWITCH}; null: as the account's numbers.eight_is_plus_seven",
    "copies": f"one of: {', '.join(get_args(CopyRule))}",
    "keeps_deleted_text": _SWITCH,
}


class RuleRefused(InputRefused):
    """One rule of a channel cannot be so. rule: its name. why: a code of `RuleProblem`, or "unknown", "unfit", "no-template",
    "no-pipeline". value: what was said, as people call it; id: of what was named.
    known: what it may be, of a closed set."""

    def __init__(
        self,
        rule: str,
        why: str,
        message: str,
        remedy: str,
        *,
        value: str = "",
        known: Sequence[str] = (),
        id: str = "",
    ) -> None:
        super().__init__("rules", f"{rule}: {message}", remedy)
        self.rule, self.why, self.value, self.known, self.id = rule, why, value, known, id


def rules_of(told: Mapping[str, Any]) -> ChannelRules:
    """told: by name; what is absent or None is the default. Raise RuleRefused naming what is wrong."""
    for name in told:
        if name not in _TAKES:
            known = tuple(_TAKES)
            remedy = f"known: {', '.join(known)}"
            raise RuleRefused(name, "unknown", "there is no such rule", remedy, known=known)
    given = {name: value for name, value in told.items() if value is not None}
    if given.get("owner") == "template" and not given.get("template"):
        raise RuleRefused(
            "template", "no-template", "the rule `template` needs the name of a template", "name a template"
        )
    if given.get("stage_id") and not given.get("pipeline_id"):
        raise RuleRefused("stage_id", "no-pipeline", "a stage needs its pipeline", "name pipeline_id too")
    try:
        return ChannelRules.model_validate(given)
    except ValidationError as err:
        rule, value = str(err.errors()[0]["loc"][0]), err.errors()[0]["input"]
        takes = _TAKES[rule]
        raise RuleRefused(
            rule, "unfit", f"{value!r} does not fit", f"it takes {takes}", value=str(value)
        ) from err


def changed_rules(now: ChannelRules, told: Mapping[str, Any] | None) -> ChannelRules:
    """Return the rules with what is told: what is absent stays, None is the default. told: None = all are the default. Raise
    RuleRefused."""
    return rules_of({} if told is None else {**now.model_dump(mode="json"), **told})


async def refuse_misfits(
    conn: Conn, account_id: str, rules: ChannelRules, before: ChannelRules | None = None
) -> None:
    """Raise RuleRefused for the first that names what the account has not. before: what stands there is not judged again."""
    catalogue = await catalogue_of(conn, account_id)
    stand = rule_problems(before, catalogue) if before else ()
    for problem in rule_problems(rules, catalogue):
        if problem not in stand:
            raise _refusal_of(problem)


def _refusal_of(problem: RuleProblem) -> RuleRefused:
    known = ", ".join(problem.known)
    return RuleRefused(
        problem.rule,
        problem.code,
        _WORDS.say(f"channel.rule.{problem.code}", value=problem.value),
        _WORDS.say("channel.rule.one-of", known=known) if known else _WORDS.say("channel.rule.remedy"),
        value=problem.value,
        known=problem.known,
        id=problem.id,
    )
