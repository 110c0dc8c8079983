"""The house: rooms of a size that a reader takes in, imports that go one way, and no circle.

import-linter holds the layers (pyproject.toml); here stands what it cannot say.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.paths import ROOT

PACKAGES = ("routing", "crm", "sms", "campaigns", "runtime", "gateway")
LAYERS = {"gateway": 3, "crm": 2, "sms": 2, "campaigns": 2, "runtime": 1, "routing": 1}
MOST_MODULES = 16
MOST_LINES = 400
# What decisions may stand on besides one another: value modules of the standard library, pydantic, phonenumbers and regex.
ROUTING_MAY_IMPORT = frozenset(
    [
        "__future__",
        "base64",
        "bisect",
        "collections",
        "collections.abc",
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
        "urllib.parse",
        "zoneinfo",
        "phonenumbers",
        "regex",
        "pydantic",
        "pydantic_core",
        "routing",
    ]
)

# Words that only SQL puts together like this, in strings that are no docstring.
SQL = re.compile(
    r"\bselect\s[\s\S]*?\bfrom\s+[\w(\"]+[\s\S]*?(\bwhere\b|\border by\b|\blimit\b|\bgroup by\b|\bfor update\b)"
    r"|^\s*select\s[\s\S]*?\bfrom\s|^\s*select\s+\w+\(|\binsert\s+into\s|\bupdate\s+\w+(\s+(as\s+)?\w+)?\s+set\s"
    r"|\bdelete\s+from\s|\bpg_notify\b|\bpg_(try_)?advisory|^\s*(listen|notify)\s+[\w\"]+\s*(,|;|$)|^\s*with\s+\w+\s+as\s+\("
    r"|^\s*truncate\s+\w|\b(create|alter|drop)\s+(unique\s+)?(table|index|view|function|trigger|schema|type|sequence)\s",
    re.IGNORECASE,
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


def _parted(sources: Iterable[str]) -> list[str]:
    """Rooms that hold rooms, at any depth."""
    packages = {name.rpartition(".")[0] for name in sources}
    return sorted({p.rpartition(".")[0] for p in packages if p.count(".") > 1})


def _rooms_inside(room: str, arrows: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Folders and loose files of the room, each with those that it takes from."""
    depth = room.count(".") + 2
    rooms: dict[str, set[str]] = {}
    for module, imported in arrows.items():
        if module.startswith(f"{room}."):
            ours = ".".join(module.split(".")[:depth])
            others = {".".join(o.split(".")[:depth]) for o in imported if o.startswith(f"{room}.")}
            rooms.setdefault(ours, set()).update(others - {ours})
    return rooms


def test_a_circle_of_rooms_inside_a_room_would_be_seen() -> None:
    """No modules stand in a circle here; the folder and the file beside it do."""
    planted = {
        "gateway.pbx.in.a": {"gateway.pbx.out"},
        "gateway.pbx.out": {"gateway.pbx.in.b"},
        "gateway.pbx.in.b": set[str](),
    }
    assert not _circle(planted)
    assert _parted(planted) == ["gateway.pbx"]
    assert _circle(_rooms_inside("gateway.pbx", planted))


@pytest.mark.parametrize("room", _parted(SOURCES))
def test_no_rooms_inside_a_room_import_each_other_in_a_circle(room: str) -> None:
    assert _circle(_rooms_inside(room, ARROWS)) == []


def test_every_room_that_holds_rooms_is_looked_at() -> None:
    assert {"gateway.api", "gateway.store", "gateway.pbx", "gateway.admin", "routing.matrix"} <= set(
        _parted(SOURCES)
    )
    assert {"crm.sandbox", "crm.amocrm", "crm.effects"} <= set(_parted(SOURCES))


def test_no_import_goes_upwards() -> None:
    upwards = [
        f"{module} -> {other}"
        for module, imported in ARROWS.items()
        for other in imported
        if (ours := module.split(".")[0]) != (theirs := other.split(".")[0])
        and LAYERS[theirs] >= LAYERS[ours]
    ]
    assert upwards == []


_PACKAGES_OF_ROUTING = ("routing", "pydantic", "pydantic_core", "phonenumbers", "regex")
_NOT_PURE = re.compile(
    r"(.*\.)?(datetime|date)\.(now|utcnow|today)|open|input|print|exec|eval|__import__|(uuid|random)\..*"
)


def _calls(tree: ast.Module) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


@pytest.mark.parametrize(
    "call", ["datetime.now(UTC)", "dt.datetime.utcnow()", "date.today()", "open('/etc/passwd')"]
)
def test_what_a_decision_must_not_ask_would_be_seen(call: str) -> None:
    (seen,) = _calls(ast.parse(call))
    assert _NOT_PURE.fullmatch(ast.unparse(seen.func))


def test_routing_reads_no_clock_and_opens_nothing() -> None:
    asked = {
        f"{name}:{call.lineno}: {ast.unparse(call.func)}"
        for name, file in SOURCES.items()
        if name.split(".")[0] == "routing"
        for call in _calls(ast.parse(file.read_text()))
        if _NOT_PURE.fullmatch(ast.unparse(call.func))
    }
    assert asked == set()


def test_no_module_of_ours_is_imported_by_a_name_in_quotes() -> None:
    """Neither the layers nor the circles would see it; what is looked up in a table of commands is a name of its own."""
    hidden = {
        f"{name}:{call.lineno}"
        for name, file in SOURCES.items()
        for call in _calls(ast.parse(file.read_text()))
        if ast.unparse(call.func).endswith(("import_module", "__import__"))
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }
    assert hidden == set()


VENDORS = sorted(
    f"{room.replace('/', '.')}.{folder.name}"
    for room in ("gateway/pbx", "sms/channels", "sms/providers")
    for folder in (ROOT / room).iterdir()
    if (folder / "adapter.py").exists()
)
WIRES = sorted(
    name
    for name in SOURCES
    if name.split(".")[-1].startswith("wire")
    and name.startswith(("gateway.pbx.", "crm.amocrm.", "sms.channels.", "sms.providers."))
)
NOT_ON_THE_WIRE = (
    "aiohttp",
    "asyncpg",
    "asyncio",
    "socket",
    "structlog",
    "random",
    "time",
    "urllib.request",
    "http",
)


def test_folders_of_vendors_know_nothing_of_each_other() -> None:
    assert len(VENDORS) > 5
    known = [
        f"{name} -> {other}"
        for name, imported in ARROWS.items()
        for other in imported
        if (ours := ".".join(name.split(".")[:3])) in VENDORS
        and (theirs := ".".join(other.split(".")[:3])) in VENDORS
        and ours != theirs
    ]
    assert known == []


@pytest.mark.parametrize("wire", WIRES)
def test_what_turns_bytes_into_values_does_nothing_else(wire: str) -> None:
    imported = _imported(SOURCES[wire])
    assert {n for n in imported if n.startswith(NOT_ON_THE_WIRE)} == set()


def test_a_crm_is_wired_in_one_place() -> None:
    """A second CRM is a folder and lines in `crm/kinds.py`: nothing else knows that there is an amoCRM."""
    takers = {
        name
        for name, imported in ARROWS.items()
        if not name.startswith("crm.amocrm") and any(other.startswith("crm.amocrm") for other in imported)
    }
    assert takers == {"crm.kinds"}


def test_a_crm_is_named_in_code_where_it_is_wired() -> None:
    """The sandbox imitates it, its profile is chosen at the command line, and people read its name."""
    named = {
        name
        for name, file in SOURCES.items()
        if not name.startswith(("crm.amocrm", "crm.sandbox", "gateway.web.texts."))
        and any(text.lower() in ("amocrm", "kommo") for _, text in _strings(ast.parse(file.read_text())))
    }
    assert named == {"crm.kinds", "gateway.cli.running"}


def test_routing_imports_nothing_but_values() -> None:
    strangers = {
        f"{module}: {name}"
        for module, file in SOURCES.items()
        if module.split(".")[0] == "routing"
        for name in _imported(file)
        if name not in ROUTING_MAY_IMPORT and name.split(".")[0] not in _PACKAGES_OF_ROUTING
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
    joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    inner = {id(part) for node in joined for part in node.values}
    found = {(node.lineno, _text_of(node)) for node in joined}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told | inner:
            found.add((node.lineno, node.value))
    return found


def _text_of(joined: ast.JoinedStr) -> str:
    """What an f-string says, with a word in place of each value."""
    return "".join(str(p.value) if isinstance(p, ast.Constant) else "value" for p in joined.values)


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
        "select a from b where c",
        "TRUNCATE effect",
        "CREATE TABLE a (b text)",
        "create unique index a on b (c)",
        "drop table a",
    ],
)
def test_a_statement_would_be_seen(statement: str) -> None:
    assert SQL.search(statement)


def test_a_statement_with_values_in_it_would_be_seen() -> None:
    tree = ast.parse('f"select {columns} from {table} where a = $1"')
    assert [SQL.search(text) is not None for _, text in _strings(tree)] == [True]


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


def test_secrets_are_made_in_one_place() -> None:
    """A password that a person types is the exception: it is shorter. What the sandbox gives out is a CRM's."""
    made = {
        name
        for name, file in SOURCES.items()
        if not name.startswith("crm.sandbox.")
        for call in _calls(ast.parse(file.read_text()))
        if ast.unparse(call.func).endswith("token_urlsafe")
    }
    assert made <= {"runtime.tokens", "gateway.admin.users"}
