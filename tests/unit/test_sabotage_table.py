"""The table of `make sabotage` fits the source as it stands: it is run by hand, and must not rot meanwhile."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.paths import ROOT
from tests.sabotage.rows import ROWS
from tests.sabotage.sabotage import Sabotage, SabotageStale, restore_file, sabotage_file, sabotaged
from tests.sabotage.verdicts import verdict

_ROW = Sabotage(
    name="two-is-three",
    hurts="sums are wrong",
    file="sums.py",
    old="return 2",
    new="return 3",
    tests=("t.py",),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_sabotage_fits_the_source(row: Sabotage) -> None:
    text = (ROOT / row.file).read_text(encoding="utf-8")
    done = sabotaged(row, text)
    assert done != text
    compile(done, row.file, "exec")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_a_sabotage_names_is_there(row: Sabotage) -> None:
    assert row.tests, "nothing would notice it"
    for test in row.tests:
        file, _, name = test.partition("::")
        functions = {
            node.name
            for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        assert name.partition("[")[0] in functions, f"name the test that notices it: {test}"


def test_names_are_given_once() -> None:
    assert [name for name, count in Counter(row.name for row in ROWS).items() if count > 1] == []


@pytest.mark.parametrize("text", ["return 4", "return 2\nreturn 2"])
def test_a_row_that_no_longer_fits_is_refused(text: str) -> None:
    with pytest.raises(SabotageStale, match=r"two-is-three: its old text stands [02] times in sums\.py"):
        sabotaged(_ROW, text)


def test_a_sabotage_is_undone_and_leaves_nothing_compiled(tmp_path: Path) -> None:
    file, compiled = tmp_path / "sums.py", tmp_path / "__pycache__" / "sums.cpython-311.pyc"
    file.write_text("def two():\n    return 2\n")
    compiled.parent.mkdir()
    compiled.touch()
    before = sabotage_file(_ROW, tmp_path)
    assert file.read_text() == "def two():\n    return 3\n"
    assert not compiled.exists()
    compiled.touch()
    restore_file(_ROW, tmp_path, before)
    assert file.read_text() == "def two():\n    return 2\n"
    assert not compiled.exists()


def test_a_row_changes_one_place_only() -> None:
    with pytest.raises(SabotageStale):
        sabotaged(replace(_ROW, old=""), "return 2")


_FAILED = '<failure message="AssertionError: assert 2 == 3&#10;more">trace</failure>'
_NO_NAME = "<failure message=\"NameError: name 'two' is not defined\">trace</failure>"
_NO_FIXTURE = '<error message="failed on setup with &quot;ImportError: no such module&quot;">trace</error>'


@pytest.mark.parametrize(
    ("exit_code", "case", "word"),
    [
        (0, "", "NOT CAUGHT"),
        (1, _FAILED, "caught"),
        (1, _NO_NAME, "BROKEN"),
        (1, _NO_FIXTURE, "BROKEN"),
        (1, _NO_FIXTURE + _FAILED, "caught"),
        (2, "", "BROKEN"),
        (5, "", "BROKEN"),
        (None, "", "BROKEN"),
    ],
)
def test_only_a_test_that_ran_and_failed_has_caught_anything(
    tmp_path: Path, exit_code: int | None, case: str, word: str
) -> None:
    report = tmp_path / "report.xml"
    report.write_text(f'<testsuites><testsuite><testcase name="a">{case}</testcase></testsuite></testsuites>')
    assert verdict(exit_code, report).word == word
