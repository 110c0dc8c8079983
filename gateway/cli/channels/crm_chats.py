"""`crm-chats`: dialogues in the CRM's own chats, set up and switched at the command line."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from gateway.admin.channels import crm_chats
from gateway.admin.channels.crm_chats import CrmChatsView
from gateway.cli.options import AccountName, Json, Yes, secret_given
from gateway.cli.output import confirm, on_account, print_json, refusals
from gateway.settings import Settings
from runtime.database.pool import Conn

crm_chats_app = typer.Typer(help="Dialogues in the CRM's own chats.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(crm_chats_app, name="crm-chats")


@crm_chats_app.command("show")
def show(account: AccountName = None, json: Json = False) -> None:
    """Show how the CRM's chats are reached, and how that fares.

    Example: callmatrix crm-chats show --account sales
    """
    with refusals("nothing is shown"):
        _tell(on_account(account, _view), json=json)


@crm_chats_app.command("set")
def change(
    channel_id: Annotated[
        str | None, typer.Option(help="of our channel, as the CRM's support gave it")
    ] = None,
    secret: Annotated[
        str | None, typer.Option(help="of our channel; '-' reads it from standard input")
    ] = None,
    bot_id: Annotated[
        str | None, typer.Option(help="of the channel's bot, as the CRM's support gave it")
    ] = None,
    amojo_id: Annotated[
        str | None, typer.Option(help="the account's id in the chats; the CRM is asked where it is not said")
    ] = None,
    account: AccountName = None,
    json: Json = False,
) -> None:
    """Say how the CRM's chats are reached; what is not named stays.

    Example: callmatrix crm-chats set --channel-id 344a5002-f8ca-454d-af3d-396180102ac7 --bot-id f1910c7f --secret -
    """
    told = {"channel_id": channel_id, "bot_id": bot_id, "amojo_id": amojo_id}
    told["secret"] = secret_given("--secret", secret)
    changes = {name: value for name, value in told.items() if value is not None}
    if not changes:
        raise typer.BadParameter("say what is to change: --channel-id, --secret, --bot-id or --amojo-id")
    _change(account, changes, "nothing is changed", json=json)


@crm_chats_app.command("on")
def switch_on(account: AccountName = None, json: Json = False) -> None:
    """Show dialogues in the CRM's chats from now on: everybody sees them there who sees the deal.

    Example: callmatrix crm-chats on --account sales
    """
    _change(account, {"is_on": True}, "it stays off", json=json)


@crm_chats_app.command("off")
def switch_off(account: AccountName = None, json: Json = False) -> None:
    """Show dialogues in the CRM's chats no more; what stands there stays.

    Example: callmatrix crm-chats off --account sales
    """
    _change(account, {"is_on": False}, "it stays on", json=json)


@crm_chats_app.command("retry")
def retry(account: AccountName = None, json: Json = False) -> None:
    """Try again to show what could not be shown.

    Example: callmatrix crm-chats retry --account sales
    """
    with refusals("nothing is tried again"):
        count = on_account(account, crm_chats.retry_crm_chats)
    if json:
        print_json({"messages": count})
    else:
        print(f"{count} messages are tried again.")


@crm_chats_app.command("remove")
def remove(account: AccountName = None, yes: Yes = False, json: Json = False) -> None:
    """Forget how the CRM's chats are reached; they must be off.

    Example: callmatrix crm-chats remove --account sales --yes
    """
    confirm("The secret goes, and only the CRM's support has it then. Go on?", is_sure=yes or json)
    with refusals("nothing is removed"):
        on_account(account, crm_chats.remove_crm_chats)
    if json:
        print_json({"removed": True})
    else:
        print("Removed.")


def _change(account: str | None, changes: dict[str, Any], refused: str, *, json: bool) -> None:
    async def work(conn: Conn, account_id: str) -> CrmChatsView:
        await crm_chats.change_crm_chats(conn, account_id, changes)
        return await _view(conn, account_id)

    with refusals(refused):
        view = on_account(account, work)
    _tell(view, json=json)


async def _view(conn: Conn, account_id: str) -> CrmChatsView:
    return await crm_chats.crm_chats_view(conn, account_id, Settings().base_url)


def _tell(view: CrmChatsView, *, json: bool) -> None:
    if json:
        print_json(asdict(view))
        return
    print(f"Dialogues in the CRM's chats: {'on' if view.is_on else 'off'}, {view.state}.")
    for name in ("channel_id", "bot_id", "amojo_id", "error"):
        if value := getattr(view, name):
            print(f"  {name}: {value}")
    if view.state != "not-set-up":
        print(
            f"  waiting: {view.waiting}, could not be shown: {view.dead}, not sent from cards: {view.refused}"
        )
    print(f"The CRM's support needs this address, with :scope_id as it stands:\n{view.hook_url}")
