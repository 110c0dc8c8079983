"""`config export`, `config import`: an account's configuration as a YAML file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.admin.connections import pbx_instructions
from gateway.cli.options import AccountName, Json, Lang
from gateway.cli.output import chosen_language, on_account, print_json
from gateway.pbx.kinds import KINDS
from gateway.settings import Settings
from runtime.failure import Failure

if TYPE_CHECKING:
    from gateway.admin.config_import import Imported

config_app = typer.Typer(
    help="An account's configuration as a YAML file, without secrets.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    app.add_typer(config_app, name="config")


@config_app.command("export")
def export(
    account: AccountName = None,
    output: Annotated[Path | None, typer.Option(help="file to write; else standard output")] = None,
    json: Json = False,
) -> None:
    """Write settings, employees, connections (without secrets) and the published matrix of an account.

    Example: callmatrix config export --account sales --output sales.yaml
    """
    from gateway.admin.config_document import as_yaml
    from gateway.admin.config_import import export_config

    document = on_account(account, export_config)
    if json:
        print_json(document)
        return
    text = as_yaml(document)
    if output is None:
        print(text, end="")
    else:
        output.write_text(text, encoding="utf-8")
        print(f"Written to {output}.")


@config_app.command("import")
def take_over(
    file: Annotated[str, typer.Argument(help="YAML file; '-' reads standard input")],
    account: Annotated[
        str | None, typer.Option(help="which account; else the one that the file names")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only check, and tell the difference")] = False,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Check a configuration file and take it over, all or nothing. Sections that are absent stay as they are.

    Example: callmatrix config import sales.yaml --dry-run
    """
    from gateway.admin.config_document import ConfigRefused, read_yaml
    from gateway.admin.config_import import import_config
    from gateway.admin.protection.allowed import allowed_by
    from gateway.settings import Settings

    text = _read(file)

    try:
        document = read_yaml(text)
        done = on_account(
            account or document.account,
            lambda conn, account_id: import_config(
                conn,
                account_id,
                document,
                by="command line",
                kinds=KINDS,
                allowed=allowed_by(Settings()),
                is_dry_run=dry_run,
                language=chosen_language(lang),
            ),
        )
    except ConfigRefused as err:
        raise Failure(
            f"{file} was not taken, nothing has changed",
            "\n        ".join(f"{p.in_words()} ({p.code})" for p in err.problems),
            "correct the file and try again, at first with --dry-run",
        ) from err
    if json:
        print_json(done)
    else:
        _tell(done)


def _read(file: str) -> str:
    from gateway.admin.files.yaml_text import MOST_BYTES

    try:
        if file == "-":
            body = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with open(file, "rb") as opened:
                body = opened.read(MOST_BYTES + 1)
        if len(body) <= MOST_BYTES:
            return body.decode()
    except (OSError, UnicodeDecodeError) as err:
        raise Failure(f"{file} cannot be read", str(err), "give a YAML file in UTF-8, or '-'") from err
    raise Failure(
        f"{file} was not taken, nothing has changed",
        f"it is longer than {MOST_BYTES} bytes",
        "part it into several, by section",
    )


def _tell(done: Imported) -> None:
    heading = "This would change:" if done.is_dry_run else "Changed:"
    print(heading if done.changes else "Nothing to change.")
    for change in done.changes:
        print(f"  {change}")
    for line in done.warnings:
        print(f"Warning: {line}")
    if done.tests:
        print(f"{done.tests} test calls came out as expected.")
    if done.version is not None:
        print(f"The matrix {'would become' if done.is_dry_run else 'is now'} version {done.version}.")
    base = Settings().base_url
    for new in done.new_secrets:
        print(f"\nConnection '{new.connection}', secret (shown once): {new.secret}")
        print(pbx_instructions(new.kind, new.connection, new.secret, base, KINDS))
