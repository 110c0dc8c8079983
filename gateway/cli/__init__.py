"""The program `callmatrix`: one module per group of commands, results as tables or `--json`, errors that say what to do.

Exit codes: 0 done, 1 it did not work, 2 the command was misused.
A command is imported when it is asked for (`commands` names them all), so this module stays quick to import.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from gateway.cli.lazy import LazyGroup, walk
from gateway.cli.output import database_refusal, say_failure
from runtime.failure import Failure

app = typer.Typer(
    name="callmatrix",
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        from importlib.metadata import version

        print(f"callmatrix {version('callmatrix')}")
        raise typer.Exit


@app.callback()
def program(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Call routing gateway between telephone systems and amoCRM."""


def all_commands() -> dict[str, TyperCommand]:
    """Every command by its full name, e.g. "account add": what the reference documents and tests walk through."""
    return dict(walk(typer.main.get_command(app)))


def main(arguments: list[str] | None = None) -> None:
    """Run the program and end the process."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        _refuse_bad_bytes(words)
        try:
            app(args=words, prog_name="callmatrix", standalone_mode=True)
        finally:
            _flush()
    except Failure as failure:
        _fail(failure)
    except OSError as err:  # a file, a port or the terminal, named by the error; a database is told by `run`
        _fail(
            Failure(
                "the system refuses",
                str(err) or type(err).__name__,
                "see to the file, the port or the right that it names",
            )
        )
    except UnicodeError as err:  # of what was typed or piped in; files say it themselves
        _fail(_bad_env_file() or Failure("what was given is no UTF-8 text", str(err), _UTF_8))
    except ValueError as err:
        _fail(_bad_settings(err) if getattr(err, "title", "") == "Settings" else _unexpected(err))
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as err:
        _fail(_refused(err) or database_refusal(err) or _unexpected(err))


def _flush() -> None:
    """Write what was printed while there is still somebody to tell when it cannot be written."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError:
        with contextlib.suppress(
            OSError, ValueError
        ):  # or Python tries again when it ends, and says so in its own way
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def _refused(err: Exception) -> Failure | None:
    """Return what a service refuses and no command has told; None: it is something else."""
    from gateway.admin.refused import InputRefused

    if not isinstance(err, InputRefused):
        return None
    return Failure("nothing was done", f"{err.field}: {err.message} ({err.code})", err.remedy)


def _unexpected(err: Exception) -> Failure:
    """Tell what nobody has thought of: one line, and the whole of it for those who ask."""
    if os.environ.get("CALLMATRIX_LOG_LEVEL", "").lower() == "debug":
        from traceback import print_exception

        print_exception(err)
    return Failure(
        "the program failed, and should not have",
        " ".join(f"{type(err).__name__}: {err}".partition("DETAIL:")[0].split())[:300],
        "run it once more with CALLMATRIX_LOG_LEVEL=debug for the traceback, and report that",
    )


_UTF_8 = "set the terminal, or the script that calls it, to UTF-8"


def _bad_env_file() -> Failure | None:
    """Tell of the file of settings where it is what nobody can read; None: it is something else."""
    from pathlib import Path

    file = Path(".env")
    try:
        file.read_text(encoding="utf-8")
    except UnicodeDecodeError as err:
        return Failure(f"{file.resolve()} is no UTF-8 text", str(err), "save this file as UTF-8")
    except OSError:
        return None
    return None


def _refuse_bad_bytes(words: Sequence[str]) -> None:
    """Python makes half characters of bytes that are no UTF-8; nothing could store them, nor show them."""
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError:
            raise Failure(f"the argument {word!a} is no UTF-8 text", "", _UTF_8) from None


def _fail(failure: Failure) -> None:
    say_failure(failure)
    sys.exit(1)


def _bad_settings(err: Any) -> Failure:
    """err: pydantic's, of the class Settings. The values are not shown: they may be secrets."""
    from gateway.admin.input_words import problems_of

    found = problems_of(err, "settings")
    lines = [f"CALLMATRIX_{name.replace('.', '_').upper()}: {message}" for name, message in found]
    return Failure("the settings are not valid", "\n        ".join(lines), "correct the environment or .env")
