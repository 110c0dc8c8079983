"""The page that names a test for each thing that goes wrong names tests that exist."""

from __future__ import annotations

import re

import pytest

from tests.paths import ROOT

PAGE = (ROOT / "docs/reference/reliability.md").read_text(encoding="utf-8")
ITEMS = [*range(1, 12), 13, 14, *range(16, 22)]
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)))


@pytest.mark.parametrize(("file", "name"), NAMED, ids=lambda part: part)
def test_a_named_test_exists(file: str, name: str) -> None:
    source = (ROOT / "tests" / file).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {name}\(", source, re.MULTILINE), f"{file} has no {name}"


def test_each_item_has_a_row_with_a_test() -> None:
    rows = {int(m[1]): m[0] for m in re.finditer(r"^\| (\d+) \|.*$", PAGE, re.MULTILINE)}
    assert sorted(rows) == ITEMS
    assert all("::test_" in row for row in rows.values())
