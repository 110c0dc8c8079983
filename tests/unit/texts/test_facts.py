"""Every fact that a step of a decision can name has words, in both languages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.decisions.explain import facts_in_words
from gateway.texts.sentences import TEXTS
from routing.texts.catalogue import Language

MOSCOW = ZoneInfo("Europe/Moscow")
ROUTING = Path(__file__).parents[3] / "routing"
_PLANNED = {"skip", "order"}
"""Methods of a plan whose named arguments are facts."""
_CONDITIONS = "situation.py"
"""Its facts are what conditions are held against, not what a step tells."""


def _facts() -> set[str]:
    return {
        name
        for file in ROUTING.rglob("*.py")
        if file.name != _CONDITIONS
        for name in _facts_in(ast.parse(file.read_text("utf-8")))
    }


def _facts_in(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in ("Step", "_decided"):
                yield from (key for argument in node.args[3:] for key in _keys(argument))
            if name in _PLANNED:
                yield from (k.arg for k in node.keywords if k.arg and k.arg != "because")
        if isinstance(node, ast.Subscript) and getattr(node.value, "id", "") == "facts":
            yield from _keys(ast.Dict([node.slice], []))
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if getattr(target, "id", "") == "facts":
                yield from _keys(node.value)


def _keys(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Dict):
        for key in node.keys:
            if isinstance(key, ast.Constant):
                yield str(key.value)


def test_the_facts_are_found() -> None:
    assert {"employee", "owner_because", "client_now", "by_user", "stage"} <= _facts()


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("fact", sorted(_facts()))
def test_a_fact_has_words(fact: str, language: Language) -> None:
    assert f"fact.{fact}" in TEXTS[language].sentences


def test_facts_are_read_as_a_sentence() -> None:
    facts = {"count": 2, "owner": None, "has_open_deal": True}
    assert (
        facts_in_words(facts, TEXTS["en"], MOSCOW)
        == "missed calls: 2; responsible: none; has an open deal: yes"
    )
    assert (
        facts_in_words(facts, TEXTS["ru"], MOSCOW)
        == "пропущенных звонков: 2; ответственный: нет; есть открытая сделка: да"
    )
