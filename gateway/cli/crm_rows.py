"""`crm`: what the CRM told that could not be read, and changes that could not be worked on."""

from __future__ import annotations

from typing import Annotated

import typer

from crm.store.unread import unread_rows
from gateway.admin.input_words import is_counted
from gateway.admin.operations.desk import retry_crm_events
from gateway.cli.options import AccountName, Json, Limit
from gateway.cli.output import local, on_account, print_json, print_table, with_zone
from gateway.store.crm_events.work import aside_events
from runtime.failure import Failure

crm_app = typer.Typer(
    help="What the CRM told that could not be read or worked on.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    app.add_typer(crm_app, name="crm")


@crm_app.command("unread")
def unread(account: AccountName = None, limit: Limit = 100, json: Json = False) -> None:
    """Rows of the CRM of which something could not be read, oldest first. A row goes by itself when it reads well.

    Example: callmatrix crm unread --account sales
    """
    found, zone = on_account(account, with_zone(lambda conn, id: unread_rows(conn, id, limit=limit)))
    if json:
        print_json([row._asdict() for row in found])
        return
    lines = [
        (
            row.kind,
            row.id,
            row.field,
            local(row.found_at, zone),
            row.times,
            row.why,
            row.raw[:200],
        )
        for row in found
    ]
    columns = ["kind", "id", "field", "since", "times", "why", "value"]
    print_table(columns, lines, "Everything that the CRM told could be read.")


@crm_app.command("aside")
def aside(account: AccountName = None, limit: Limit = 100, json: Json = False) -> None:
    """List changes in the CRM that a consumer failed on too often, oldest first.

    Example: callmatrix crm aside --account sales
    """
    found, zone = on_account(account, with_zone(lambda conn, id: aside_events(conn, id, limit=limit)))
    if json:
        print_json([event._asdict() for event in found])
        return
    lines = [
        (
            event.event_id,
            event.consumer,
            event.subject,
            event.what,
            local(event.at, zone),
            event.tries,
            event.error[:300],
        )
        for event in found
    ]
    columns = ["id", "consumer", "subject", "what", "at", "tries", "error"]
    print_table(columns, lines, "Every change could be worked on.")


@crm_app.command("retry")
def retry(
    ids: Annotated[list[str] | None, typer.Argument(help="ids of 'crm aside'")] = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="every change that was set aside")] = False,
    account: AccountName = None,
    json: Json = False,
) -> None:
    """Work on changes again that were set aside.

    Example: callmatrix crm retry --all --account sales
    """
    if bool(ids) == all_of_them:
        raise typer.BadParameter("name the ids, or give --all")
    if nonsense := [id for id in ids or () if not is_counted(id)]:
        raise typer.BadParameter(f"'{nonsense[0]}' is no id of 'crm aside'")
    numbers = [int(id) for id in ids or ()] or None
    count = on_account(account, lambda conn, account_id: retry_crm_events(conn, account_id, numbers))
    if json:
        print_json({"count": count})
    elif count:
        print(f"{count} are worked on again.")
    else:
        raise Failure("nothing of that is set aside", "", "see 'callmatrix crm aside'")
