"""The house: rooms of a size that a reader takes in, imports that go one way, and no circle.

import-linter holds the layers (pyproject.toml); here stands what it cannot say.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.paths import ROOT

PACKAGES = ("routing", "crm", "sms", "campaigns", "runtime", "gateway")
LAYERS = {"gateway": 3, "crm": 2, "sms": 2, "campaigns": 2, "runtime": 1, "routing": 1}
MOST_MODULES = 16
MOST_LINES = 400
# What decisions may stand on besides one another: value modules of the standard library, pydantic and phonenumbers.
ROUTING_MAY_IMPORT = frozenset(
    [
        "__future__",
        "bisect",
        "collections",
        "dataclasses",
        "datetime",
        "decimal",
        "difflib",
        "enum",
        "fractions",
        "functools",
        "hashlib",
        "heapq",
        "itertools",
        "json",
        "math",
        "operator",
        "re",
        "string",
        "typing",
        "unicodedata",
        "urllib",
        "zoneinfo",
        "phonenumbers",
        "pydantic",
        "pydantic_core",
        "routing",
    ]
)


def _sources() -> dict[str, Path]:
    """Files by dotted name; a package by its own."""
    files = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    return {".".join(f.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): f for f in files}


SOURCES = _sources()


def _imported(file: Path) -> set[str]:
    """Dotted names that the file imports, those for type checkers and inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative imports hide which room a thing is taken from"
            module = node.module or ""
            inner = {f"{module}.{a.name}" for a in node.names} & SOURCES.keys()
            names |= inner or {module}
    return names


def _arrows() -> dict[str, set[str]]:
    return {name: (_imported(file) & SOURCES.keys()) - {name} for name, file in SOURCES.items()}


ARROWS = _arrows()


def _circle(graph: Mapping[str, set[str]]) -> list[str]:
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as err:
        return list(err.args[1])
    return []


def _room(module: str) -> str:
    """The folder or loose file below a top-level package that holds the module."""
    return ".".join(module.split(".")[:2])


def test_a_circle_would_be_seen() -> None:
    assert _circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})
    assert not _circle({"a": {"b", "c"}, "b": {"c"}, "c": set()})


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert _circle(ARROWS) == []


def test_no_rooms_import_each_other_in_a_circle() -> None:
    rooms: dict[str, set[str]] = {}
    for module, imported in ARROWS.items():
        if "." in module:
            others = {_room(other) for other in imported if "." in other}
            rooms.setdefault(_room(module), set()).update(others - {_room(module)})
    assert len(rooms) > 40
    assert _circle(rooms) == []


def test_no_import_goes_upwards() -> None:
    upwards = [
        f"{module} -> {other}"
        for module, imported in ARROWS.items()
        for other in imported
        if (ours := module.split(".")[0]) != (theirs := other.split(".")[0])
        and LAYERS[theirs] >= LAYERS[ours]
    ]
    assert upwards == []


def test_routing_imports_nothing_but_values() -> None:
    strangers = {
        f"{module}: {name}"
        for module, file in SOURCES.items()
        if module.split(".")[0] == "routing"
        for name in _imported(file)
        if name.split(".")[0] not in ROUTING_MAY_IMPORT
    }
    assert strangers == set()


@pytest.mark.parametrize("folder", sorted({file.parent for file in SOURCES.values()}), ids=str)
def test_a_room_can_be_taken_in_at_a_glance(folder: Path) -> None:
    modules = [file.name for file in folder.glob("*.py") if file.name != "__init__.py"]
    assert len(modules) <= MOST_MODULES, f"{folder} holds {len(modules)} modules: part it into rooms"


def test_no_source_file_is_too_long() -> None:
    lengths = {name: len(file.read_text().splitlines()) for name, file in SOURCES.items()}
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_each_room_says_what_lives_there() -> None:
    silent = [
        name
        for name, file in SOURCES.items()
        if file.name == "__init__.py" and not (ast.get_docstring(ast.parse(file.read_text())) or "").strip()
    ]
    assert silent == []
