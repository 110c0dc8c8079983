"""`channel rights`, `default` and `visibility`: who may do what in which channel, from which one each writes, and who sees what."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gateway.admin.channels import access
from gateway.admin.channels.channels import channel_of
from gateway.cli.channels.names import ChannelName
from gateway.cli.options import AccountName, Json, named
from gateway.cli.output import on_account, print_json, print_table, refusals
from gateway.store.admin.accounts import account as account_of
from gateway.store.admin.staff import staff_of
from gateway.store.channels.access import default_channels, rights_in_channels
from gateway.store.channels.channels import saved_channels
from routing.dialogues.access import Visibility
from routing.settings import DialoguePolicy
from runtime.database.pool import Conn


def register(app: typer.Typer) -> None:
    app.command("rights")(rights)
    app.command("default")(default)
    app.command("visibility")(visibility)


def rights(
    channel: Annotated[str | None, typer.Argument(help="only of this one, by its name or id")] = None,
    account: AccountName = None,
    json: Json = False,
) -> None:
    """List who may read and who may write in messenger channels, and from which one each writes.

    Example: callmatrix channel rights Shop
    """
    with refusals("nothing is listed"):
        found = on_account(account, lambda conn, id: _listed(conn, id, channel))
    if json:
        print_json(found)
        return
    print_table(
        ["channel", "employee", "name", "may", "writes from it", "observer"],
        [
            (r["channel_name"], r["employee"], r["name"], r["may"], _tick(r["is_default"]), _tick(r["is_observer"]))
            for r in found
        ],
        "Nobody has a right in a channel. Give one with 'callmatrix channel share'.",
    )  # fmt: skip


def default(
    channel: ChannelName,
    employee: Annotated[str, typer.Argument(help="who writes from it, by the employee's id")],
    account: AccountName = None,
    json: Json = False,
) -> None:
    """Have an employee who may send in several channels write from this one.

    Example: callmatrix channel default Shop anna
    """
    with refusals("nothing is changed"):
        on_account(account, lambda conn, id: access.write_from(conn, id, channel, employee))
    if json:
        print_json({"channel": channel, "employee": employee, "is_default": True})
    else:
        print(f"'{employee}' writes from '{channel}'.")


def visibility(
    see: Annotated[
        Visibility | None,
        typer.Option(help="'all' dialogues of the channels that one may read, or one's 'own' and nobody's"),
    ] = None,
    observer: Annotated[
        list[str] | None,
        typer.Option(
            help="who sees all all the same, and answers none; repeatable, those not named are none; '' = nobody"
        ),
    ] = None,
    account: AccountName = None,
    json: Json = False,
) -> None:
    """Say who sees the dialogues of others, and who observes; without options, show it.

    Example: callmatrix channel visibility --see own --observer boris
    """
    observers = None if observer is None else named(observer)

    async def work(conn: Conn, account_id: str) -> DialoguePolicy:
        if see is not None or observers is not None:
            await access.choose_visibility(conn, account_id, see, observers)
        return (await account_of(conn, account_id)).settings.dialogues

    with refusals("nothing is changed"):
        now = on_account(account, work)
    if json:
        print_json({"visibility": now.visibility, "observers": list(now.observers)})
        return
    print(_SEEN[now.visibility])
    print(f"Observers: {', '.join(now.observers) or 'none'}.")


_SEEN: dict[Visibility, str] = {
    "all": "all: everybody sees all dialogues of the channels that they may read.",
    "own": "own: everybody sees their own dialogues, and those of nobody.",
}


async def _listed(conn: Conn, account_id: str, channel: str | None) -> list[dict[str, Any]]:
    """As the API lists rights, with names; by channel, then employee."""
    one = [await channel_of(conn, account_id, channel)] if channel else None
    held, chosen = await rights_in_channels(conn, account_id), await default_channels(conn, account_id)
    staff = await staff_of(conn, account_id)
    observers = (await account_of(conn, account_id)).settings.dialogues.observers
    return [
        {
            "channel": saved.id,
            "channel_name": saved.name,
            "employee": who,
            "name": staff.by_id[who].name if who in staff.by_id else "",
            "may": of[saved.id],
            "is_default": chosen.get(who) == saved.id,
            "is_observer": who in observers,
        }
        for saved in one or await saved_channels(conn, account_id)
        for who, of in sorted(held.items())
        if saved.id in of
    ]


def _tick(is_so: bool) -> str:
    return "yes" if is_so else ""
