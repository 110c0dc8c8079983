"""Every word of the glossary is a word of the program."""

from __future__ import annotations

import re

import pytest

from tests.paths import ROOT
from tests.unit.docs import rooms

PAGE = (ROOT / "docs" / "reference" / "glossary.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([^|]+) \| [^|]+ \| ([^|]+) \|$", PAGE, re.MULTILINE)
WORDS = [(word, name) for word, names in ROWS for name in re.findall(r"`([^`]+)`", names)]


def words_of_the_program() -> set[str]:
    files = [f for package in rooms.PACKAGES for f in (ROOT / package).rglob("*") if f.is_file()]
    read = [f.read_text(encoding="utf-8") for f in files if f.suffix in (".py", ".sql")]
    return {word for text in read for word in re.findall(r"\w+", text)} | {f.stem for f in files}


PROGRAM = words_of_the_program()


def test_every_row_names_something_in_the_code() -> None:
    rows = [word for word, _ in ROWS if word not in ("Word", "---")]
    assert len(rows) > 35
    assert {word for word, _ in WORDS} == set(rows)
    assert len(rows) == len(set(rows)), "one word stands twice"


@pytest.mark.parametrize(("word", "name"), WORDS)
def test_the_code_uses_the_name(word: str, name: str) -> None:
    assert name in PROGRAM, word
