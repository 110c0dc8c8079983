"""`audit`: who changed what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from gateway.cli.options import Json, Limit
from gateway.cli.output import an_account, on_database, print_json, print_table
from gateway.store.admin.audit import AUDIT_KINDS, AuditEntry, AuditFilter, audit_entries, is_audit_kind
from runtime.database.pool import Conn
from runtime.failure import Failure


def register(app: typer.Typer) -> None:
    app.command("audit")(audit)


def audit(
    account: Annotated[str | None, typer.Option(help="only of this account")] = None,
    what: Annotated[
        str | None, typer.Option(help="account, settings, connection, employee, token, user, matrix, …")
    ] = None,
    name: Annotated[str | None, typer.Option(help="of what was changed")] = None,
    who: Annotated[str | None, typer.Option(help="token, login, or user of the operating system")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="only of the last days")] = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """Show who changed what: configuration, people, tokens, the desk.

    Example: callmatrix audit --what connection --days 7
    """
    since = datetime.now(UTC) - timedelta(days=days) if days else None

    async def work(conn: Conn) -> list[AuditEntry]:
        account_id = await an_account(conn, account)
        if what is not None and not await is_audit_kind(conn, what):
            remedy = f"name one of {', '.join(AUDIT_KINDS)}"
            raise Failure("nothing is shown", f"nothing is kept about such a thing as '{what}'", remedy)
        wanted = AuditFilter(account_id=account_id, what=what, object=name, who=who, since=since)
        return await audit_entries(conn, wanted, limit=limit)

    found = on_database(work)
    if json:
        print_json(found)
        return
    print_table(
        ["when (UTC)", "who", "from", "account", "what", "changes"],
        [
            (
                f"{e.at:%Y-%m-%d %H:%M:%S}",
                e.who,
                f"{e.door} {e.address}",
                e.account_id,
                f"{e.what} {e.object} {e.action}",
                _changes(e),
            )
            for e in found
        ],
        "Nothing was changed.",
    )


def _changes(entry: AuditEntry) -> str:
    before, after = entry.before or {}, entry.after or {}
    return "; ".join(f"{n}: {_said(before, n)} -> {_said(after, n)}" for n in {**before, **after})


def _said(values: Any, name: str) -> str:
    value = values.get(name)
    return "-" if value in (None, "", []) else str(value)
