"""A kind of PBX is a folder and one line in kinds.py: nothing else knows one from another."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.pbx.connection_settings import COMMON_SETTINGS
from gateway.pbx.dialects import DIALECTS
from gateway.pbx.kind import PbxKind
from gateway.pbx.kinds import KINDS
from tests.paths import ROOT

VENDORS = {ROOT / "gateway" / "pbx" / kind for kind in KINDS}


def tells_kinds_apart(source: str) -> Iterator[int]:
    """Lines where something is compared with the name of a kind, looked up under it, or matched by it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare | ast.Dict | ast.match_case):
            keys = (
                node.keys
                if isinstance(node, ast.Dict)
                else ast.walk(node if isinstance(node, ast.Compare) else node.pattern)
            )
            if any(isinstance(key, ast.Constant) and key.value in KINDS for key in keys):
                yield getattr(node, "lineno", 0)


# Some dialects are called as the PBX that invented them, and stand in their own table.
DIALECTS_TABLE = ROOT / "gateway" / "pbx" / "dialects.py"


def _outside() -> list[Path]:
    return [
        p for p in (ROOT / "gateway").rglob("*.py") if not VENDORS & set(p.parents) and p != DIALECTS_TABLE
    ]


def test_nothing_outside_the_vendors_folders_tells_kinds_apart() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in _outside()
        for line in tells_kinds_apart(path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    ['c.kind == "mango"', 'x = {"asterisk": 1}', 'c.kind in ("mango", "x")', 'match c:\n case "mango": pass'],
)
def test_the_scan_sees_each_way_of_telling_kinds_apart(source: str) -> None:
    assert list(tells_kinds_apart(source))


@pytest.mark.parametrize("kind", list(KINDS.values()), ids=list(KINDS))
def test_every_kind_describes_itself(kind: PbxKind) -> None:
    assert kind.default_dialect in DIALECTS
    assert not set(kind.settings) & set(COMMON_SETTINGS)
    text = kind.instructions("office", "s3cret", "https://gw.example/pbx/office")
    assert "https://gw.example/pbx/office" in text
