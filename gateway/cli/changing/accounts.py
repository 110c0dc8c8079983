"""`account edit`, `account remove`: what was said of a CRM, said otherwise; and the end of it."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.admin.accounts import change_account
from gateway.admin.operations.remove_account import remove_account
from gateway.cli.options import Json, Yes, secret_given
from gateway.cli.output import confirm, database, on_database, print_json, refusals, run, the_account
from gateway.settings import Settings
from gateway.store.admin import accounts as rows
from gateway.store.admin.removed_accounts import AccountHoldings, holdings_of
from runtime.database.pool import Conn

AccountArgument = Annotated[str, typer.Argument(help="its short name")]


def extend(app: typer.Typer) -> None:
    app.command("edit")(edit)
    app.command("remove")(remove)


def edit(
    account: AccountArgument,
    name: Annotated[str | None, typer.Option(help="how people call it")] = None,
    time_zone: Annotated[str | None, typer.Option(help="IANA name")] = None,
    region: Annotated[str | None, typer.Option(help="home country of phone numbers, ISO code")] = None,
    url: Annotated[
        str | None,
        typer.Option(help="where its CRM has moved to; the same CRM, with a key for it in --token"),
    ] = None,
    token: Annotated[
        str | None, typer.Option(help="long-lived token; '-' reads it from standard input")
    ] = None,
    json: Json = False,
) -> None:
    """Change an account; what is not named stays.

    Example: callmatrix account edit sales --time-zone Asia/Yekaterinburg
    """
    if (url is None) != (token is None):
        raise typer.BadParameter("--url and --token go together: a key is sent to no address but its own")
    if all(given is None for given in (name, time_zone, region, url)):
        raise typer.BadParameter("say what is to change: --name, --time-zone, --region or --url with --token")
    with refusals(f"account '{account}' is not changed"):
        if url is not None:
            _move(account, url, secret_given("--token", token), name, time_zone, region)
        else:
            on_database(lambda conn: _describe(conn, account, name, time_zone, region))
        now = on_database(lambda conn: rows.account(conn, account))
    told = {
        "id": now.id,
        "name": now.name,
        "url": now.base_url,
        "time_zone": now.time_zone,
        "region": now.region,
    }
    if json:
        print_json(told)
    else:
        print(f"{now.id}: «{now.name}», {now.base_url}, {now.time_zone}, {now.region}.")


async def _describe(
    conn: Conn, account: str, name: str | None, time_zone: str | None, region: str | None
) -> None:
    now = await the_account(conn, account)
    await change_account(
        conn,
        account,
        name=now.name if name is None else name,
        time_zone=now.time_zone if time_zone is None else time_zone,
        region=now.region if region is None else region,
    )


def _move(
    account: str, url: str, token: str | None, name: str | None, time_zone: str | None, region: str | None
) -> None:
    from gateway.admin.connect_crm import NewAccount, connect_account

    settings = Settings()

    async def work() -> None:
        async with database(settings) as pool:
            async with pool.acquire() as conn:
                await the_account(conn, account)
            moved = NewAccount(
                id=account,
                name=name,
                base_url=url,
                time_zone=time_zone,
                region=region,
                long_lived_token=token,
                is_moved=True,
            )
            await connect_account(pool, moved, settings.public_url, settings.named_crm_hosts())

    run(work())


def remove(account: AccountArgument, yes: Yes = False, json: Json = False) -> None:
    """Remove an account that is off, with its connections, people, calls and everything else that is stored of it.

    Example: callmatrix account remove typo --yes
    """

    async def found(conn: Conn) -> AccountHoldings:
        await the_account(conn, account)
        return await holdings_of(conn, account)

    what = f"account '{account}' is not removed"
    held = on_database(found)
    confirm(f"{_in_words(held)} will be gone for good. Go on?", is_sure=yes or json)
    with refusals(what):
        gone = on_database(lambda conn: remove_account(conn, account))
    if json:
        print_json({"removed": account, "with": gone})
        return
    print(f"Account '{account}' is removed.")
    print("Its webhooks stay in the CRM (its settings, integrations) and are refused from now on.")


def _in_words(held: AccountHoldings) -> str:
    counts = {
        "PBX connections": held.connections,
        "employees": held.employees,
        "calls": held.calls,
        "effects that never reached the CRM": held.unsent,
        "clients who wait for a call back": held.open_cases,
        "tokens": held.tokens,
        "users": held.users,
    }
    named = [f"{count} {what}" for what, count in counts.items() if count]
    return "The account" + (f" with {', '.join(named)}" if named else ", of which nothing is stored,")
