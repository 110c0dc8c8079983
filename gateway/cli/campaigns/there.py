"""`campaign there`: campaigns that a PBX's contact centre has."""

from __future__ import annotations

from typing import Annotated

import typer

from campaigns.engine import EngineCampaign
from gateway.admin.campaigns.engines import campaigns_there, centre_of
from gateway.cli.options import AccountName, Json
from gateway.cli.output import on_account, print_json, print_table, refusals
from runtime.database.pool import Conn


def register(app: typer.Typer) -> None:
    app.command("there")(there)


def there(
    connection: Annotated[str, typer.Argument(help="the PBX", metavar="CONNECTION")],
    account: AccountName = None,
    json: Json = False,
) -> None:
    """List the campaigns that a PBX's contact centre has, for 'engine_ref'.

    Example: callmatrix campaign there office
    """

    async def work(conn: Conn, account_id: str) -> tuple[EngineCampaign, ...]:
        return await campaigns_there(*await centre_of(conn, account_id, connection))

    with refusals("nothing is shown"):
        found = on_account(account, work)
    if json:
        print_json([one._asdict() for one in found])
        return
    print_table(
        ["id", "campaign", "state", "", "numbers", "done"],
        [(c.ref, c.name, c.state, c.words, c.tasks, c.done) for c in found],
        "The contact centre has none.",
    )
