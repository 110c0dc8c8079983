"""`employees`: who is rung at which phone."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gateway.admin import employees
from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.cli.options import AccountName, EvenIfUsed, Json, Yes, named
from gateway.cli.output import confirm, on_account, print_json, print_table, refusals
from gateway.store.admin import accounts as rows
from gateway.store.admin.staff import staff_of, stored_employees
from routing.staff import Employee
from runtime.database.pool import Conn

employees_app = typer.Typer(
    help="Who is rung at which phone, and who they are in the CRM.", no_args_is_help=True
)

EmployeeId = Annotated[str, typer.Argument(help="a short id of your own, e.g. olga", metavar="EMPLOYEE")]


def register(app: typer.Typer) -> None:
    app.add_typer(employees_app, name="employees")


@employees_app.command("list")
def list_employees(account: AccountName = None, json: Json = False) -> None:
    """List employees with their addresses, and the CRM user that each is mapped to.

    Example: callmatrix employees list --account sales
    """

    async def work(conn: Conn, account_id: str) -> list[Employee]:
        await rows.account(conn, account_id)
        return list((await staff_of(conn, account_id)).employees)

    found = on_account(account, work)
    if json:
        print_json(found)
        return
    print_table(
        ["employee", "name", "extensions", "sip", "numbers", "crm user", "senior", "deputy", "group",
         "missed calls"],
        [
            (p.id, p.name, *(" ".join(a) for a in (p.extensions, p.sip, p.numbers)), _user_of(p),
             "yes" if p.is_senior else "", p.deputy_id, p.group, "" if p.gets_missed_calls else "none of new callers")
            for p in found
        ],
        "Nobody. Add people with 'callmatrix employees set', or all at once with 'callmatrix config import'.",
    )  # fmt: skip


def _user_of(person: Employee) -> str:
    return f"{person.crm_user_id or 'none'}{'' if person.is_active else ' (inactive)'}"


@employees_app.command("set")
def set_employee(
    employee: EmployeeId,
    account: AccountName = None,
    name: Annotated[str | None, typer.Option(help="of a new one needed")] = None,
    email: Annotated[str | None, typer.Option(help="as in the CRM: finds the CRM user by itself")] = None,
    crm_user: Annotated[str | None, typer.Option(help="id of the CRM user; '' = by e-mail")] = None,
    extension: Annotated[
        list[str] | None,
        typer.Option(help="inner number, the first is rung; these in place of all; '' = none"),
    ] = None,
    sip: Annotated[
        list[str] | None, typer.Option(help="SIP account; these in place of all; '' = none")
    ] = None,
    number: Annotated[
        list[str] | None, typer.Option(help="own phone number; these in place of all; '' = none")
    ] = None,
    senior: Annotated[
        bool | None, typer.Option("--senior/--no-senior", help="gets the tasks of missed calls")
    ] = None,
    deputy: Annotated[str | None, typer.Option(help="employee who stands in; '' = nobody")] = None,
    group: Annotated[str | None, typer.Option(help="group that they belong to; '' = none")] = None,
    missed_calls: Annotated[
        bool | None,
        typer.Option(
            "--missed-calls/--no-missed-calls", help="gets those of new callers that a template gives out"
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Add an employee, or change one; what is not named stays.

    Example: callmatrix employees set olga --name "Ольга Петрова" --email olga@example.com --extension 101 --senior
    """
    given_flags = (senior, missed_calls)
    given_texts = (name, email, crm_user, extension, sip, number, deputy, group)
    if all(given is None for given in (*given_texts, *given_flags)):
        raise typer.BadParameter("say what is to be: --name, --email, --extension, --senior …")
    told: dict[str, Any] = {
        "name": name,
        "email": email,
        "is_senior": senior,
        "gets_missed_calls": missed_calls,
    }
    told |= {"crm_user_id": crm_user, "deputy_id": deputy, "group": group}
    told |= {
        field: None if given is None else named(given)
        for field, given in (("extensions", extension), ("sip", sip), ("numbers", number))
    }
    changes = {
        field: None if value == "" and field in ("crm_user_id", "deputy_id", "group") else value
        for field, value in told.items()
        if value is not None
    }

    async def work(conn: Conn, account_id: str) -> Employee:
        stored = {p.id: p for p in await stored_employees(conn, account_id)}
        return await employees.save_employee(conn, account_id, _told(employee, stored.get(employee), changes))

    with refusals(f"employee '{employee}' is not stored"):
        saved = on_account(account, work)
    if json:
        print_json(saved)
        return
    addresses = " ".join((*saved.extensions, *saved.sip, *saved.numbers)) or "no phone"
    print(f"Employee '{saved.id}', {saved.name}: {addresses}; {_crm_user(saved)}.")


def _crm_user(person: Employee) -> str:
    if person.crm_user_id:
        return f"CRM user {person.crm_user_id}"
    if not person.email:
        return "no CRM user: give --email, as it stands in the CRM, or --crm-user"
    return f"no CRM user has the e-mail address {person.email} yet"


def _told(employee: str, now: Employee | None, changes: dict[str, Any]) -> Employee:
    if not str(changes.get("name", now.name if now else "")).strip():
        raise InputRefused("name", "the name is missing", "give it with --name")
    return now.model_copy(update=changes) if now else Employee(id=employee, **changes)


@employees_app.command("remove")
def remove_employee(
    employee: EmployeeId,
    account: AccountName = None,
    even_if_used: EvenIfUsed = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Remove an employee: nobody is rung there any more. What they did stays told.

    Where something names them: only with --even-if-used. Their tokens are withdrawn then, and their users sign in no more.

    Example: callmatrix employees remove olga --yes
    """

    async def work(conn: Conn, account_id: str) -> None:
        if not await employees.remove_employee(conn, account_id, employee, even_if_used=even_if_used):
            raise NothingOfThatName("employee", employee, "employees list")

    async def look(conn: Conn, account_id: str) -> None:
        if employee not in {person.id for person in await stored_employees(conn, account_id)}:
            raise NothingOfThatName("employee", employee, "employees list")

    with refusals(f"employee '{employee}' is not removed"):
        on_account(account, look)
    confirm(f"The phones of '{employee}' will be rung no more. Go on?", is_sure=yes or json)
    with refusals(f"employee '{employee}' is not removed"):
        on_account(account, work)
    if json:
        print_json({"removed": employee})
    else:
        print(f"Employee '{employee}' is removed.")
