"""The sandbox's README names everything that can be switched, done and broken."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

import crm.sandbox
from crm.sandbox.control.acts import ACTS
from crm.sandbox.control.inspection import ROWS
from crm.sandbox.faults import KINDS
from crm.sandbox.profile import Profile

README = (Path(crm.sandbox.__file__).parent / "README.md").read_text()


@pytest.mark.parametrize("word", sorted({*ACTS, *KINDS, *(item.name for item in fields(Profile))} - {"name"}))
def test_readme_names_it(word: str) -> None:
    assert f"`{word}`" in README


@pytest.mark.parametrize("kind", sorted(set(ROWS) - {"unsorted"}))
def test_readme_names_every_kind_of_row(kind: str) -> None:
    line = next(line for line in README.splitlines() if "GET state" in line)
    assert f" {kind}" in line
