"""`config export`, `config import`: an account's configuration as a YAML file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.admin.connections import pbx_instructions
from gateway.cli.changing.files import read_text, write_text
from gateway.cli.options import AccountName, Json, Lang, Yes
from gateway.cli.output import chosen_language, confirm, me, on_account, print_json
from gateway.pbx.kinds import KINDS
from gateway.settings import Settings
from runtime.failure import Failure

if TYPE_CHECKING:
    from gateway.admin.config_import import Imported

_LONGEST_REASON = 1000

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
        write_text(output, text)
        print(f"Written to {output}.")


@config_app.command("import")
def take_over(
    file: Annotated[str, typer.Argument(help="YAML file; '-' reads standard input")],
    account: Annotated[
        str | None, typer.Option(help="which account; else the one that the file names")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only check, and tell the difference")] = False,
    draft: Annotated[
        bool, typer.Option("--draft", help="the matrix becomes the draft, and is not published")
    ] = False,
    why: Annotated[str | None, typer.Option(help="shown in the list of versions of the matrix")] = None,
    yes: Yes = False,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Check a configuration file and take it over, all or nothing. Sections that are absent stay as they are.

    At a terminal the difference is shown and asked about first, unless --yes says so.

    Example: callmatrix config import sales.yaml --draft
    """
    from gateway.admin.config_document import ConfigRefused, read_yaml
    from gateway.admin.config_import import import_config
    from gateway.admin.protection.allowed import allowed_by
    from gateway.settings import Settings

    if why is not None and not 0 < len(why.strip()) <= _LONGEST_REASON:
        raise typer.BadParameter(f"--why: say it in 1 to {_LONGEST_REASON} characters")
    text = read_text(file)
    is_asking = not (dry_run or yes or json) and sys.stdin is not None and sys.stdin.isatty()

    def taken(is_dry_run: bool) -> Imported:
        document = read_yaml(text)
        return on_account(
            account or document.account,
            lambda conn, account_id: import_config(
                conn,
                account_id,
                document,
                by=me(),
                kinds=KINDS,
                allowed=allowed_by(Settings()),
                is_dry_run=is_dry_run,
                is_draft=draft,
                why=why,
                language=chosen_language(lang),
            ),
        )

    try:
        done = taken(dry_run or is_asking)
        if is_asking and (done.changes or done.is_drafted):
            _tell(done)
            confirm("Take it over?", is_sure=False)
            done = taken(False)
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


def _tell(done: Imported) -> None:
    heading = "This would change:" if done.is_dry_run else "Changed:"
    print(heading if done.changes else "Nothing to change.")
    for change in done.changes:
        print(f"  {change}")
    for line in done.warnings:
        print(f"Warning: {line}")
    if done.tests:
        print(f"{done.tests} test calls came out as expected.")
    if done.is_drafted:
        print(
            f"The matrix {'would become' if done.is_dry_run else 'is now'} the draft: try it with 'callmatrix replay'"
            " and 'callmatrix matrix dry-run', then 'callmatrix matrix publish'."
        )
    if done.version is not None:
        print(f"The matrix {'would become' if done.is_dry_run else 'is now'} version {done.version}.")
    base = Settings().base_url
    for new in done.new_secrets:
        print(f"\nConnection '{new.connection}', secret (shown once): {new.secret}")
        print(pbx_instructions(new.kind, new.connection, new.secret, base, KINDS))
