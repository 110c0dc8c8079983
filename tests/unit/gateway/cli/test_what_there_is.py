"""Of a name that is not there it is said where those stand that are: by a command that there is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from gateway.cli import all_commands

_GATEWAY = Path(__file__).parents[4] / "gateway"


def _named() -> Iterator[tuple[str, str]]:
    """Where a thing is refused as unknown, and the command that is named there."""
    for file in sorted(_GATEWAY.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "NothingOfThatName":
                yield f"{file.relative_to(_GATEWAY)}:{node.lineno}", _command(node.args)


def _command(arguments: list[ast.expr]) -> str:
    told = arguments[2] if len(arguments) > 2 else arguments[0]
    begin = told.values[0] if isinstance(told, ast.JoinedStr) else told
    assert isinstance(begin, ast.Constant)
    words = str(begin.value).partition('"')[0].strip()
    return words if len(arguments) > 2 else f"{words} list"


def test_an_unknown_name_leads_to_a_command_that_shows_what_there_is() -> None:
    named = dict(_named())
    assert len(named) > 20
    assert {where: command for where, command in named.items() if command not in all_commands()} == {}
