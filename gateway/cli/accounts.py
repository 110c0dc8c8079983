"""`account`, `connection`, `token`: connecting a CRM and PBXs."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from gateway.admin import connections, tokens
from gateway.admin.connections import ConnectionOrder, pbx_instructions
from gateway.admin.input_words import whole_number
from gateway.admin.protection.allowed import allowed_by
from gateway.admin.switch_account import switch
from gateway.admin.tokens import TokenOrder
from gateway.cli.changing.accounts import extend as change_accounts
from gateway.cli.changing.connections import extend as change_connections
from gateway.cli.options import (
    BINDINGS,
    AccountName,
    BoundEmployee,
    Counters,
    EvenIfUsed,
    Json,
    RoleName,
    Schedules,
    Templates,
    Yes,
    binding_changes,
    cells_of,
    named,
    pairs,
    secret_given,
)
from gateway.cli.output import (
    an_account,
    carry_out_removal,
    database,
    local,
    on_account,
    on_database,
    print_json,
    print_table,
    refusals,
    run,
)
from gateway.pbx.connection import Connection
from gateway.pbx.kinds import KINDS
from gateway.settings import Settings
from gateway.store.admin import accounts as rows
from gateway.store.admin.roles import ROLES
from runtime.database.pool import Conn
from runtime.tokens import new_secret

account_app = typer.Typer(help="Connected CRMs.", no_args_is_help=True)
connection_app = typer.Typer(help="Connected PBXs.", no_args_is_help=True)
token_app = typer.Typer(help="Tokens of the admin API.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    change_accounts(account_app)
    change_connections(connection_app)
    app.add_typer(account_app, name="account")
    app.add_typer(connection_app, name="connection")
    app.add_typer(token_app, name="token")


@account_app.command("add")
def add_account(
    account: Annotated[str, typer.Argument(help="a short name of your own, e.g. sales")],
    url: Annotated[
        str | None,
        typer.Option(help="address of the CRM account, e.g. https://example.amocrm.ru; else as it is known"),
    ] = None,
    long_lived_token: Annotated[
        str | None, typer.Option("--token", help="long-lived token; '-' reads it from standard input")
    ] = None,
    client_id: Annotated[str | None, typer.Option(help="OAuth: the integration's id")] = None,
    client_secret: Annotated[
        str | None, typer.Option(help="OAuth: its secret; '-' reads it from standard input")
    ] = None,
    name: Annotated[str | None, typer.Option(help="how people call it")] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="IANA name; of a new account else Europe/Moscow")
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="home country of phone numbers, ISO code; of a new account else RU")
    ] = None,
    json: Json = False,
) -> None:
    """Connect an amoCRM account, with a long-lived token or through OAuth; one that is known, once more.

    Where it does not work nothing is kept: put right what was wrong and repeat the command.

    Example: callmatrix account add sales --url https://example.amocrm.ru --token -
    """
    from gateway.admin.connect_crm import NewAccount, connect_account

    settings = Settings()
    new = NewAccount(
        id=account,
        name=name,
        base_url=url,
        time_zone=time_zone,
        region=region,
        long_lived_token=secret_given("--token", long_lived_token),
        client_id=client_id,
        client_secret=secret_given("--client-secret", client_secret),
    )

    async def work() -> dict[str, object]:
        async with database(settings) as pool:
            return await connect_account(pool, new, settings.public_url, settings.named_crm_hosts())

    with refusals(f"account '{account}' is not added"):
        result = run(work())
    if json:
        print_json(result)
        return
    for line in result["say"]:  # type: ignore[attr-defined]
        print(line)


@account_app.command("list")
def list_accounts(json: Json = False) -> None:
    """List connected CRM accounts and their state.

    Example: callmatrix account list --json
    """
    found = on_database(rows.accounts)
    if json:
        print_json(
            [
                {"id": a.id, "name": a.name, "url": a.base_url, "state": a.state, "reason": a.state_reason,
                 "since": a.state_since, "time_zone": a.time_zone}
                for a in found
            ]
        )  # fmt: skip
        return
    print_table(
        ["account", "url", "state", "since", "reason"],
        [(a.id, a.base_url, a.state, local(a.state_since, a.time_zone), a.state_reason) for a in found],
        "No account is connected. Connect one with 'callmatrix account add'.",
    )


@account_app.command("off")
def account_off(
    account: Annotated[str, typer.Argument(help="its short name")],
    reason: Annotated[str, typer.Option(help="why, for those who look at the status")] = rows.BY_HAND,
) -> None:
    """Stop sending to this CRM. Calls are still answered, decided and stored.

    Example: callmatrix account off sales --reason "CRM is being moved"
    """
    _set_state(account, "off", reason)
    print(
        f"{account}: off. Calls are stored; send them later with 'callmatrix backfill --account {account}'."
    )


@account_app.command("on")
def account_on(account: Annotated[str, typer.Argument(help="its short name")]) -> None:
    """Send to this CRM again. What was stored meanwhile is sent by `backfill`, if you want it.

    Example: callmatrix account on sales
    """
    _set_state(account, "on", "")
    print(f"{account}: on. To send what was stored: 'callmatrix backfill --account {account} --preview'.")


def _set_state(account: str, state: Literal["on", "off"], reason: str) -> None:
    with refusals(f"account '{account}' stays as it is"):
        on_account(account, lambda conn, account_id: switch(conn, account_id, state, reason))


@connection_app.command("add")
def add_connection(
    name: Annotated[str, typer.Argument(help="unique, stands in URLs, e.g. office")],
    kind: Annotated[str, typer.Option(help="which PBX: " + ", ".join(sorted(KINDS)))],
    account: AccountName = None,
    dialect: Annotated[str | None, typer.Option(help="how answers are written; else the kind's own")] = None,
    region: Annotated[str | None, typer.Option(help="home country of this PBX's numbers, if another")] = None,
    line: Annotated[list[str] | None, typer.Option(help="our number on it, E.164; repeatable")] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            help="the kind's own secret, name=value; 'name=-' reads it from standard input; repeatable"
        ),
    ] = None,
    setting: Annotated[
        list[str] | None, typer.Option(help="the kind's own setting, name=value; repeatable")
    ] = None,
    json: Json = False,
) -> None:
    """Create a PBX connection; prints its secret once and the text to paste into the PBX.

    Example: callmatrix connection add office --account sales --kind asterisk --line +74951234567
    """
    secret = new_secret()
    order = ConnectionOrder(
        name=name,
        kind=kind,
        dialect=dialect,
        region=region,
        lines=line or (),
        keys={name: secret_given("--key", value) or "" for name, value in pairs(key).items()},
        settings=pairs(setting),
    )

    async def work(conn: Conn, account_id: str) -> str:
        await connections.add_connection(conn, account_id, order, secret, KINDS, allowed_by(Settings()))
        return account_id

    with refusals(f"connection '{name}' is not added"):
        account_id = on_account(account, work)
    text = pbx_instructions(kind, name, secret, Settings().base_url, KINDS)
    if json:
        print_json({"name": name, "kind": kind, "secret": secret, "instructions": text})
        return
    print(f"Connection '{name}' ({kind}) of account '{account_id}'.\nSecret (shown once): {secret}\n\n{text}")


@connection_app.command("list")
def list_connections(
    account: Annotated[str | None, typer.Option(help="only of this one")] = None, json: Json = False
) -> None:
    """List PBX connections.

    Example: callmatrix connection list --account sales
    """

    async def work(conn: Conn) -> list[Connection]:
        return list(await rows.connections(conn, await an_account(conn, account)))

    found = on_database(work)
    if json:
        print_json(
            [
                {"name": c.name, "account": c.account_id, "kind": c.kind, "dialect": c.dialect, "lines": c.lines,
                 "is_on": c.is_on}
                for c in found
            ]
        )  # fmt: skip
        return
    print_table(
        ["connection", "account", "kind", "dialect", "lines", "on"],
        [
            (c.name, c.account_id, c.kind, c.dialect, " ".join(c.lines), "yes" if c.is_on else "no")
            for c in found
        ],
        "No PBX is connected. Connect one with 'callmatrix connection add'.",
    )


@connection_app.command("remove")
def remove_connection(
    name: Annotated[str, typer.Argument(help="see 'callmatrix connection list'")],
    even_if_used: EvenIfUsed = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Remove a PBX connection: its questions and events are refused from now on; calls and decisions stay.

    Example: callmatrix connection remove office --yes
    """
    carry_out_removal(
        "connection",
        name,
        f"The PBX of '{name}' will be refused.",
        lambda conn: connections.remove_connection(conn, None, name, even_if_used=even_if_used),
        look=lambda conn: connections.connection_of(conn, None, name),
        is_sure=yes,
        json=json,
    )


@token_app.command("add")
def add_token(
    name: Annotated[str, typer.Argument(help="whom or what it is for")],
    role: RoleName = ROLES[0],
    account: Annotated[str | None, typer.Option(help="only for this account")] = None,
    employee: BoundEmployee = None,
    template: Templates = None,
    schedule: Schedules = None,
    counter: Counters = None,
    days: Annotated[
        str | None, typer.Option(metavar="INTEGER", help="how long it is valid; else for ever")
    ] = None,
    json: Json = False,
) -> None:
    """Create a token of the admin API; it is shown once.

    Example: callmatrix token add reports --role read_only
    """

    async def work(conn: Conn) -> str:
        order = TokenOrder(
            name=name,
            role=role,
            account_id=account,
            employee=employee or None,
            templates=named(template),
            schedules=named(schedule),
            counters=named(counter),
            days=None if days is None else whole_number("days", days),
        )
        return await tokens.add_token(conn, order)

    with refusals(f"token '{name}' is not added"):
        token = on_database(work)
    if json:
        print_json({"name": name, "role": role, "token": token})
        return
    print(f"Token '{name}' ({role}), shown once: {token}")


@token_app.command("list")
def list_tokens(json: Json = False) -> None:
    """List the valid tokens of the admin API.

    Example: callmatrix token list
    """
    found = on_database(rows.api_tokens)
    if json:
        print_json([_token_as_json(token) for token in found])
        return
    print_table(
        ["token", "role", "account", *BINDINGS, "until", "last used"],
        [
            (
                t.name,
                t.role,
                t.account_id or "all",
                *cells_of(t.bound),
                t.expires_at and t.expires_at.isoformat(timespec="minutes"),
                t.last_used_at and t.last_used_at.isoformat(timespec="minutes"),
            )
            for t in found
        ],
        "There is none. Make one with 'callmatrix token add'.",
    )


def _token_as_json(token: rows.ApiToken) -> dict[str, object]:
    plain = {n: getattr(token, n) for n in ("name", "role", "expires_at", "last_used_at")}
    return {**plain, "account": token.account_id, **token.bound.as_said()}


@token_app.command("change")
def change_token(
    name: Annotated[str, typer.Argument(help="see 'callmatrix token list'")],
    role: Annotated[str | None, typer.Option(help="another role")] = None,
    account: Annotated[str | None, typer.Option(help="only for this account; '' = for all")] = None,
    employee: BoundEmployee = None,
    template: Templates = None,
    schedule: Schedules = None,
    counter: Counters = None,
    json: Json = False,
) -> None:
    """Change a token's role and what it is bound to; what is not named stays, the token itself too.

    Example: callmatrix token change reports --role read_only --account main
    """
    changes = binding_changes(account, employee, template, schedule, counter)
    if role is not None:
        changes["role"] = role
    if not changes:
        raise typer.BadParameter("say what is to change: a role, or what it is bound to")
    with refusals(f"token '{name}' is not changed"):
        token = on_database(lambda conn: tokens.change_token(conn, name, changes))
    if json:
        print_json({"name": name, "role": token.role, "account": token.account_id, **token.bound.as_said()})
    else:
        print(f"Token '{name}' ({token.role}) is changed.")


@token_app.command("remove")
def remove_token(
    name: Annotated[str, typer.Argument(help="see 'callmatrix token list'")],
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Withdraw a token of the admin API; who shows it is refused from now on.

    Example: callmatrix token remove reports --yes
    """
    carry_out_removal(
        "token",
        name,
        f"Programs that use the token '{name}' will be refused.",
        lambda conn: tokens.remove_token(conn, name),
        look=lambda conn: tokens.token_of(conn, name),
        is_sure=yes,
        json=json,
    )
