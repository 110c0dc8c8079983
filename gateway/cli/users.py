"""`users`: people who sign in to the pages."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from gateway.admin import users
from gateway.admin.sign_in.links import GOOD_FOR, make_link
from gateway.admin.sign_in.second_factor import take_second_factor
from gateway.admin.users import UserOrder
from gateway.cli.options import (
    BINDINGS,
    BoundEmployee,
    Counters,
    Json,
    RoleName,
    Schedules,
    Templates,
    Yes,
    binding_changes,
    cells_of,
    named,
    piped_secret,
)
from gateway.cli.output import carry_out_removal, on_database, print_json, print_table, refusals
from gateway.settings import Settings
from gateway.store.admin import users as store
from gateway.store.admin.bindings import Bindings
from gateway.store.admin.roles import ROLES
from gateway.store.admin.users import AdminUser
from runtime.database.pool import Conn

users_app = typer.Typer(help="People who sign in to the pages.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(users_app, name="users")


@users_app.command("add")
def add(
    login: Annotated[str, typer.Argument(help="small letters, digits and . _ @ + -")],
    role: RoleName = ROLES[0],
    name: Annotated[str | None, typer.Option(help="as people call them")] = None,
    account: Annotated[str | None, typer.Option(help="only for this account")] = None,
    employee: BoundEmployee = None,
    template: Templates = None,
    schedule: Schedules = None,
    counter: Counters = None,
    password: Annotated[
        str | None,
        typer.Option(help="'-' reads it from standard input; without it one is made up and printed once"),
    ] = None,
    json: Json = False,
) -> None:
    """Let a person sign in to the pages; who is given no role may only look.

    Example: callmatrix users add olga --role admin
    """
    chosen = _password(password)
    bound = Bindings(
        account_id=account,
        employee=employee or None,
        templates=named(template),
        schedules=named(schedule),
        counters=named(counter),
    )

    async def work(conn: Conn) -> str | None:
        order = UserOrder(login=login, role=role, name=name, bound=bound, password=chosen)
        return await users.add_user(conn, order)

    with refusals(f"user '{login}' is not added"):
        told = on_database(work)
    if json:
        print_json({"login": login, "role": role, "account": account, "password": told})
    else:
        print(f"User '{login}' ({role})." + (f" Password, shown once: {told}" if told else ""))


@users_app.command("list")
def list_users(json: Json = False) -> None:
    """List who may sign in.

    Example: callmatrix users list
    """
    found = on_database(store.users)
    if json:
        print_json([_as_json(user) for user in found])
        return
    print_table(
        ["login", "name", "role", "account", *BINDINGS, ""],
        [
            (
                u.login,
                u.name,
                u.role,
                u.account_id or "all",
                *cells_of(u.bound),
                None if u.is_on else "off",
            )
            for u in found
        ],
        "Nobody. Add somebody with 'callmatrix users add'.",
    )


def _as_json(user: AdminUser) -> dict[str, object]:
    plain = {
        n: getattr(user, n) for n in ("login", "name", "role", "is_on", "created_at", "has_second_factor")
    }
    return {**plain, "account": user.account_id, **user.bound.as_said()}


@users_app.command("change")
def change(
    login: Annotated[str, typer.Argument(help="see 'callmatrix users list'")],
    role: Annotated[str | None, typer.Option(help="another role")] = None,
    name: Annotated[str | None, typer.Option(help="as people call them")] = None,
    account: Annotated[str | None, typer.Option(help="only for this account; '' = for all")] = None,
    employee: BoundEmployee = None,
    template: Templates = None,
    schedule: Schedules = None,
    counter: Counters = None,
    is_on: Annotated[bool | None, typer.Option("--on/--off", help="whether this person may sign in")] = None,
    json: Json = False,
) -> None:
    """Change a person's role, name, and what they are bound to; what is not named stays.

    Example: callmatrix users change olga --role senior_manager --account main --employee olga
    """
    changes = binding_changes(account, employee, template, schedule, counter)
    changes |= {n: v for n, v in (("role", role), ("name", name), ("is_on", is_on)) if v is not None}
    if not changes:
        raise typer.BadParameter(
            "say what is to change: --role, --name, --account, --employee, --on, --off …"
        )
    with refusals(f"user '{login}' is not changed"):
        user = on_database(lambda conn: users.change_user(conn, login, changes))
    if json:
        print_json(_as_json(user))
    else:
        print(f"User '{login}' ({user.role}) is changed.")


@users_app.command("password")
def set_password(
    login: Annotated[str, typer.Argument(help="whose")],
    password: Annotated[
        str | None,
        typer.Option(help="'-' reads it from standard input; without it one is made up and printed once"),
    ] = None,
    json: Json = False,
) -> None:
    """Give a user a new password.

    Example: callmatrix users password olga --password -
    """
    chosen = _password(password)
    with refusals(f"the password of '{login}' is not changed"):
        told = on_database(lambda conn: users.set_password(conn, login, chosen))
    if json:
        print_json({"login": login, "password": told})
    else:
        print("Changed." + (f" Password, shown once: {told}" if told else ""))


@users_app.command("sign-in-link")
def sign_in_link(
    login: Annotated[str, typer.Argument(help="whose")],
    json: Json = False,
) -> None:
    """Print an address that lets a user in once, in place of a password that is lost; good for 15 minutes.

    A second factor is asked for all the same. Give it to nobody but this person.

    Example: callmatrix users sign-in-link olga
    """
    with refusals(f"'{login}' gets no address"):
        path = on_database(lambda conn: make_link(conn, login, datetime.now(UTC)))
    address, minutes = Settings().base_url.rstrip("/") + path, int(GOOD_FOR.total_seconds() // 60)
    if json:
        print_json({"login": login, "address": address, "minutes": minutes})
    else:
        print(f"{address}\nGood for {minutes} minutes, once.")


@users_app.command("totp-off")
def totp_off(
    login: Annotated[str, typer.Argument(help="whose phone is lost")],
    json: Json = False,
) -> None:
    """Ask a user for no second factor any more, whose phone is lost; where they are signed in ends.

    Example: callmatrix users totp-off olga
    """
    with refusals(f"the second factor of '{login}' stays"):
        was_on = on_database(lambda conn: take_second_factor(conn, login))
    if json:
        print_json({"login": login, "was_on": was_on})
    else:
        print(f"'{login}' signs in without a second factor." if was_on else f"'{login}' had none.")


@users_app.command("remove")
def remove(
    login: Annotated[str, typer.Argument(help="see 'callmatrix users list'")],
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Let a user sign in no more.

    Example: callmatrix users remove olga --yes
    """
    carry_out_removal(
        "user",
        login,
        f"'{login}' will no longer sign in.",
        lambda conn: users.remove_user(conn, login),
        look=lambda conn: users.user_of(conn, login),
        is_sure=yes,
        json=json,
    )


def _password(given: str | None) -> str | None:
    """Only '-' is taken: what stands on the command line stands in the shell's history too."""
    if given is None:
        return None
    if given != "-":
        raise typer.BadParameter(
            "give '-' and type the password, or pipe it in: arguments are seen by others"
        )
    is_terminal = sys.stdin is not None and sys.stdin.isatty()
    return str(typer.prompt("Password", hide_input=True)) if is_terminal else piped_secret("--password")
