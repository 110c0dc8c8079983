"""`secrets`: the keys that seal what the database keeps of secrets."""

from __future__ import annotations

import typer

from gateway.cli.options import Json
from gateway.cli.output import on_database, print_json, print_table

secrets_app = typer.Typer(help="How secrets are sealed in the database.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(secrets_app, name="secrets")


@secrets_app.command("generate")
def generate() -> None:
    """Make a key and print it; nothing is stored.

    Example: (umask 077; callmatrix secrets generate > /etc/callmatrix.key)
    """
    from runtime.database.sealing import new_key

    print(new_key())


@secrets_app.command("status")
def status(json: Json = False) -> None:
    """Show with which keys the secrets of the database are sealed.

    Example: callmatrix secrets status
    """
    from gateway.health.secret_checks import secrets_state

    state = on_database(secrets_state)
    if json:
        print_json(state)
        return
    print_table(
        ["key", "secrets", ""],
        [
            (use.key or "plain text", use.secrets, _words(use.is_known, use.is_newest, use.key))
            for use in state.keys
        ],
        "No key is configured, and no secret is stored.",
    )
    for name in state.unreadable:
        print(f"cannot be opened: {name}")


def _words(is_known: bool, is_newest: bool, key: str | None) -> str:
    if key is None:
        return "not sealed"
    if not is_known:
        return "missing here"
    return "seals" if is_newest else "opens"


@secrets_app.command("rotate")
def rotate(json: Json = False) -> None:
    """Seal every secret with the newest key, while everything runs; started again it goes on.

    Example: callmatrix secrets rotate
    """
    from gateway.admin.protection.secrets_at_rest import rotate_secrets

    done = on_database(lambda conn: rotate_secrets(conn, lambda _rows: None if json else _say(_rows)))
    if json:
        print_json(done)
        return
    print(f"{done.sealed} rows are sealed anew with key {done.key}.")
    if done.left:
        print(f"{done.left} secrets are not: see 'callmatrix secrets status', then do it again.")
    else:
        print("No other key is needed any more: it may be taken out of the file.")


def _say(rows: int) -> None:
    if rows and rows % 100 == 0:
        typer.echo(f"{rows} rows …", err=True)
