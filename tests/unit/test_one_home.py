"""Things that stood in several places once stand in one. Each test fails where a second one comes back."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from tests.paths import ROOT

ROOMS = ("routing", "runtime", "crm", "gateway")


def sources() -> Iterator[tuple[str, str]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def homes(pattern: str) -> set[str]:
    """The files in which this stands."""
    return {name for name, text in sources() if re.search(pattern, text)}


def homes_of(is_it: Callable[[ast.AST], bool]) -> set[str]:
    return {name for name, text in sources() if any(is_it(node) for node in ast.walk(ast.parse(text)))}


def test_a_connection_of_the_database_has_one_type() -> None:
    assert homes(r"Connection \| (asyncpg\.pool\.)?PoolConnectionProxy") == {"runtime/database/pool.py"}
