"""`channel write` and `channel forget`: one client of a channel is written to, or forgotten."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.admin.channels.channels import channel_of
from gateway.admin.channels.forget_chat import forget_chat
from gateway.admin.channels.writing import FirstMessage, write_first
from gateway.admin.refused import NothingOfThatName
from gateway.calls.client_job import ClientJob
from gateway.channels.accepting import KeyOfAnother
from gateway.channels.limits import onlooker_of
from gateway.cli.options import AccountName, Json, Yes
from gateway.cli.output import confirm, database, on_account, print_json, refusals, run, the_account
from gateway.settings import Settings
from gateway.store.admin.matrices import MatrixStore
from gateway.store.admin.staff import staff_of
from gateway.store.channels.channels import SavedChannel
from gateway.store.channels.messages import ChatMessage
from routing.dialogues.access import Onlooker
from runtime.failure import Failure
from runtime.tokens import new_secret


def register(app: typer.Typer) -> None:
    app.command("write")(write)
    app.command("forget")(forget)


def write(
    text: Annotated[str, typer.Argument(help="what is written")],
    employee: Annotated[str, typer.Option(help="in whose name")],
    number: Annotated[str, typer.Option(help="of the client, in any spelling")] = "",
    chat: Annotated[str, typer.Option(help="or the messenger's id of a chat")] = "",
    channel: Annotated[
        str, typer.Option(help="its name or id; the employee's own where it is not said")
    ] = "",
    key: Annotated[
        str, typer.Option(help="the same when it is sent again: one key is one message", show_default=False)
    ] = "",
    anyway: Annotated[bool, typer.Option("--anyway", help="though somebody else answered first")] = False,
    account: AccountName = None,
    json: Json = False,
) -> None:
    """Write to a client, first or into the dialogue that there is; a worker sends it.

    Example: callmatrix channel write "Good morning" --number +79161234567 --employee anna --channel "Shop chat"
    """
    if bool(number) == bool(chat):
        raise Failure("nothing is written", "either a number or a chat is needed", "give --number, or --chat")
    first = FirstMessage(
        key=key or new_secret(), text=text, channel=channel, number=number, chat=chat, is_anyway=anyway
    )
    with refusals("nothing is written"):
        message = run(_written(account, employee, first))
    if json:
        print_json({"message": message.message_id, "dialogue": message.dialogue_id, "key": message.own_key})
    else:
        print(f"Message {message.message_id} waits to be sent.")


def forget(
    channel: Annotated[str, typer.Argument(help="its name or id")],
    chat: Annotated[str, typer.Argument(help="the messenger's id of the chat")],
    account: AccountName = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Forget a client who has no number: the dialogue, its messages and what was decided go. With a number: `client forget`.

    Example: callmatrix channel forget Shop 123456789 --yes
    """
    confirm("All of it goes; the CRM and the messenger are not touched. Go on?", is_sure=yes or json)
    with refusals("nothing is forgotten"):
        on_account(account, lambda conn, account_id: forget_chat(conn, account_id, channel, chat))
    if json:
        print_json({"channel": channel, "chat": chat, "forgotten": True})
    else:
        print("Forgotten here. Delete the contact in the CRM too.")


def _refuse_without_right(who: Onlooker, saved: SavedChannel) -> None:
    """To those who ask by themselves such a channel is as good as none; whoever runs commands sees them all."""
    if who.right_in(saved.id) == "none":
        raise Failure(
            "nothing is written",
            f"'{who.employee_id}' has no right in the channel '{saved.name}'",
            f"give it with 'callmatrix channel share \"{saved.name}\" --right {who.employee_id}=send', or choose another",
        )


async def _written(account: str | None, employee: str, first: FirstMessage) -> ChatMessage:
    async with database(Settings()) as pool, pool.acquire() as conn:
        target = await the_account(conn, account)
        staff = await staff_of(conn, target.id)
        if employee not in staff.by_id:
            raise NothingOfThatName("employee", employee, "employees list")
        who = await onlooker_of(conn, target, staff, employee, sees_all=True)
        if first.channel and not who.is_gone:
            _refuse_without_right(who, await channel_of(conn, target.id, first.channel))
        try:
            return await write_first(conn, ClientJob(pool, MatrixStore()), target, who, first)
        except KeyOfAnother as err:
            raise Failure(
                "nothing is written", "the key is that of another message", "leave it out, or make a new one"
            ) from err
