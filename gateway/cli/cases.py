"""`cases`: missed calls that somebody must return."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from crm.store.metadata import users_of
from gateway.cli.options import AccountName, Json, Limit
from gateway.cli.output import local, on_account, print_json, print_table, with_zone
from gateway.health.findings import duration
from gateway.store.calls import missed_calls as store
from gateway.texts.sentences import TEXTS
from routing.missed_calls import Case
from runtime.database.pool import Conn

cases_app = typer.Typer(help="Missed calls that somebody must return.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(cases_app, name="cases")


@cases_app.command("open")
def open_cases(account: AccountName = None, limit: Limit = 200, json: Json = False) -> None:
    """Clients who wait for a call back, the longest first.

    Example: callmatrix cases open --account sales
    """
    found = on_account(
        account,
        with_zone(lambda conn, id: _named(conn, id, store.open_cases(conn, id, limit=limit))),
    )
    _show(found, json, "Nobody waits.")


@cases_app.command("overdue")
def overdue_cases(account: AccountName = None, limit: Limit = 200, json: Json = False) -> None:
    """Open cases whose task's deadline has passed.

    Example: callmatrix cases overdue --account sales --json
    """
    now = datetime.now(UTC)
    found = on_account(
        account,
        with_zone(lambda conn, id: _named(conn, id, store.overdue_cases(conn, id, now, limit=limit))),
    )
    _show(found, json, "None is overdue.")


@cases_app.command("figures")
def figures(
    account: AccountName = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="cases closed within so many days count")] = 7,
    json: Json = False,
) -> None:
    """How many wait, and how fast clients are called back.

    Example: callmatrix cases figures --account sales --days 30
    """
    now = datetime.now(UTC)
    found = on_account(
        account,
        lambda conn, account_id: store.case_figures(
            conn, account_id, since=now - timedelta(days=days), now=now
        ),
    )
    if json:
        print_json(found)
        return
    median = _short(found.median_seconds) if found.median_seconds is not None else "none was closed"
    print(f"open {found.open}, overdue {found.overdue}, closed in {days} days {found.closed}")
    print(f"median working time until the client was reached: {median}")


def _short(seconds: float) -> str:
    return TEXTS["en"].render(duration(seconds))


async def _named(
    conn: Conn, account_id: str, asked: Awaitable[list[Case]]
) -> tuple[list[Case], dict[str, str]]:
    """Return the cases, and the names of the CRM's users."""
    return await asked, {user.id: user.name for user in await users_of(conn, account_id)}


def _who(case: Case, names: Mapping[str, str]) -> str:
    if case.owner_id is None:
        return "nobody"
    name = names.get(case.owner_id)
    return f"{name} ({case.owner_id})" if name else case.owner_id


def _show(found: tuple[tuple[list[Case], Mapping[str, str]], str], json: bool, empty: str) -> None:
    """found: the cases, the names of the CRM's users, and the account's time zone."""
    (cases, names), zone = found
    if json:
        print_json(cases)
        return
    now = datetime.now(UTC)
    print_table(
        ["client", "waits", "missed calls", "task of", "task due", "case"],
        [
            (
                c.client,
                _short((now - c.opened_at).total_seconds()),
                len(c.missed_calls),
                _who(c, names),
                local(c.task_due_at, zone),
                c.id,
            )
            for c in cases
        ],
        empty,
    )
