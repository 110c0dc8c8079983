"""`outbound settings`, `set`, `queue`, `clear`: how clients are called, and what waits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from gateway.admin.outbound import queue as service
from gateway.admin.outbound import settings
from gateway.admin.outbound.items import reason_in_words
from gateway.admin.outbound.queue import QueueSeen
from gateway.admin.outbound.why_not import resume_connection
from gateway.cli.options import AccountName, Json, Lang, Yes, pairs
from gateway.cli.output import (
    confirm,
    language_of,
    local,
    on_account,
    print_json,
    print_table,
    refusals,
    with_zone,
)
from gateway.store.outbound.items import OutboundKind
from gateway.store.outbound.listing import queue_of
from gateway.texts.sentences import TEXTS
from routing.outbound.settings import OutboundSettings
from routing.texts.catalogue import Language
from runtime.database.pool import Conn

OfKind = Annotated[OutboundKind, typer.Option("--kind", help="what is taken out")]


def extend(app: typer.Typer) -> None:
    app.command("settings")(show_settings)
    app.command("set")(set_settings)
    app.command("queue")(show_queue)
    app.command("clear")(clear_queue)
    app.command("resume")(resume)


def show_settings(account: AccountName = None, json: Json = False) -> None:
    """Show how clients are called and written to: pace, hours, ring times, retries.

    Example: callmatrix outbound settings
    """
    _say(on_account(account, settings.show_settings), json)


def set_settings(
    changes: Annotated[
        list[str], typer.Argument(help="as 'outbound settings' names them", metavar="NAME=VALUE…")
    ],
    account: AccountName = None,
    json: Json = False,
) -> None:
    """Change how clients are called; what is not named stays. It holds at once: rate=0 pauses, and what is under way goes on.

    Example: callmatrix outbound set rate=3 hours.opens=10:00 hours.days=1,2,3,4,5
    """
    told = pairs(changes)
    with refusals("nothing is changed"):
        _say(on_account(account, lambda conn, id: settings.change_settings(conn, id, told)), json)


def _say(found: OutboundSettings, json: bool) -> None:
    if json:
        print_json(found)
    else:
        print_table(["setting", "value"], list(_flat(found.model_dump(mode="json"))))


def _flat(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", _as_typed(value)


def _as_typed(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(map(str, value))
    return "" if value is None else str(value)


def show_queue(account: AccountName = None, lang: Lang = None, json: Json = False) -> None:
    """Show how much waits, is under way, or is known of by nobody, and why.

    Example: callmatrix outbound queue
    """

    async def work(conn: Conn, account_id: str) -> tuple[QueueSeen, Language]:
        language = await language_of(conn, account_id, lang)
        return await service.queue_seen(conn, account_id, language), language

    (seen, language), zone = on_account(account, with_zone(work))
    if json:
        print_json(seen._asdict())
        return
    texts = TEXTS[language]
    for gate in seen.gates:
        print(gate)
    print_table(
        ["kind", "state", "items", "oldest", "why", "looked at again"],
        [
            (p.kind, p.state, p.items, local(p.since, zone), reason_in_words(p.kind, p.reason, texts, seen.gate),
             local(p.look_at, zone))
            for p in seen.parts
        ],
        "Nothing waits.",
    )  # fmt: skip


def clear_queue(
    account: AccountName = None, kind: OfKind = "callback", yes: Yes = False, json: Json = False
) -> None:
    """Take all of a kind that waits out of the queue: no stage, no task. What is under way goes on, with all that comes of it.
    Numbers of campaigns are not meant: 'callmatrix campaign stop' and 'finish' take these out.

    Example: callmatrix outbound clear --kind callback
    """
    with refusals("nothing is cleared"):
        service.refuse_campaigns(kind)
    parts = on_account(account, queue_of)
    waiting = sum(p.items for p in parts if p.kind == kind and p.state == "waiting")
    if waiting:
        confirm(f"{waiting} of kind {kind} wait and will go out no more. Go on?", is_sure=yes or json)
    cleared = on_account(account, lambda conn, id: service.clear_queue(conn, id, kind)) if waiting else 0
    if json:
        print_json({"cleared": cleared})
    else:
        print(f"{cleared} are taken out of the queue." if cleared else "Nothing waits.")


def resume(
    connection: Annotated[str, typer.Argument(help="name of a PBX that refused to place calls")],
    account: AccountName = None,
    json: Json = False,
) -> None:
    """Let calls be placed by a connection again that had refused them; look first why it did.

    Example: callmatrix outbound resume office
    """
    with refusals("nothing is changed"):
        on_account(account, lambda conn, id: resume_connection(conn, id, connection))
    if json:
        print_json({"resumed": connection})
    else:
        print(f"Calls are placed by '{connection}' again.")
