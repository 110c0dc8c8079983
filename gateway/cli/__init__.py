"""The program `callmatrix`: one module per group of commands, results as tables or `--json`, errors that say what to do.

Exit codes: 0 done, 1 it did not work, 2 the command was misused.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import typer
from pydantic import ValidationError
from typer.core import TyperCommand, TyperGroup

from gateway.cli import accounts as accounts_commands
from gateway.cli import backfill as backfill_commands
from gateway.cli import cases as cases_commands
from gateway.cli import config as config_commands
from gateway.cli import dead_letters as desk_commands
from gateway.cli import matrices as matrices_commands
from gateway.cli import running as running_commands
from gateway.cli import sync as sync_commands
from gateway.cli import users as users_commands
from gateway.cli.output import say_failure
from runtime.failure import Failure

app = typer.Typer(
    name="callmatrix",
    help="Call routing gateway between telephone systems and amoCRM.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for group in (
    running_commands,
    accounts_commands,
    config_commands,
    matrices_commands,
    sync_commands,
    backfill_commands,
    desk_commands,
    cases_commands,
    users_commands,
):
    group.register(app)


def all_commands() -> dict[str, TyperCommand]:
    """Every command by its full name, e.g. "account add": what the reference documents and tests walk through."""
    return dict(_walk("", typer.main.get_command(app)))


def _walk(path: str, command: object) -> Iterator[tuple[str, TyperCommand]]:
    if isinstance(command, TyperCommand):
        yield path, command
    elif isinstance(command, TyperGroup):
        for name, child in command.commands.items():
            yield from _walk(f"{path} {name}".strip(), child)


def main(arguments: list[str] | None = None) -> None:
    """Runs the program and ends the process."""
    try:
        app(args=arguments, standalone_mode=True)
    except Failure as failure:
        say_failure(failure)
        sys.exit(1)
    except ValidationError as err:
        if err.title != "Settings":
            raise
        say_failure(_bad_settings(err))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _bad_settings(err: ValidationError) -> Failure:
    """The values are not shown: they may be secrets."""
    lines = [f"CALLMATRIX_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in err.errors()]
    return Failure("the settings are not valid", "\n        ".join(lines), "correct the environment or .env")
