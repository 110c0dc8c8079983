"""`campaign`: who is in one; lists that are brought, numbers one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from campaigns.list_rows import ListColumn
from gateway.admin.campaigns import commands, lists, saved
from gateway.campaigns.list_import import ImportReport
from gateway.cli.options import AccountName, Json, Lang, Limit
from gateway.cli.output import (
    language_of,
    local,
    me,
    on_account,
    print_json,
    print_table,
    progress_bar,
    refusals,
    with_zone,
)
from gateway.configuration import policy_of
from gateway.store.campaigns.members import MemberRow, listed_members
from gateway.texts.sentences import TEXTS
from routing.texts.catalogue import Language
from runtime.database.pool import Conn
from runtime.failure import Failure

_CampaignName = Annotated[str, typer.Argument(help="what you call it", metavar="CAMPAIGN")]
_PhoneNumber = Annotated[str, typer.Argument(help="in any spelling", metavar="NUMBER")]
_SHOWN = 100


def register(app: typer.Typer) -> None:
    app.command("import")(import_list)
    app.command("members")(list_members)
    app.command("add")(add_number)
    app.command("take-out")(take_out)


def import_list(
    name: _CampaignName,
    file: Annotated[Path, typer.Argument(help="CSV or XLSX, packed by gzip or not")],
    number: Annotated[str | None, typer.Option(help="column of the number: heading, or place from 1")] = None,
    client: Annotated[str | None, typer.Option(help="column of the client's name")] = None,
    client_id: Annotated[str | None, typer.Option(help="column of your own id of the client")] = None,
    account: AccountName = None,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Bring a list of numbers into a campaign, and say which rows are wrong; these keep no others out.

    The same list brought again adds nobody twice.

    Example: callmatrix campaign import spring clients.xlsx --number Phone
    """
    body = _read(file)
    given: dict[ListColumn, str | None] = {"number": number, "name": client, "client_id": client_id}
    columns = {column: said for column, said in given.items() if said}

    async def work(conn: Conn, account_id: str) -> tuple[ImportReport, Language]:
        with progress_bar("rows") as progress:
            done = await lists.read_list_here(
                conn, account_id, name, file.name, body, columns, progress, by=me()
            )
        return done, await language_of(conn, account_id, lang)

    with refusals("nobody is added"):
        done, language = on_account(account, work)
    if json:
        print_json(done.as_json())
        return
    refused = done.as_json()["refused"]
    print(f"{done.added} of {done.rows} rows are in campaign '{name}'.")
    for row in refused[:_SHOWN]:
        print(f"row {row['row']}: «{row['said']}»: {TEXTS[language].word('campaign.row', row['fault'])}")
    if (more := sum(done.faults.values()) - len(refused[:_SHOWN])) > 0:
        print(f"… and {more} more rows that did not come in")


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > lists.MOST_BYTES:
            raise Failure(f"{file} was not read", f"it is longer than {lists.MOST_BYTES} bytes", "part it")
        return file.read_bytes()
    except OSError as err:
        raise Failure(f"{file} cannot be read", str(err), "name a file that is there") from err


def list_members(
    name: _CampaignName,
    state: Annotated[str | None, typer.Option(help="only these, e.g. failed")] = None,
    reason: Annotated[str | None, typer.Option(help="only these, e.g. do_not_call")] = None,
    after: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="the place after which to go on")] = 0,
    limit: Limit = 100,
    account: AccountName = None,
    json: Json = False,
) -> None:
    """Show who is in a campaign, in the order of its list.

    Example: callmatrix campaign members spring --state failed
    """

    async def work(conn: Conn, account_id: str) -> list[MemberRow]:
        row = await saved.the_campaign(conn, account_id, name)
        return await listed_members(conn, row, state=state, reason=reason, after=after, limit=limit)

    with refusals("nothing is shown"):
        found, zone = on_account(account, with_zone(work))
    if json:
        print_json(found)
        return
    print_table(
        ["place", "number", "name", "state", "reason", "tries", "added", "ended"],
        [
            (m.place, m.number, m.name, m.state, m.reason, m.tries, local(m.added_at, zone), local(m.ended_at, zone))
            for m in found
        ],
        "Nobody is in it.",
    )  # fmt: skip


def add_number(
    name: _CampaignName,
    number: _PhoneNumber,
    client: Annotated[str, typer.Option(help="the client's name")] = "",
    client_id: Annotated[str, typer.Option(help="your own id of the client")] = "",
    account: AccountName = None,
    json: Json = False,
) -> None:
    """Add one number; one that is there already is no error.

    Example: callmatrix campaign add spring "8 916 123-45-67"
    """

    async def work(conn: Conn, account_id: str) -> str:
        policy = await policy_of(conn, account_id)
        return await commands.add_member(
            conn, account_id, name, number, policy, who=client, client_id=client_id
        )

    with refusals(f"{number} is not added"):
        done = on_account(account, work)
    if json:
        print_json({"is_new": done == "added"})
    else:
        print(f"{number} is in campaign '{name}'." if done == "added" else f"{number} was there already.")


def take_out(
    name: _CampaignName,
    number: Annotated[str, typer.Argument(help="as 'campaign members' shows it", metavar="NUMBER")],
    account: AccountName = None,
    json: Json = False,
) -> None:
    """Take out one who waits, without stage and task.

    Example: callmatrix campaign take-out spring +79161234567
    """
    with refusals("nothing was changed"):
        on_account(account, lambda conn, id: commands.take_member_out(conn, id, name, number))
    if json:
        print_json({"taken_out": number})
    else:
        print(f"{number} is not called by campaign '{name}' any more.")
