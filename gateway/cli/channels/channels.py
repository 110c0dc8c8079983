"""`channel`: messenger channels connected, changed, shared out and removed at the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from gateway.admin.channels import access, channels
from gateway.admin.channels.channels import ChannelOrder, channel_of
from gateway.admin.connections import sends_keys_elsewhere
from gateway.admin.protection.allowed import allowed_by
from gateway.admin.protection.shown_settings import shown_settings
from gateway.admin.refused import InputRefused
from gateway.channels.addresses import channel_address
from gateway.cli.channels import files, sharing, writing
from gateway.cli.channels.names import ChannelName
from gateway.cli.options import AccountName, EvenIfUsed, Json, Yes, pairs, secret_given
from gateway.cli.output import (
    an_account,
    carry_out_removal,
    local,
    on_account,
    on_database,
    print_json,
    print_table,
    refusals,
    the_account,
    zone_of,
)
from gateway.settings import Settings
from gateway.store.channels.channels import SavedChannel, saved_channels
from gateway.store.channels.gaps import ChannelGap, gaps_of_channel
from routing.dialogues.access import ChannelRight
from runtime.database.pool import Conn
from sms.channels.kinds import CHANNEL_KINDS

channel_app = typer.Typer(help="Messenger channels, and who may do what in them.", no_args_is_help=True)
ChannelKeys = Annotated[
    list[str] | None,
    typer.Option(help="the kind's own secret, name=value; 'name=-' reads it from standard input; repeatable"),
]
ChannelSettings = Annotated[
    list[str] | None, typer.Option(help="the kind's own setting, name=value; name= takes it away; repeatable")
]
ChannelRuleValues = Annotated[
    list[str] | None,
    typer.Option(
        help="name=value, several values with commas; name= takes it away; names in docs/reference/channels.md"
    ),
]
_LISTS = ("employees",)
_RIGHTS: dict[str, ChannelRight | None] = {"none": "none", "read": "read", "send": "send", "out": None}


def register(app: typer.Typer) -> None:
    for commands in (writing, sharing, files):
        commands.register(channel_app)
    app.add_typer(channel_app, name="channel")


@channel_app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="as people call it; may be changed later")],
    kind: Annotated[str, typer.Option(help="which messenger: " + ", ".join(sorted(CHANNEL_KINDS)))],
    account: AccountName = None,
    key: ChannelKeys = None,
    setting: ChannelSettings = None,
    rule: ChannelRuleValues = None,
    json: Json = False,
) -> None:
    """Connect a messenger channel; prints the address for what it tells, where it needs one.

    Example: callmatrix channel add "Shop chat" --account sales --kind sandbox --rule pipeline_id=7
    """
    order = ChannelOrder(
        name=name, kind=kind, keys=_keys(key), settings=pairs(setting), rules=_rules({}, rule)
    )

    async def work(conn: Conn, account_id: str) -> SavedChannel:
        return await channels.add_channel(conn, account_id, order, allowed_by(Settings()))

    with refusals(f"channel '{name}' is not added"):
        saved = on_account(account, work)
    address = channel_address(Settings().base_url, saved)
    if json:
        print_json({**_as_json(saved), "address": address})
        return
    _tell(saved, json=False)
    if address:
        print(f"Give the messenger this address; it holds a secret:\n{address}")


@channel_app.command("list")
def list_channels(
    account: Annotated[str | None, typer.Option(help="only of this one")] = None, json: Json = False
) -> None:
    """List messenger channels, and how each fares.

    Example: callmatrix channel list --account sales
    """

    async def work(conn: Conn) -> list[SavedChannel]:
        return await saved_channels(conn, await an_account(conn, account))

    found = on_database(work)
    if json:
        print_json([_as_json(saved) for saved in found])
        return
    print_table(
        ["channel", "id", "account", "kind", "on", "state", "said"],
        [
            (s.name, s.id, s.account_id, s.channel.kind, "yes" if s.is_on else "no", s.fares, _said(s))
            for s in found
        ],
        "No messenger channel is connected. Connect one with 'callmatrix channel add'.",
    )


@channel_app.command("set")
def change(
    channel: ChannelName,
    account: AccountName = None,
    name: Annotated[str | None, typer.Option(help="another name")] = None,
    key: ChannelKeys = None,
    setting: ChannelSettings = None,
    rule: ChannelRuleValues = None,
    json: Json = False,
) -> None:
    """Rename or change a messenger channel; what is not named stays.

    Example: callmatrix channel set "Shop chat" --name Shop --rule owner=template --rule template=chats
    """
    if all(given is None for given in (name, key, setting, rule)):
        raise typer.BadParameter("say what is to change: --name, --key, --setting or --rule")
    keys = None if key is None else _keys(key)

    def changes(now: SavedChannel) -> dict[str, Any]:
        told: dict[str, Any] = {} if name is None else {"name": name}
        if setting is not None:
            told["settings"] = _merged(now.channel.settings, pairs(setting))
        if keys is not None:  # stored ones go to no address but the one that they were given for
            is_moved = sends_keys_elsewhere(now.channel, told.get("settings", {}))
            told["keys"] = _merged({} if is_moved else now.channel.keys, keys)
        if rule is not None:
            told["rules"] = _rules(now.rules.authors, rule)
        return told

    _tell(_changed(channel, account, changes), json)


@channel_app.command("on")
def switch_on(channel: ChannelName, account: AccountName = None, json: Json = False) -> None:
    """Have what clients write in this channel make deals, and be answered.

    Example: callmatrix channel on Shop
    """
    _tell(_changed(channel, account, lambda _: {"is_on": True}), json)


@channel_app.command("off")
def switch_off(channel: ChannelName, account: AccountName = None, json: Json = False) -> None:
    """Make no deals of this channel, and send nothing through it; what clients write is still kept.

    Example: callmatrix channel off Shop
    """
    _tell(_changed(channel, account, lambda _: {"is_on": False}), json)


@channel_app.command("address")
def show_address(channel: ChannelName, account: AccountName = None, json: Json = False) -> None:
    """Show where the messenger is to tell what is new; the address holds a secret.

    Example: callmatrix channel address Shop
    """
    with refusals("nothing is shown"):
        saved = on_account(account, lambda conn, id: channel_of(conn, id, channel))
    address = channel_address(Settings().base_url, saved)
    if json:
        print_json({"id": saved.id, "address": address})
    else:
        print(address or f"A channel of the kind '{saved.channel.kind}' is asked, and told no address.")


@channel_app.command("gaps")
def list_gaps(channel: ChannelName, account: AccountName = None, json: Json = False) -> None:
    """List when nobody listened to a channel, and whether what was missed has been read afterwards.

    Example: callmatrix channel gaps Shop
    """

    async def work(conn: Conn, account_id: str) -> tuple[list[ChannelGap], str]:
        saved = await channel_of(conn, account_id, channel)
        return await gaps_of_channel(conn, account_id, saved.id), await zone_of(conn, account_id)

    with refusals("nothing is listed"):
        gaps, zone = on_account(account, work)
    if json:
        print_json([{"from": g.from_at, "to": g.to_at, "state": g.state, "found": g.found} for g in gaps])
        return
    rows = [(local(g.from_at, zone), local(g.to_at, zone), g.state, g.found) for g in gaps]
    print_table(["from", "to", "state", "found"], rows, "Somebody has listened all the time.")


@channel_app.command("share")
def share(
    channel: ChannelName,
    right: Annotated[
        list[str], typer.Option(help="employee=right: none, read, send, or out; repeatable, e.g. anna=send")
    ],
    account: AccountName = None,
    json: Json = False,
) -> None:
    """Say who may read and who may write in a channel.

    Example: callmatrix channel share Shop --right anna=send --right boris=read
    """
    told = pairs(right)

    async def work(conn: Conn, account_id: str) -> None:
        await access.share_out(conn, account_id, channel, {who: _right(may) for who, may in told.items()})

    with refusals("nothing is changed"):
        on_account(account, work)
    if json:
        print_json({"channel": channel, "rights": told})
    else:
        print(f"{len(told)} rights in '{channel}' are set.")


@channel_app.command("remove")
def remove(
    channel: ChannelName,
    account: AccountName = None,
    even_if_used: EvenIfUsed = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Remove a messenger channel with all its dialogues; deals and contacts stay in the CRM.

    Example: callmatrix channel remove Shop --yes
    """

    async def look(conn: Conn) -> SavedChannel:
        return await channel_of(conn, (await the_account(conn, account)).id, channel)

    async def work(conn: Conn) -> SavedChannel:
        account_id = (await the_account(conn, account)).id
        return await channels.remove_channel(conn, account_id, channel, even_if_used=even_if_used)

    carry_out_removal(
        "channel",
        channel,
        f"All dialogues of '{channel}' go with it.",
        work,
        look=look,
        is_sure=yes,
        json=json,
    )


def _right(told: str) -> ChannelRight | None:
    if told not in _RIGHTS:
        raise InputRefused("right", f"'{told}' is no right", f"one of: {', '.join(_RIGHTS)}")
    return _RIGHTS[told]


def _keys(given: list[str] | None) -> dict[str, str]:
    return {name: secret_given("--key", value) or "" for name, value in pairs(given).items()}


def _merged(now: Any, told: dict[str, str]) -> dict[str, Any]:
    """told: an empty one takes away."""
    return {n: v for n, v in {**now, **told}.items() if v != "" or n not in told}


def _rules(authors: Mapping[str, str], given: list[str] | None) -> dict[str, Any]:
    """Return rules as a person writes them: lists with commas, people of the vendor as `authors.<id>=employee`; what is empty
    is the default again. authors: that there are."""
    found: dict[str, Any] = {}
    for name, value in pairs(given).items():
        if name.startswith("authors."):
            authors = {**found.get("authors", authors), name.removeprefix("authors."): value}
            found["authors"] = {id: who for id, who in authors.items() if who}
        elif value == "":
            found[name] = None
        else:
            found[name] = [v.strip() for v in value.split(",")] if name in _LISTS else value
    return found


def _typed_rules(rules: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Return rules as `--rule` takes them."""
    for name, value in rules.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{id}", str(who)) for id, who in value.items())
        elif isinstance(value, list):
            yield name, ",".join(map(str, value))
        else:
            yield name, str(value).lower() if isinstance(value, bool) else str(value)


def _changed(channel: str, account: str | None, changes: Any) -> SavedChannel:
    async def work(conn: Conn, account_id: str) -> SavedChannel:
        now = await channel_of(conn, account_id, channel)
        return await channels.change_channel(conn, account_id, channel, changes(now), allowed_by(Settings()))

    with refusals(f"channel '{channel}' is not changed"):
        return on_account(account, work)


def _as_json(saved: SavedChannel) -> dict[str, Any]:
    held = saved.channel
    return {
        "id": saved.id,
        "name": saved.name,
        "account": saved.account_id,
        "kind": held.kind,
        "keys": sorted(held.keys),
        "settings": shown_settings(held.settings),
        "rules": saved.rules.model_dump(mode="json", exclude_defaults=True),
        "is_on": saved.is_on,
        "lacks": list(CHANNEL_KINDS[held.kind].missing(held)),
        "state": saved.fares,
        "state_words": saved.state_words,
    }


def _said(saved: SavedChannel) -> str:
    return f"lacks {', '.join(saved.lacks)}" if saved.lacks else saved.state_words


def _tell(saved: SavedChannel, json: bool) -> None:
    if json:
        print_json(_as_json(saved))
        return
    print(f"Channel '{saved.name}' ({saved.channel.kind}, {saved.id}) is {'on' if saved.is_on else 'off'}.")
    for name, value in _typed_rules(saved.rules.model_dump(mode="json", exclude_defaults=True)):
        print(f"  {name}: {value}")
    lacks = CHANNEL_KINDS[saved.channel.kind].missing(saved.channel)
    if lacks:
        print(f"It lacks {', '.join(lacks)}: set them with 'callmatrix channel set'.")
