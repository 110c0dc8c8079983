"""The table that leads from feature to test: every row that is promised is there, and every test that it names exists."""

from __future__ import annotations

import ast
import re
from typing import NamedTuple

from tests.paths import ROOT

PAGE = ROOT / "docs" / "reference" / "features.md"
FOLDER = ROOT / "tests" / "e2e" / "features"


class FeatureRow(NamedTuple):
    """S0.5 is ("s0", 5), F19 is ("f", 19)."""

    system: str
    row: int


_OF_A_ROW = r"test_(s\d_|f)\d\d_"

PROMISED = {
    FeatureRow("f", 19),
    *(FeatureRow("s0", row) for row in (1, *range(3, 46))),
    *(FeatureRow("s1", row) for row in range(1, 16)),
    *(FeatureRow("s2", row) for row in range(1, 19)),
    *(FeatureRow("s3", row) for row in range(1, 34)),
    *(FeatureRow("s4", row) for row in range(1, 44)),
}


def rows() -> list[tuple[FeatureRow, list[tuple[str, str]]]]:
    """Each row of the page with (file, test) of each test that it names."""
    found = re.findall(
        r"^\| (S\d\.|F)(\d+) \| [^|]+ \| ([^|]+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    return [
        (
            FeatureRow(system.rstrip(".").lower(), int(row)),
            re.findall(r"`(test_\w+\.py)`: `(test_\w+)`", tests),
        )
        for system, row, tests in found
    ]


def rows_of(test: str) -> list[FeatureRow]:
    """test_s3_04_… is of one row, test_s3_04_to_s3_08_… of five."""
    system, first, last = re.match(r"test_(s\d|f)_?(\d\d)_(?:to_\1_(\d\d)_)?", test).groups()  # type: ignore[union-attr]
    return [FeatureRow(system, row) for row in range(int(first), int(last or first) + 1)]


def written_tests() -> set[tuple[str, str]]:
    return {
        (file.name, node.name)
        for file in FOLDER.glob("test_*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.AsyncFunctionDef) and re.match(_OF_A_ROW, node.name)
    }


def test_every_promised_row_stands_once_and_names_a_test() -> None:
    found = [row for row, _ in rows()]
    assert sorted(found) == sorted(PROMISED)
    assert [row for row, tests in rows() if not tests] == []


def test_every_named_test_exists_and_every_test_is_named_at_its_row() -> None:
    named = {(row, test) for row, tests in rows() for test in tests}
    assert {test for _, test in named} == written_tests()
    assert [t for row, (_, t) in named if row not in rows_of(t)] == []
    assert {(row, t) for _, t in written_tests() for row in rows_of(t)} == {(row, t) for row, (_, t) in named}


def test_every_test_of_the_folder_is_of_a_row() -> None:
    others = {
        (file.name, node.name)
        for file in FOLDER.glob("test_*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.AsyncFunctionDef) and re.match(r"test_[sf]\d", node.name)
    }
    assert others == written_tests()
