"""The house: rooms of a size that a reader takes in, imports that go one way, and no circle.

import-linter holds the layers (pyproject.toml); here stands what it cannot say.
"""

from __future__ import annotations

import ast
import re
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
        "base64",
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

# Words that only SQL puts together like this, in strings that are no docstring.
SQL = re.compile(
    r"\bSELECT\s[\s\S]*?\bFROM\s|\bSELECT\s+\w+\(|\bINSERT\s+INTO\s|\bUPDATE\s+\w+(\s+(AS\s+)?\w+)?\s+SET\s"
    r"|\bDELETE\s+FROM\s|\bpg_notify\b|\bpg_(try_)?advisory|\bLISTEN\s+\w|\bNOTIFY\s+\w|\bWITH\s+\w+\s+AS\s+\("
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


def _strings(tree: ast.Module) -> set[tuple[int, str]]:
    """Line and text of every string that is no docstring."""
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = [node.body[0] for node in ast.walk(tree) if isinstance(node, holders) and node.body]
    told = {id(first.value) for first in bodies if isinstance(first, ast.Expr)}
    return {
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told
    }


def _may_hold_sql(module: str) -> bool:
    parts = module.split(".")
    return "store" in parts or parts[:2] in (["gateway", "db"], ["runtime", "database"])


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT a\nFROM b WHERE c",
        "SELECT pg_notify($1, $2)",
        "INSERT INTO a VALUES ($1)",
        "UPDATE effect e SET state = $1",
        "DELETE FROM a WHERE b",
        "SELECT 1 FROM account FOR UPDATE",
        "LISTEN a",
    ],
)
def test_a_statement_would_be_seen(statement: str) -> None:
    assert SQL.search(statement)


def test_sql_stands_only_in_stores_and_migrations() -> None:
    stray = {
        f"{name}:{line}: {' '.join(text.split())[:80]}"
        for name, file in SOURCES.items()
        if not _may_hold_sql(name)
        for line, text in _strings(ast.parse(file.read_text()))
        if SQL.search(text)
    }
    assert stray == set()


def test_advisory_locks_stand_in_one_list() -> None:
    """The lease is the exception: its session and its key belong together."""
    holders = {
        name
        for name, file in SOURCES.items()
        if any("pg_advisory" in t or "pg_try_advisory" in t for _, t in _strings(ast.parse(file.read_text())))
    }
    assert holders == {"runtime.database.locks", "runtime.database.lease"}
