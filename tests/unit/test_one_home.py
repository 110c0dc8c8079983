"""Things that stood in several places once stand in one. Each test fails where a second one comes back."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from tests.paths import ROOT

LATER = {"runtime/database/listen.py", "gateway/worker/worker.py"}
"""Still with one of their own."""
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


def test_numbers_and_secrets_are_hidden_in_one_place() -> None:
    """Hidden by a text of stars; whoever needs it calls `runtime.masking`."""
    assert homes(r"\*\*\*[\"'}]") <= {"runtime/masking.py"}
    assert homes(r"def _?mask\w*\(") == {"runtime/masking.py", "runtime/logs.py"}


def test_our_modules_speak_through_structlog() -> None:
    assert homes(r"logging\.getLogger\((__name__)?\)\.?|^import logging$") <= {"runtime/logs.py"}


def test_pauses_after_failures_grow_in_one_place() -> None:
    """A delay that doubles is a back-off of one's own; `runtime.backoff` knows how."""
    grows = r"(delay|pause|wait)\w* \* 2|2(\.0)? \*\* "
    assert homes(grows) - LATER == {"runtime/backoff.py"}
