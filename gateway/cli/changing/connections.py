"""`connection set`, `on`, `off`, `secret`: a PBX that is connected already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from gateway.admin import connections
from gateway.admin.connections import pbx_instructions
from gateway.admin.protection.allowed import allowed_by
from gateway.cli.options import Json, Yes, pairs, secret_given
from gateway.cli.output import confirm, on_database, print_json, refusals
from gateway.pbx.connection import Connection
from gateway.pbx.kinds import KINDS
from gateway.settings import Settings
from runtime.database.pool import Conn
from runtime.tokens import new_secret

ConnectionName = Annotated[str, typer.Argument(help="see 'callmatrix connection list'")]


def extend(app: typer.Typer) -> None:
    for name, command in (("set", change), ("on", switch_on), ("off", switch_off), ("secret", renew_secret)):
        app.command(name)(command)


def change(
    name: ConnectionName,
    dialect: Annotated[str | None, typer.Option(help="how answers are written; '' = the kind's own")] = None,
    region: Annotated[
        str | None, typer.Option(help="home country of this PBX's numbers; '' = the account's")
    ] = None,
    line: Annotated[
        list[str] | None, typer.Option(help="our number on it, E.164; these in place of all; '' = none")
    ] = None,
    key: Annotated[
        list[str] | None, typer.Option(help="the kind's own secret, name=value; name= takes it away")
    ] = None,
    setting: Annotated[
        list[str] | None, typer.Option(help="the kind's own setting, name=value; name= takes it away")
    ] = None,
    json: Json = False,
) -> None:
    """Change a PBX connection; what is not named stays.

    Example: callmatrix connection set office --line +74951234567 --line +74951234568 --setting ami_port=5039
    """
    if all(given is None for given in (dialect, region, line, key, setting)):
        raise typer.BadParameter("say what is to change: --dialect, --region, --line, --key or --setting")

    async def changes(conn: Conn) -> dict[str, Any]:
        now = await connections.connection_of(conn, None, name)
        told: dict[str, Any] = {}
        if dialect is not None:
            told["dialect"] = dialect or None
        if region is not None:
            told["region"] = region or None
        if line is not None:
            told["lines"] = tuple(number for number in line if number)
        if setting is not None:
            told["settings"] = _merged(now.settings, pairs(setting))
        if key is not None:  # stored ones go to no address but the one that they were given for
            is_moved = connections.sends_keys_elsewhere(now, told.get("settings", {}))
            told["keys"] = _merged(
                {} if is_moved else now.keys,
                {n: secret_given("--key", v) or "" for n, v in pairs(key).items()},
            )
        return told

    _tell(_changed(name, changes), json)


def _merged(now: Mapping[str, Any], told: Mapping[str, str]) -> dict[str, Any]:
    """told: an empty one takes away."""
    return {n: v for n, v in {**now, **told}.items() if v != "" or n not in told}


def switch_on(name: ConnectionName, json: Json = False) -> None:
    """Answer this PBX again, and take its events.

    Example: callmatrix connection on office
    """
    _tell(_changed(name, _switched(True)), json)


def switch_off(name: ConnectionName, json: Json = False) -> None:
    """Refuse this PBX's questions and events from now on; everything that is set for it stays.

    Example: callmatrix connection off office
    """
    _tell(_changed(name, _switched(False)), json)


def _switched(is_on: bool) -> Any:
    async def changes(conn: Conn) -> dict[str, Any]:
        return {"is_on": is_on}

    return changes


def renew_secret(name: ConnectionName, yes: Yes = False, json: Json = False) -> None:
    """Give a PBX connection a new secret, shown once with the text to paste; the old one is refused from now on.

    Example: callmatrix connection secret office --yes
    """
    with refusals(f"connection '{name}' is not changed"):
        on_database(lambda conn: connections.connection_of(conn, None, name))
    confirm(f"The PBX of '{name}' will be refused until it has the new secret. Go on?", is_sure=yes or json)
    secret = new_secret()

    async def changes(conn: Conn) -> dict[str, Any]:
        return {"secret": secret}

    changed = _changed(name, changes)
    text = pbx_instructions(changed.kind, name, secret, Settings().base_url, KINDS)
    if json:
        print_json({"name": name, "kind": changed.kind, "secret": secret, "instructions": text})
    else:
        print(f"Connection '{name}', new secret (shown once): {secret}\n\n{text}")


def _changed(name: str, changes: Any) -> Connection:
    async def work(conn: Conn) -> Connection:
        account_id = (await connections.connection_of(conn, None, name)).account_id
        return await connections.change_connection(
            conn, account_id, name, await changes(conn), KINDS, allowed=allowed_by(Settings())
        )

    with refusals(f"connection '{name}' is not changed"):
        return on_database(work)


def _tell(connection: Connection, json: bool) -> None:
    from gateway.admin.protection.shown_settings import shown_settings

    settings = shown_settings(connection.settings)
    if json:
        print_json(
            {"name": connection.name, "account": connection.account_id, "kind": connection.kind,
             "dialect": connection.dialect, "region": connection.region, "lines": connection.lines,
             "keys": sorted(connection.keys), "settings": settings, "is_on": connection.is_on}
        )  # fmt: skip
        return
    told = {
        "dialect": connection.dialect,
        "region": connection.region or "the account's",
        "lines": " ".join(connection.lines) or "none",
        "keys": " ".join(sorted(connection.keys)) or "none",
        "settings": " ".join(f"{n}={v}" for n, v in settings.items()) or "none",
    }
    state = "on" if connection.is_on else "off"
    print(f"Connection '{connection.name}' ({connection.kind}) is {state}.")
    print("\n".join(f"  {what}: {value}" for what, value in told.items()))
