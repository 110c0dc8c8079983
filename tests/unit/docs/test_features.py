"""The table that leads from feature to test: every row that is promised is there, and every test that it names exists."""

from __future__ import annotations

import ast
import re

from tests.paths import ROOT

PAGE = ROOT / "docs" / "reference" / "features.md"
FOLDER = ROOT / "tests" / "e2e" / "features"
PROMISED = {*range(1, 10), *range(12, 17), *range(19, 42), 43}


def table() -> dict[int, list[tuple[str, str]]]:
    """Row -> (file, test) of each test that the page names for it."""
    rows = re.findall(
        r"^\| S4\.(\d+) \| [^|]+ \| ([^|]+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    return {int(row): re.findall(r"`(test_\w+\.py)`: `(test_\w+)`", tests) for row, tests in rows}


def written_tests() -> set[tuple[str, str]]:
    return {
        (file.name, node.name)
        for file in FOLDER.glob("test_*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.AsyncFunctionDef) and node.name.startswith("test_s4_")
    }


def test_every_promised_row_stands_once_and_names_a_test() -> None:
    assert set(table()) == PROMISED
    assert [row for row, tests in table().items() if not tests] == []


def test_every_named_test_exists_and_every_test_is_named_at_its_row() -> None:
    named = {(row, test) for row, tests in table().items() for test in tests}
    assert {test for _, test in named} == written_tests()
    assert [t for row, (_, t) in named if not t.startswith(f"test_s4_{row:02}_")] == []
