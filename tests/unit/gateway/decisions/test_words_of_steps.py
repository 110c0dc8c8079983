"""Whatever a step of a decision names, `explain` says by a word of the catalogues, in both languages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from gateway.decisions.explain import facts_in_words, step_in_full
from gateway.texts.sentences import TEXTS
from routing.calls.model import FailedSide
from routing.decision import Verdict
from routing.texts.catalogue import LANGUAGES, Language
from tests.paths import ROOT

MOSCOW = ZoneInfo("Europe/Moscow")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_and_fact_that_routing_writes_into_a_step_has_its_word(language: Language) -> None:
    sentences = TEXTS[language].sentences
    used = {key for path in (ROOT / "routing").rglob("*.py") for key in _keys(ast.parse(path.read_text()))}
    assert {"rule.deputy", "rule.scheme", "fact.owner_because", "fact.pipeline_by"} <= used
    assert sorted(used - sentences.keys()) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("verdict", get_args(Verdict))
def test_every_verdict_has_its_word(language: Language, verdict: str) -> None:
    step = {"rule": "case", "verdict": verdict, "because": "no_open_case", "facts": {}}
    assert (
        step_in_full("case", step, TEXTS[language], MOSCOW)["verdict_message"]
        == (TEXTS[language].sentences[f"verdict.{verdict}"])
    )


def test_values_of_facts_are_words_too() -> None:
    for value in ("account", "action", "default", "separate_stage"):
        assert value != facts_in_words({"pipeline_by": value}, TEXTS["ru"], MOSCOW).rpartition(": ")[2]
    assert (
        facts_in_words({"pipeline_by": "rule 2 Ads"}, TEXTS["ru"], MOSCOW)
        == "воронку выбрало: правило воронки 2 Ads"
    )
    for side in FailedSide:
        assert side.value not in facts_in_words({"failed_side": side.value}, TEXTS["en"], MOSCOW)
    assert (
        facts_in_words({"matrix": "default"}, TEXTS["ru"], MOSCOW) == "матрица: default"
    )  # a name that a person gave


def test_who_completed_a_task_is_not_nobody_before_the_feed_has_told() -> None:
    said = facts_in_words({"by_user": None}, TEXTS["en"], MOSCOW)
    assert said.startswith("CRM user: not known yet: ")


def test_moments_are_told_by_the_clocks_of_the_account() -> None:
    """Whoever reads a walk must not have to add the hours of their zone."""
    facts = {"until": "2026-03-02T06:00:00+00:00", "back_at": "2026-03-01T22:30:00.5Z", "case": "2026-03-02"}
    assert facts_in_words(facts, TEXTS["en"], MOSCOW) == (
        "until: 2026-03-02 09:00; comes on at: 2026-03-02 01:30; case: 2026-03-02"
    )


def _keys(tree: ast.Module) -> Iterator[str]:
    """Return keys of the catalogue for what `Step(…)`, `_decided(…)`, `skip(…)` and `order(…)` name."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        if name in ("skip", "order"):
            yield from (f"fact.{k.arg}" for k in call.keywords if k.arg and k.arg != "because")
        place = {"Step": 0, "_decided": 2}.get(name)
        if place is not None and len(call.args) > place:
            rule = call.args[place]
            if isinstance(rule, ast.Constant):
                yield f"rule.{rule.value!s}"
            for facts in call.args[3:]:
                if isinstance(facts, ast.Dict):
                    yield from (f"fact.{k.value!s}" for k in facts.keys if isinstance(k, ast.Constant))
