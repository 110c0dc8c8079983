"""Tables of numbered cases, each with the tests that show what becomes of it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache

from tests.paths import ROOT

NamedCases = Mapping[int, tuple[str, tuple[tuple[str, str], ...]]]
"""By number: the case in words, and its tests as (file below `tests`, name without "test_")."""


def numbers_without_tests(cases: NamedCases) -> list[int]:
    return [number for number, (_, tests) in cases.items() if not tests]


def gone_tests(cases: NamedCases) -> list[tuple[int, str, str]]:
    """Return those that are named and nowhere written."""
    named = [(number, *test) for number, (_, tests) in cases.items() for test in tests]
    return [(number, file, name) for number, file, name in named if name not in _written(file)]


@cache
def _written(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    functions = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(f.name.removeprefix("test_") for f in functions if f.name.startswith("test_"))
