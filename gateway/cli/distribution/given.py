"""`distribution`: what was given to whom and why, and what waits."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from gateway.admin.distribution import orders, results, templates
from gateway.admin.distribution.results import ItemInWords
from gateway.admin.distribution.templates import the_template
from gateway.admin.refused import NothingOfThatName
from gateway.cli.distribution.templates import TemplateName
from gateway.cli.options import AccountName, Json, Lang, Limit, Yes
from gateway.cli.output import (
    as_data,
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
from gateway.store.admin.accounts import account as account_of
from gateway.store.admin.staff import staff_of
from gateway.store.distribution.items import ItemRow, ItemSource, ItemState
from gateway.store.distribution.listing import ItemFilter, listed_items
from gateway.store.worker.long_tasks import LongTask, TooMuchWork
from gateway.texts.sentences import TEXTS
from routing.distribution.template import TemplateKind
from routing.texts.catalogue import Language
from runtime.database.pool import Conn
from runtime.failure import Failure

distribution_app = typer.Typer(
    help="Who gets a deal: what was given and why, and what waits.", no_args_is_help=True
)
ItemId = Annotated[str, typer.Argument(help="as 'callmatrix distribution list' shows it", metavar="ID")]


def register(app: typer.Typer) -> None:
    app.add_typer(distribution_app, name="distribution")


@distribution_app.command("list")
def list_items(
    account: AccountName = None,
    template: Annotated[str | None, typer.Option(help="only of this template")] = None,
    deal: Annotated[str | None, typer.Option(help="only of this deal")] = None,
    type: Annotated[TemplateKind | None, typer.Option(help="only by turn, or by load")] = None,
    source: Annotated[ItemSource | None, typer.Option(help="how it came")] = None,
    state: Annotated[ItemState | None, typer.Option(help="what became of it")] = None,
    employee: Annotated[str | None, typer.Option(help="only what this employee has")] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="back from now")] = 7,
    limit: Limit = 100,
    csv: Annotated[bool, typer.Option("--csv", help="print CSV")] = False,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Show what was given and what was not, newest first, by the account's clocks.

    Example: callmatrix distribution list --account sales --state waiting
    """
    if csv and json:
        raise typer.BadParameter("--csv and --json exclude each other")
    since = datetime.now(UTC) - timedelta(days=days)
    wanted = ItemFilter(
        template=template,
        entity_id=deal,
        type=type,
        source=source,
        state=state,
        employee_id=employee,
        since=since,
    )

    async def work(conn: Conn, account_id: str) -> list[ItemInWords]:
        texts = TEXTS[await language_of(conn, account_id, lang)]
        staff = await staff_of(conn, account_id)
        found = await listed_items(conn, account_id, wanted, limit=limit)
        if not found and template is not None:
            await the_template(conn, account_id, template)
        if not found and employee is not None and employee not in staff.by_id:
            raise NothingOfThatName("employee", employee, "employees list")
        return [results.in_words(item, staff, texts) for item in found]

    with refusals("nothing is shown"):
        found, zone = on_account(account, with_zone(work))
    if len(found) == limit:
        print(f"The latest {limit}: there may be more; --limit and --days say how many.", file=sys.stderr)
    if json:
        print_json(found)
    elif csv:
        print(results.as_csv(found, zone), end="")
    else:
        print_table(
            ["came", "deal", "template", "source", "state", "responsible", "why", "id"],
            [
                (local(f.item.created_at, zone), f.item.entity_id, f.item.template, f.item.source, f.item.state,
                 f.name, f.message, f.item.item_id)
                for f in found
            ],
            "Nothing was to be given.",
        )  # fmt: skip


@distribution_app.command("show")
def show_item(id: ItemId, account: AccountName = None, lang: Lang = None, json: Json = False) -> None:
    """Show one distribution step by step: everybody who was considered, and why they got it or not.

    Example: callmatrix distribution show 7k3v… --account sales
    """

    async def work(conn: Conn, account_id: str) -> tuple[ItemInWords, list[dict[str, Any]]]:
        language = await language_of(conn, account_id, lang)
        item = await orders.the_item(conn, account_id, id)
        said = results.in_words(item, await staff_of(conn, account_id), TEXTS[language])
        return said, await results.decisions_of(conn, account_id, item, language)

    with refusals("nothing is shown"):
        (said, decisions), zone = on_account(account, with_zone(work))
    if json:
        print_json({**as_data(said), "decisions": decisions})
        return
    item = said.item
    print(f"deal {item.entity_id}, template {item.template}: {item.state} {said.name or ''}\n{said.message}")
    for decision in decisions:
        print(f"\n{local(datetime.fromisoformat(decision['at']), zone)}  {decision['message']}")
        print("\n".join(f"  {s['message']}: {s['facts_message']}" for s in decision["steps"]))


@distribution_app.command("give")
def give(
    template: TemplateName,
    deal: Annotated[str, typer.Argument(help="the deal's id in the CRM")],
    again: Annotated[bool, typer.Option(help="though it was given a moment ago: to the next one")] = False,
    account: AccountName = None,
    json: Json = False,
) -> None:
    """Give one deal by a template; the worker decides within a second.

    Example: callmatrix distribution give shop 12345 --account sales
    """
    with refusals(f"deal {deal} is not given"):
        item_id = on_account(
            account, lambda conn, id: orders.order_deal(conn, id, template, deal, again=again)
        )
    if json:
        print_json({"id": item_id})
    else:
        print(f"It is to be given. See 'callmatrix distribution show {item_id}'.")


@distribution_app.command("retry")
def retry(id: ItemId, account: AccountName = None, json: Json = False) -> None:
    """Look at it now: what waits, failed, was given to nobody or given up.

    Example: callmatrix distribution retry 7k3v… --account sales
    """
    with refusals("nothing was changed"):
        item = on_account(account, lambda conn, account_id: orders.try_again(conn, account_id, id))
    _say(item, json)


@distribution_app.command("give-up")
def give_up(id: ItemId, account: AccountName = None, json: Json = False) -> None:
    """Wait for nobody any more.

    Example: callmatrix distribution give-up 7k3v… --account sales
    """
    with refusals("nothing was changed"):
        item = on_account(account, lambda conn, account_id: orders.give_up(conn, account_id, id))
    _say(item, json)


def _say(item: ItemRow, json: bool) -> None:
    if json:
        print_json(item)
    else:
        said = "is looked at now" if item.state == "waiting" else f"is {item.state}"
        print(f"Deal {item.entity_id} {said}. See 'callmatrix distribution show {item.item_id}'.")


@distribution_app.command("stage")
def give_stage(
    template: TemplateName,
    pipeline: Annotated[str, typer.Argument(help="id in the CRM")],
    stage: Annotated[str, typer.Argument(help="id in the CRM")],
    account: AccountName = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Give the deals that stand in a stage now. Says how many before; a worker does it, and can be stopped.

    Example: callmatrix distribution stage shop 1 20 --account sales
    """
    with refusals("nothing is given"):
        deals = on_account(
            account, lambda conn, id: orders.preview_stage(conn, id, template, pipeline, stage)
        )
        confirm(f"{deals} deals will be given by '{template}'. Go on?", is_sure=yes or json)
        task = _long(
            account, lambda conn, id: orders.give_stage(conn, id, template, pipeline, stage, by=me())
        )
    if json:
        print_json({"deals": deals, "work": task.work_id})
    else:
        print(f"{deals} deals are being given. See 'callmatrix distribution list --template {template}'.")


def _long(account: str | None, ask: Any) -> LongTask:
    try:
        task: LongTask = on_account(account, ask)
        return task
    except TooMuchWork as err:
        raise Failure("nothing is begun", f"{err} ({err.code})", "wait until it is done") from err


@distribution_app.command("shares")
def shares(
    template: TemplateName,
    account: AccountName = None,
    days: Annotated[int, typer.Option(min=1, max=92, help="back from today, the account's days")] = 7,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Compare what each was meant to get with what they got, and say why it is uneven.

    Example: callmatrix distribution shares shop --days 30
    """

    async def work(conn: Conn, account_id: str) -> list[results.SharesReport]:
        await templates.the_template(conn, account_id, template)
        language: Language = await language_of(conn, account_id, lang)
        return await results.shares_of(conn, await account_of(conn, account_id), template, days, language)

    with refusals("nothing is shown"):
        found = on_account(account, work)
    if json:
        print_json(found)
        return
    for report in found:
        if report.scope:
            print(f"\n{report.scope}")
        print_table(
            ["employee", "name", "meant", "given", "owed now"],
            [(p.employee, p.name, p.meant, p.given, p.credit) for p in report.people],
            "Nothing was given.",
        )
        print("\n".join(report.words))
    if not found:
        print("Nothing was given.")
