"""`client`: what is kept of one client."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from gateway.cli.options import AccountName, Json, Yes
from gateway.cli.output import confirm, on_account, print_json, print_table, refusals
from gateway.store.admin.personal_data import ClientData

client_app = typer.Typer(help="What is kept of one client.", no_args_is_help=True)
ClientNumber = Annotated[str, typer.Argument(help="of the client, in any spelling")]


def register(app: typer.Typer) -> None:
    app.add_typer(client_app, name="client")


@client_app.command("show")
def show(number: ClientNumber, account: AccountName = None, json: Json = False) -> None:
    """Show how much is kept of a client.

    Example: callmatrix client show +79161234567
    """
    client, kept = _kept(number, account, "nothing is shown")
    if json:
        print_json({"client": client, **asdict(kept)})
        return
    print_table(["kept of", client], list(asdict(kept).items()))


@client_app.command("forget")
def forget(number: ClientNumber, account: AccountName = None, yes: Yes = False, json: Json = False) -> None:
    """Empty what is kept of a client: number, names, recordings, messages and decisions; calls stay as figures.

    Example: callmatrix client forget +79161234567 --yes
    """
    from gateway.admin.protection.forget_client import forget_client

    client, kept = _kept(number, account, "nothing is forgotten")
    if not json:
        print(f"Kept of {client}: " + ", ".join(f"{n} {v}" for n, v in asdict(kept).items()))
    confirm("All of it is emptied; the CRM and the PBX are not touched. Go on?", is_sure=yes or json)
    with refusals("nothing is forgotten"):
        gone = on_account(account, lambda conn, account_id: forget_client(conn, account_id, number))
    if json:
        print_json({"client": client, "forgotten": asdict(gone)})
    else:
        print("Forgotten here. Delete the contact in the CRM too: what the CRM has comes back from there.")


def _kept(number: str, account: str | None, refused: str) -> tuple[str, ClientData]:
    from gateway.admin.protection.forget_client import data_of_client

    with refusals(refused):
        return on_account(account, lambda conn, account_id: data_of_client(conn, account_id, number))
