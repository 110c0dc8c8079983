"""The program `callmatrix`: one module per group of commands, results as tables or `--json`, errors that say what to do.

Exit codes: 0 done, 1 it did not work, 2 the command was misused.
"""

from __future__ import annotations

import sys

import typer

from gateway.cli import accounts as accounts_commands
from gateway.cli import matrices as matrices_commands
from gateway.cli import running as running_commands
from gateway.cli.output import Failure, say_failure

app = typer.Typer(
    name="callmatrix",
    help="Call routing gateway between telephone systems and amoCRM.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
running_commands.register(app)
accounts_commands.register(app)
matrices_commands.register(app)


def main(arguments: list[str] | None = None) -> None:
    """Runs the program and ends the process."""
    try:
        app(args=arguments, standalone_mode=True)
    except Failure as failure:
        say_failure(failure)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
