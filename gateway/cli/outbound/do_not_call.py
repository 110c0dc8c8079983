"""`do-not-call`: numbers that are neither called nor written to."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.admin.campaigns.saved import the_campaign
from gateway.admin.outbound import do_not_call as service
from gateway.cli.changing.files import read_text
from gateway.cli.options import AccountName, Json, Lang, Limit, Yes
from gateway.cli.output import (
    confirm,
    language_of,
    local,
    me,
    on_account,
    print_json,
    print_table,
    refusals,
    with_zone,
)
from gateway.store.outbound.do_not_call import DoNotCallRow
from gateway.texts.sentences import TEXTS
from routing.texts.catalogue import Language
from runtime.database.pool import Conn

do_not_call_app = typer.Typer(help="Numbers that are neither called nor written to.", no_args_is_help=True)

PhoneNumber = Annotated[str, typer.Argument(help="in any spelling", metavar="NUMBER")]
OfCampaign = Annotated[str, typer.Option("--campaign", help="only what goes out for it; else everything")]


def register(app: typer.Typer) -> None:
    app.add_typer(do_not_call_app, name="do-not-call")


@do_not_call_app.command("list")
def list_numbers(
    search: Annotated[
        str | None, typer.Argument(help="a number, a part of one, or of a note", metavar="[SEARCH]")
    ] = None,
    account: AccountName = None,
    campaign: Annotated[
        str | None, typer.Option(help="only entries of this one; '' = only those for everything")
    ] = None,
    limit: Limit = 200,
    json: Json = False,
) -> None:
    """List the numbers that nobody calls or writes to, newest first.

    Example: callmatrix do-not-call list 916
    """

    async def work(conn: Conn, account_id: str) -> list[DoNotCallRow]:
        found = await service.listed_numbers(conn, account_id, search=search, campaign=campaign, limit=limit)
        if not found and campaign:
            await the_campaign(conn, account_id, campaign)
        return found

    with refusals("nothing is shown"):
        found, zone = on_account(account, with_zone(work))
    if json:
        print_json(found)
        return
    print_table(
        ["number", "for", "source", "said by", "note", "since"],
        [
            (r.number, r.campaign or "everything", r.source, r.said_by, r.note, local(r.since, zone))
            for r in found
        ],
        "There is no such number." if search else "Nobody asked not to be called.",
    )


@do_not_call_app.command("add")
def add_number(
    number: PhoneNumber,
    account: AccountName = None,
    campaign: OfCampaign = "",
    note: Annotated[str, typer.Option(help="e.g. why")] = "",
    json: Json = False,
) -> None:
    """Put a number on the list; what waits for it is dropped, without stage and task.

    Example: callmatrix do-not-call add '8 916 123-45-67' --note "asked on the phone"
    """
    with refusals("nothing is added"):
        done = on_account(
            account,
            lambda conn, id: service.add_number(conn, id, number, campaign=campaign, note=note, by=me()),
        )
    if json:
        print_json(done._asdict())
        return
    state = "is on the list" if done.is_new else "was on the list already"
    print(f"{done.number} {state}; {done.dropped} that waited for it dropped.")


@do_not_call_app.command("remove")
def remove_number(
    number: PhoneNumber,
    account: AccountName = None,
    campaign: OfCampaign = "",
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Take a number off the list: it may be called and written to again.

    Example: callmatrix do-not-call remove +79161234567 --yes
    """
    confirm(f"{number} may be called and written to again. Go on?", is_sure=yes or json)
    with refusals("nothing is removed"):
        gone = on_account(
            account, lambda conn, id: service.remove_number(conn, id, number, campaign=campaign)
        )
    if json:
        print_json({"removed": gone, "campaign": campaign})
    else:
        print(f"{gone} may be called and written to again.")


@do_not_call_app.command("import")
def import_numbers(
    file: Annotated[str, typer.Argument(help="a number a line, or CSV; '-' reads standard input")],
    account: AccountName = None,
    campaign: OfCampaign = "",
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Put all numbers of a list on it, and say which lines hold none.

    A heading may name the columns (number or phone, note or comment); else the number stands first and a note second.

    Example: callmatrix do-not-call import asked-not-to.csv --account sales
    """
    text = read_text(file)

    async def work(conn: Conn, account_id: str) -> tuple[service.NumberImport, Language]:
        done = await service.import_numbers(conn, account_id, text, campaign=campaign, by=me())
        return done, await language_of(conn, account_id, lang)

    with refusals("nothing is imported"):
        done, language = on_account(account, work)
    if json:
        print_json({**done._asdict(), "lines": [line._asdict() for line in done.lines]})
        return
    print(
        f"{done.added} added, {done.already} were there already; {done.dropped} that waited for them dropped."
    )
    texts = TEXTS[language]
    for line in done.lines:
        print(f"line {line.line}: «{line.text}»: {texts.word('do-not-call.refused', line.reason)}")
    if done.refused > len(done.lines):
        print(f"… and {done.refused - len(done.lines)} more lines without a number")
