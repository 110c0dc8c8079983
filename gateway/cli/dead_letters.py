"""`desk`: what cannot succeed by itself, for a person to retry, mend or set aside."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from crm.effects import dead_letters
from gateway.admin.operations import desk, desk_entries
from gateway.cli.changing.files import read_text
from gateway.cli.options import AccountName, Json, Lang, Limit
from gateway.cli.output import language_of, local, on_account, print_json, print_table, refusals, zone_of
from gateway.store.channels.dead import dead_updates
from gateway.store.desk.entries import KINDS, DeskKind, counts_of
from gateway.store.intake import inbox
from routing.texts.catalogue import Language
from runtime.database.pool import Conn
from runtime.failure import Failure

desk_app = typer.Typer(
    help="The dead-letter desk: everything that was set aside because it cannot succeed by itself.",
    no_args_is_help=True,
)

Keys = Annotated[list[str] | None, typer.Argument(help="keys of 'desk list'")]
_EVENT, _UNCHANGED = "event:", "the desk stays as it is"


def register(app: typer.Typer) -> None:
    app.add_typer(desk_app, name="desk")


@desk_app.command("list")
def list_items(
    account: AccountName = None,
    kind: Annotated[
        str | None, typer.Option(help=f"only such: {', '.join(KINDS)}", autocompletion=lambda: list(KINDS))
    ] = None,
    limit: Limit = 100,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Everything that was set aside: effects, events, calls, cases, what messengers and the CRM told. Oldest first.

    Example: callmatrix desk list --account sales
    """
    if kind is not None and kind not in KINDS:
        raise typer.BadParameter(f"'{kind}' is none of {', '.join(KINDS)}")

    async def work(
        conn: Conn, account_id: str
    ) -> tuple[tuple[desk_entries.DeskEntry, ...], dict[DeskKind, int], Any, str]:
        language = await language_of(conn, account_id, lang)
        page = await desk_entries.listed(conn, account_id, kind=kind, limit=limit, language=language)
        told = await _in_full(conn, account_id, limit, language) if json else None
        return page.entries, await counts_of(conn, account_id), told, await zone_of(conn, account_id)

    entries, counts, told, zone = on_account(account, work)
    if json:
        others = [e for e in entries if e.kind not in ("effect", "event", "update")]
        print_json({**told, "others": others, "counts": counts})
        return
    lines = [
        (e.key, e.kind, e.what, e.client or "", local(e.since, zone), e.tries, e.why[:300]) for e in entries
    ]
    print_table(["key", "kind", "what", "client", "since", "tries", "why"], lines, "The desk is empty.")
    if (total := sum(counts.values())) > len(lines):
        print(", ".join(f"{n} {name}" for name, n in counts.items() if n) + f": {total} in all.")


async def _in_full(conn: Conn, account_id: str, limit: int, language: Language) -> dict[str, Any]:
    """Effects with their orders, as `desk edit` takes them, events and what messengers told with what was sent."""
    events = [
        {
            "key": f"{_EVENT}{e['event_id']}",
            "connection": e["connection_id"],
            "call_key": e["call_key"],
            "client": e["client"],
            "since": e["since"],
            "why": e["error"],
            "raw": bytes(e["raw"]).decode(errors="replace"),
        }
        for e in await inbox.dead_letters(conn, account_id, limit=limit)
    ]
    effects = await dead_letters.items(conn, account_id, limit=limit, language=language)
    return {"effects": effects, "events": events, "updates": await _updates(conn, account_id, limit)}


async def _updates(conn: Conn, account_id: str, limit: int) -> list[dict[str, Any]]:
    return [
        {
            "key": f"update:{u.update_id}",
            "channel": u.channel,
            "since": u.applied_at or u.received_at,
            "why": u.error,
            "told": u.told,
            "raw": None if u.raw is None else u.raw.decode(errors="replace"),
        }
        for u in await dead_updates(conn, account_id, limit=limit)
    ]


@desk_app.command("retry")
def retry(
    keys: Keys = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="everything that can be tried again")] = False,
    account: AccountName = None,
    json: Json = False,
) -> None:
    """Try again; effects together with what these need and what needs them.

    Example: callmatrix desk retry --all --account sales
    """
    if bool(keys) == all_of_them:
        raise typer.BadParameter("name the keys, or give --all")
    named = None if all_of_them else keys
    with refusals(_UNCHANGED):
        count = on_account(account, lambda conn, id: desk_entries.retry(conn, id, named))
    _tell(count, "are tried again", json)


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
        changed = orjson.loads(read_text(str(order)))
    except orjson.JSONDecodeError as err:
        raise Failure(f"{order} cannot be read", str(err), "take the 'order' of 'desk list --json'") from err
    if not isinstance(changed, dict):
        raise Failure(f"{order} holds no order", "", "take the 'order' of 'desk list --json'")

    try:
        with refusals(_UNCHANGED):
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
    keys: Annotated[list[str], typer.Argument(help="keys of 'desk list'")],
    note: Annotated[str, typer.Option(help="why, for those who ask later")],
    account: AccountName = None,
    json: Json = False,
) -> None:
    """Set these aside for good: never sent, decided, or told again; of effects also what needs them.

    Example: callmatrix desk ignore event:17 --note "a test of the provider"
    """
    with refusals(_UNCHANGED):
        count = on_account(account, lambda conn, id: desk_entries.ignore(conn, id, keys, note))
    _tell(count, "are set aside", json)


def _tell(count: int, what: str, json: bool) -> None:
    if json:
        print_json({"count": count})
    elif count:
        print(f"{count} {what}.")
    else:
        raise Failure("nothing of that is on the desk", "", "see 'callmatrix desk list'")
