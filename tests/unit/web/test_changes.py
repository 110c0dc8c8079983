"""What was changed is told in words."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import gateway
from gateway.web.texts.sentences import TEXTS
from routing.texts.catalogue import Language


@pytest.mark.parametrize("language", TEXTS)
def test_what_is_recorded_of_changes_has_words(language: Language) -> None:
    """Each constant that a change is recorded with, wherever it stands."""
    found = set()
    for file in Path(gateway.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.keyword)
                and node.arg == "action"
                and isinstance(node.value, ast.Constant)
            ):
                found.add(str(node.value.value))
    found = {one for one in found if one and one[0].isalpha() and " " in one} | {"load asked for", "restored"}
    assert len(found) > 5
    sentences = TEXTS[language].sentences
    lack = {a for a in found if f"audit.action.{a.replace(' ', '_').replace('-', '_')}" not in sentences}
    assert lack == set()
