"""`desk`: what cannot succeed by itself, for a person to retry, mend or set aside."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from crm.effects import dead_letters
from gateway.admin.operations import desk
from gateway.cli.options import AccountName, Json, Lang, Limit
from gateway.cli.output import language_of, on_account, print_json, print_table
from gateway.store.intake import inbox
from runtime.database.pool import Conn
from runtime.failure import Failure

desk_app = typer.Typer(
    help="The dead-letter desk: what the CRM refuses, and events that cannot be processed.",
    no_args_is_help=True,
)

Keys = Annotated[list[str] | None, typer.Argument(help="keys of effects, or event:NUMBER")]
_EVENT = "event:"


def register(app: typer.Typer) -> None:
    app.add_typer(desk_app, name="desk")


@desk_app.command("list")
def list_items(
    account: AccountName = None, limit: Limit = 100, lang: Lang = None, json: Json = False
) -> None:
    """Effects and events that cannot succeed: what, why, since when. Oldest first.

    Example: callmatrix desk list --account sales
    """

    async def work(conn: Conn, account_id: str) -> tuple[list[dead_letters.DeskItem], list[Any]]:
        language = await language_of(conn, account_id, lang)
        return (
            await dead_letters.items(conn, account_id, limit=limit, language=language),
            await inbox.dead_letters(conn, account_id, limit=limit),
        )

    effects, events = on_account(account, work)
    if json:
        told = [
            {
                "key": f"{_EVENT}{e['event_id']}",
                "connection": e["connection_id"],
                "call_key": e["call_key"],
                "client": e["client"],
                "since": e["since"],
                "why": e["error"],
                "raw": bytes(e["raw"]).decode(errors="replace"),
            }
            for e in events
        ]
        print_json({"effects": effects, "events": told})
        return
    lines = [
        (i.key, i.system, i.what, i.client, i.since.isoformat(timespec="seconds"), i.why) for i in effects
    ]
    lines += [
        (
            f"{_EVENT}{e['event_id']}",
            "inbox",
            f"event of {e['connection_id']}",
            e["client"] or "",
            e["since"].isoformat(timespec="seconds") if e["since"] else "",
            e["error"] or "",
        )
        for e in events
    ]
    print_table(["key", "system", "what", "client", "since", "why"], lines, "The desk is empty.")


@desk_app.command("retry")
def retry(
    keys: Keys = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="everything on the desk")] = False,
    account: AccountName = None,
    json: Json = False,
) -> None:
    """Try again, together with what these need and what needs them.

    Example: callmatrix desk retry --all --account sales
    """
    if bool(keys) == all_of_them:
        raise typer.BadParameter("name the keys, or give --all")
    effects, events = _sorted_out(keys or [])

    async def work(conn: Conn, account_id: str) -> int:
        count = 0
        async with conn.transaction():
            if effects or all_of_them:
                count += await desk.retry_effects(conn, account_id, None if all_of_them else effects)
            if events or all_of_them:
                count += await desk.retry_events(conn, account_id, None if all_of_them else events)
        return count

    _tell(on_account(account, work), "are tried again", json)


@desk_app.command("edit")
def edit(
    key: Annotated[str, typer.Argument(help="of an effect")],
    order: Annotated[
        Path, typer.Option(help="JSON file with the changed order; see 'desk list --json'", exists=True)
    ],
    note: Annotated[str | None, typer.Option(help="why, for those who ask later")] = None,
    account: AccountName = None,
    json: Json = False,
) -> None:
    """Try an effect again with a changed order of the same kind.

    Example: callmatrix desk edit call:019a/end#1 --order order.json --note "field was deleted in the CRM"
    """
    try:
        changed = orjson.loads(order.read_bytes())
    except (OSError, orjson.JSONDecodeError) as err:
        raise Failure(f"{order} cannot be read", str(err), "take the 'order' of 'desk list --json'") from err
    if not isinstance(changed, dict):
        raise Failure(f"{order} holds no order", "", "take the 'order' of 'desk list --json'")

    try:
        count = on_account(
            account,
            lambda conn, account_id: desk.edit_effect(conn, account_id, key, changed, note),
        )
    except dead_letters.DeskItemGone as err:
        raise Failure(f"no effect '{key}' is on the desk", "", "see 'callmatrix desk list'") from err
    except dead_letters.OrderInvalid as err:
        raise Failure("the order was not taken, nothing has changed", str(err), "correct the file") from err
    _tell(count, "are tried again", json)


@desk_app.command("ignore")
def ignore(
    keys: Annotated[list[str], typer.Argument(help="keys of effects, or event:NUMBER")],
    note: Annotated[str, typer.Option(help="why, for those who ask later")],
    account: AccountName = None,
    json: Json = False,
) -> None:
    """Never send these, nor what needs them.

    Example: callmatrix desk ignore event:17 --note "a test of the provider"
    """
    effects, events = _sorted_out(keys)

    async def work(conn: Conn, account_id: str) -> int:
        async with conn.transaction():
            count = await desk.ignore_effects(conn, account_id, effects, note) if effects else 0
            if events:
                count += await desk.ignore_events(conn, account_id, events, note)
        return count

    _tell(on_account(account, work), "are set aside", json)


def _sorted_out(keys: list[str]) -> tuple[list[str], list[int]]:
    """(keys of effects, ids of events)."""
    events = []
    for key in keys:
        if key.startswith(_EVENT):
            number = key.removeprefix(_EVENT)
            if not number.isdecimal():
                raise typer.BadParameter(f"'{key}': a number must follow 'event:'")
            events.append(int(number))
    return [k for k in keys if not k.startswith(_EVENT)], events


def _tell(count: int, what: str, json: bool) -> None:
    if json:
        print_json({"count": count})
    elif count:
        print(f"{count} {what}.")
    else:
        raise Failure("nothing of that is on the desk", "", "see 'callmatrix desk list'")
