"""What a run of pytest says of a sabotage: a test that failed, or only a run that came to nothing."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Word = Literal["caught", "NOT CAUGHT", "BROKEN"]

# A sabotage that makes a program which cannot run says nothing about tests.
_NO_PROGRAM = re.compile(
    r"^(\w+\.)*(ImportError|ModuleNotFoundError|SyntaxError|IndentationError|NameError|UnboundLocalError)\b"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """by: the test that failed, or why there is no telling."""

    word: Word
    by: str


def verdict(exit_code: int | None, report: Path) -> Verdict:
    """exit_code: of pytest, None = it was stopped when its time was over. report: its JUnit XML."""
    if exit_code == 0:
        return Verdict("NOT CAUGHT", "every named test passes")
    if exit_code is None:
        return Verdict("BROKEN", "the run did not end")
    if exit_code != 1 or not report.exists():
        return Verdict("BROKEN", f"pytest ended with {exit_code}: nothing was tested")
    failures, errors = _of(report)
    for test, message in failures:
        if not _NO_PROGRAM.match(message):
            return Verdict("caught", test)
    test, message = (failures or errors or [("?", "no test failed")])[0]
    return Verdict("BROKEN", f"{test}: {message[:120]}")


def _of(report: Path) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return failures of tests, and errors of collection, fixtures and cleaning up: (test, first line) of each."""
    found: dict[str, list[tuple[str, str]]] = {"failure": [], "error": []}
    for case in ElementTree.parse(report).iter("testcase"):
        for kind, among in found.items():
            among.extend((case.get("name", "?"), _line(said)) for said in case.findall(kind))
    return found["failure"], found["error"]


def _line(said: ElementTree.Element) -> str:
    return (said.get("message") or said.text or "").strip().split("\n")[0]
