"""`sms`: providers connected, changed and removed at the command line."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from gateway.admin.connections import sends_keys_elsewhere
from gateway.admin.protection.allowed import allowed_by
from gateway.admin.protection.shown_settings import shown_settings
from gateway.admin.sms import connections
from gateway.admin.sms.connections import SmsConnectionOrder, sms_connection_of
from gateway.cli.options import AccountName, EvenIfUsed, Json, Yes, pairs, secret_given
from gateway.cli.output import (
    an_account,
    carry_out_removal,
    on_account,
    on_database,
    print_json,
    print_table,
    refusals,
    the_account,
)
from gateway.cli.sms.links import link_said
from gateway.cli.sms.messages import extend as send_texts
from gateway.settings import Settings
from gateway.sms.addresses import report_address
from gateway.store.admin.accounts import accounts
from gateway.store.sms.connections import SavedSmsConnection, sms_connections
from gateway.store.sms.links import SmsLinkHeard, links_heard
from runtime.database.pool import Conn
from sms.kinds import SMS_KINDS

_WAITED_SECONDS = 10.0
sms_app = typer.Typer(help="SMS: providers, and what goes out through them.", no_args_is_help=True)
SmsName = Annotated[str, typer.Argument(help="see 'callmatrix sms list'")]
SmsSenderName = Annotated[str | None, typer.Option(help="name that recipients see; else the provider's own")]
SmsKeys = Annotated[
    list[str] | None,
    typer.Option(help="the kind's own secret, name=value; 'name=-' reads it from standard input; repeatable"),
]
SmsSettings = Annotated[list[str] | None, typer.Option(help="the kind's own setting, name=value; repeatable")]


def register(app: typer.Typer) -> None:
    send_texts(sms_app)
    app.add_typer(sms_app, name="sms")


@sms_app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="a short name, stands in URLs, e.g. texts")],
    kind: Annotated[str, typer.Option(help="which provider: " + ", ".join(sorted(SMS_KINDS)))],
    account: AccountName = None,
    sender: SmsSenderName = None,
    key: SmsKeys = None,
    setting: SmsSettings = None,
    json: Json = False,
) -> None:
    """Connect an SMS provider; prints the address for its reports, where it has some.

    Example: callmatrix sms add texts --account sales --kind smsc --key password=- --setting login=sales
    """
    order = SmsConnectionOrder(
        name=name, kind=kind, sender=sender or None, keys=_keys(key), settings=pairs(setting)
    )

    async def work(conn: Conn, account_id: str) -> SavedSmsConnection:
        return await connections.add_sms_connection(conn, account_id, order, allowed_by(Settings()))

    with refusals(f"SMS connection '{name}' is not added"):
        saved = on_account(account, work)
    address = report_address(Settings().base_url, saved)
    if json:
        print_json({**_as_json(saved), "report_address": address})
        return
    print(f"SMS connection '{name}' ({kind}) of account '{saved.account_id}'.")
    _tell_of_what_is_missing(saved)
    if address:
        print(f"Write this address for reports into the provider's cabinet; it holds a secret:\n{address}")


@sms_app.command("list")
def list_connections(
    account: Annotated[str | None, typer.Option(help="only of this one")] = None, json: Json = False
) -> None:
    """List SMS providers, what money is left, what stops them, and how the link fares that some keep, by the clocks of each account.

    Example: callmatrix sms list --account sales
    """

    async def work(conn: Conn) -> list[tuple[SavedSmsConnection, SmsLinkHeard | None, str]]:
        id = await an_account(conn, account)
        links, zones = await links_heard(conn, id), {a.id: a.time_zone for a in await accounts(conn)}
        return [
            (saved, links.get((saved.account_id, saved.name)), zones[saved.account_id])
            for saved in await sms_connections(conn, id)
        ]

    found = on_database(work)
    if json:
        print_json([{**_as_json(saved), "link": link} for saved, link, _ in found])
        return
    print_table(
        ["connection", "account", "kind", "sender", "on", "money", "stopped by", "link"],
        [
            (s.name, s.account_id, s.connection.kind, s.sender, "yes" if s.is_on else "no", _money(s),
             s.stop.reason if s.stop else None, link_said(s, link, zone))
            for s, link, zone in found
        ],
        "No SMS provider is connected. Connect one with 'callmatrix sms add'.",
    )  # fmt: skip


@sms_app.command("set")
def change(
    name: SmsName,
    account: AccountName = None,
    sender: Annotated[
        str | None, typer.Option(help="name that recipients see; '' = the provider's own")
    ] = None,
    key: Annotated[
        list[str] | None, typer.Option(help="the kind's own secret, name=value; name= takes it away")
    ] = None,
    setting: Annotated[
        list[str] | None, typer.Option(help="the kind's own setting, name=value; name= takes it away")
    ] = None,
    json: Json = False,
) -> None:
    """Change an SMS provider; what is not named stays. One that stopped is tried again.

    Example: callmatrix sms set texts --sender SALES
    """
    if all(given is None for given in (sender, key, setting)):
        raise typer.BadParameter("say what is to change: --sender, --key or --setting")
    keys = None if key is None else _keys(key)

    def changes(now: SavedSmsConnection) -> dict[str, Any]:
        told: dict[str, Any] = {} if sender is None else {"sender": sender or None}
        if setting is not None:
            told["settings"] = _merged(now.connection.settings, pairs(setting))
        if keys is not None:  # stored ones go to no address but the one that they were given for
            is_moved = sends_keys_elsewhere(now.connection, told.get("settings", {}))
            told["keys"] = _merged({} if is_moved else now.connection.keys, keys)
        return told

    _tell(_changed(name, account, changes), json)


@sms_app.command("on")
def switch_on(name: SmsName, account: AccountName = None, json: Json = False) -> None:
    """Send through this provider again.

    Example: callmatrix sms on texts
    """
    _tell(_changed(name, account, lambda _: {"is_on": True}), json)


@sms_app.command("off")
def switch_off(name: SmsName, account: AccountName = None, json: Json = False) -> None:
    """Send nothing through this provider; texts wait until their time runs out.

    Example: callmatrix sms off texts
    """
    _tell(_changed(name, account, lambda _: {"is_on": False}), json)


@sms_app.command("check")
def check(name: SmsName, account: AccountName = None, json: Json = False) -> None:
    """Ask a provider for its money now, and where it is stopped try one message; a worker must run.

    Example: callmatrix sms check texts
    """
    with refusals("nothing is asked"):
        before = on_account(account, lambda conn, id: connections.look_again(conn, id, name))
    now = _waited_for(account, before)
    if json:
        print_json(_as_json(now))
        return
    _tell(now, json=False)
    print(f"  money: {_money(now) or 'not told'}{f' ({now.balance_error})' if now.balance_error else ''}")
    if now.stop:
        print(f"  stopped by: {' '.join(filter(None, (now.stop.reason, now.stop.words)))}")
    if before.is_on and now.balance_at is None and SMS_KINDS[now.connection.kind].capabilities.has_balance:
        print("Nobody has asked it yet: does a worker run ('callmatrix check')?")


def _waited_for(account: str | None, before: SavedSmsConnection) -> SavedSmsConnection:
    """Return the provider once it was asked for its money and what was tried had time to be answered, or nobody asked for long."""
    if not before.is_on or not SMS_KINDS[before.connection.kind].capabilities.has_balance:
        return before
    ends, found = time.monotonic() + _WAITED_SECONDS, before
    while time.monotonic() < ends:
        time.sleep(1)
        found = on_account(account, lambda conn, id: sms_connection_of(conn, id, before.name))
        if found.balance_at is not None and not (found.stop and found.balance and found.balance.amount > 0):
            break
    return found


@sms_app.command("address")
def show_address(name: SmsName, account: AccountName = None, json: Json = False) -> None:
    """Show where the provider is to report; the address holds a secret.

    Example: callmatrix sms address texts
    """
    with refusals("nothing is shown"):
        saved = on_account(account, lambda conn, id: sms_connection_of(conn, id, name))
    address = report_address(Settings().base_url, saved)
    if json:
        print_json({"name": name, "report_address": address})
    else:
        print(address or f"A provider of the kind '{saved.connection.kind}' reports nowhere.")


@sms_app.command("remove")
def remove(
    name: SmsName,
    account: AccountName = None,
    even_if_used: EvenIfUsed = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Remove an SMS provider: what waits for it is not sent until its time runs out; messages stay told.

    Example: callmatrix sms remove texts --yes
    """

    async def look(conn: Conn) -> SavedSmsConnection:
        return await sms_connection_of(conn, (await the_account(conn, account)).id, name)

    async def work(conn: Conn) -> SavedSmsConnection:
        account_id = (await the_account(conn, account)).id
        return await connections.remove_sms_connection(conn, account_id, name, even_if_used=even_if_used)

    carry_out_removal(
        "SMS connection",
        name,
        f"Nothing will be sent through '{name}'.",
        work,
        look=look,
        is_sure=yes,
        json=json,
    )


def _keys(given: list[str] | None) -> dict[str, str]:
    return {name: secret_given("--key", value) or "" for name, value in pairs(given).items()}


def _merged(now: Any, told: dict[str, str]) -> dict[str, Any]:
    """told: an empty one takes away."""
    return {n: v for n, v in {**now, **told}.items() if v != "" or n not in told}


def _changed(name: str, account: str | None, changes: Any) -> SavedSmsConnection:
    async def work(conn: Conn, account_id: str) -> SavedSmsConnection:
        now = await sms_connection_of(conn, account_id, name)
        return await connections.change_sms_connection(
            conn, account_id, name, changes(now), allowed_by(Settings())
        )

    with refusals(f"SMS connection '{name}' is not changed"):
        return on_account(account, work)


def _money(saved: SavedSmsConnection) -> str | None:
    balance = saved.balance
    return f"{balance.amount:f} {balance.currency}".strip() if balance else None


def _as_json(saved: SavedSmsConnection) -> dict[str, Any]:
    held = saved.connection
    return {
        "name": held.name,
        "account": held.account_id,
        "kind": held.kind,
        "sender": saved.sender,
        "keys": sorted(held.keys),
        "settings": shown_settings(held.settings),
        "is_on": saved.is_on,
        "lacks": list(SMS_KINDS[held.kind].missing(held)),
        "stop": saved.stop,
        "balance": saved.balance,
        "balance_at": saved.balance_at,
    }


def _tell(saved: SavedSmsConnection, json: bool) -> None:
    if json:
        print_json(_as_json(saved))
        return
    held = saved.connection
    settings = shown_settings(held.settings)
    print(f"SMS connection '{saved.name}' ({held.kind}) is {'on' if saved.is_on else 'off'}.")
    print(f"  sender: {saved.sender or 'the provider’s own'}")
    print(f"  keys: {' '.join(sorted(held.keys)) or 'none'}")
    print(f"  settings: {' '.join(f'{n}={v}' for n, v in settings.items()) or 'none'}")
    _tell_of_what_is_missing(saved)


def _tell_of_what_is_missing(saved: SavedSmsConnection) -> None:
    if lacks := SMS_KINDS[saved.connection.kind].missing(saved.connection):
        print(f"It lacks: {', '.join(lacks)}. Set them with 'callmatrix sms set {saved.name}'.")
