"""`outbound list`, `show`: what is to go out and what went."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar

import typer

from gateway.admin.campaigns.saved import the_campaign
from gateway.admin.outbound import items as service
from gateway.admin.outbound import why_not as whys
from gateway.admin.outbound.items import ItemInFull
from gateway.admin.sms.words import why_in_words as message_in_words
from gateway.admin.triggers.saved import the_trigger
from gateway.cli.options import AccountName, Json, Lang, Limit
from gateway.cli.output import (
    chosen_language,
    database,
    language_of,
    local,
    on_account,
    print_json,
    print_table,
    refusals,
    run,
    the_account,
    with_zone,
)
from gateway.configuration import read_snapshot
from gateway.outbound.around import CallingAccount, calling_account
from gateway.pbx.kinds import KINDS
from gateway.presence.at_work_now import at_work_now
from gateway.settings import Settings
from gateway.store.admin.accounts import Account
from gateway.store.admin.accounts import account as account_row
from gateway.store.outbound.items import OutboundItem, OutboundKind, OutboundState
from gateway.store.outbound.listing import OutboundFilter, listed_items
from gateway.texts.sentences import TEXTS
from routing.texts.catalogue import Language
from runtime.database.pool import Conn, database_now

OutboundItemId = Annotated[str, typer.Argument(help="as 'callmatrix outbound list' shows it", metavar="ID")]


def extend(app: typer.Typer) -> None:
    app.command("list")(list_items)
    app.command("show")(show_item)
    app.command("why-not")(why_not)
    app.command("settle")(settle)


T = TypeVar("T")


def _around(
    account: str | None, work: Callable[[Conn, CallingAccount], Coroutine[Any, Any, T]]
) -> tuple[T, Account]:
    """Return what it gives for the account that is meant, with what a worker would know of it now. Raise Failure."""

    async def known() -> tuple[T, Account]:
        async with database(Settings()) as pool:
            snapshot = await read_snapshot(pool)
            async with pool.acquire() as conn:
                whose = await the_account(conn, account)
                at_work = await at_work_now(conn, whose, await database_now(conn))
                around = calling_account(snapshot, whose.id, KINDS, at_work)
                assert around is not None, "it was read just now"
                return await work(conn, around), whose

    return run(known())


def list_items(
    account: AccountName = None,
    state: Annotated[OutboundState | None, typer.Option(help="what became of it")] = None,
    kind: Annotated[OutboundKind | None, typer.Option(help="only of this kind")] = None,
    campaign: Annotated[str | None, typer.Option(help="only of this campaign")] = None,
    trigger: Annotated[str | None, typer.Option(help="only of this trigger")] = None,
    deal: Annotated[str | None, typer.Option(help="only of this deal")] = None,
    client: Annotated[str | None, typer.Option(help="only to this number, in any spelling")] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="back from now")] = 7,
    limit: Limit = 100,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """List what is to go out and what went, newest first.

    Example: callmatrix outbound list --state unknown
    """

    async def work(conn: Conn, account_id: str) -> tuple[list[OutboundItem], Language, str]:
        number = None if client is None else await service.client_meant(conn, account_id, client)
        wanted = OutboundFilter(
            state=state,
            kind=kind,
            campaign=campaign,
            trigger=trigger,
            deal_id=deal,
            client=number,
            since=datetime.now(UTC) - timedelta(days=days),
        )
        found = await listed_items(conn, account_id, wanted, limit=limit)
        if not found and campaign is not None:
            await the_campaign(conn, account_id, campaign)
        if not found and trigger is not None:
            await the_trigger(conn, account_id, trigger)
        gate = service.gate_of(await account_row(conn, account_id))
        return found, await language_of(conn, account_id, lang), gate

    with refusals("nothing is shown"):
        (found, language, gate), zone = on_account(account, with_zone(work))
    if len(found) == limit:
        print(f"The latest {limit}: there may be more; --limit and --days say how many.", file=sys.stderr)
    if json:
        print_json(found)
        return
    print_table(
        ["came", "kind", "client", "deal", "because of", "employee", "what became of it", "id"],
        [
            (local(i.created_at, zone), i.kind, i.client, i.deal_id, i.order.get("trigger") or i.campaign or i.source,
             i.employee_id, service.item_message(i, TEXTS[language], gate), i.item_id)
            for i in found
        ],
        "Nothing was to go out.",
    )  # fmt: skip


def show_item(id: OutboundItemId, account: AccountName = None, lang: Lang = None, json: Json = False) -> None:
    """Show one item with each attempt: who was rung, how it came out, the PBX's own words; of an SMS each message.

    Example: callmatrix outbound show 7k3v… --account sales
    """

    async def work(conn: Conn, account_id: str) -> tuple[ItemInFull, Language, str]:
        full = await service.item_in_full(conn, account_id, id)
        gate = service.gate_of(await account_row(conn, account_id))
        return full, await language_of(conn, account_id, lang), gate

    with refusals("nothing is shown"):
        (full, language, gate), zone = on_account(account, with_zone(work))
    item, texts = full.item, TEXTS[language]
    if json:
        print_json({"item": item, "attempts": full.attempts, "texts": full.texts})
        return
    whose = item.order.get("trigger") or item.campaign or item.source
    print(
        f"{item.kind} to {item.client or 'a number that is not read yet'}, deal {item.deal_id or '—'}, by {whose}"
    )
    print(service.item_message(item, texts, gate))
    print_table(
        ["placed", "rung", "by", "what became of it", "the PBX says"],
        [
            (local(a.placed_at, zone), a.extension or a.group_number, a.connection, service.attempt_message(a, texts), a.raw)
            for a in full.attempts
        ],
        "Nobody was called yet." if item.kind != "sms" else "",
    )  # fmt: skip
    if item.kind == "sms":
        print_table(
            ["written", "to", "text", "through", "what became of it", "the provider says"],
            [
                (local(m.created_at, zone), m.number, m.text, m.connection, message_in_words(m, texts), m.words)
                for m in full.texts
            ],
            "Nothing was written yet.",
        )  # fmt: skip


def why_not(id: OutboundItemId, account: AccountName = None, lang: Lang = None, json: Json = False) -> None:
    """Say why an item does not go out now: what the dialler would say of it this moment, with every check.

    Example: callmatrix outbound why-not 7k3v… --account sales
    """

    async def work(conn: Conn, around: CallingAccount) -> tuple[whys.WhyNotCalled, CallingAccount]:
        return await whys.why_not_now(conn, around, id), around

    with refusals("nothing is shown"):
        (why, around), whose = _around(account, work)
    texts = TEXTS[chosen_language(lang) or whose.settings.language]
    said = whys.why_in_words(why, around.staff, around.zone, texts)
    steps = why.looked.decision.steps if why.looked else ()
    if json:
        reason = why.looked.decision.reason if why.looked else why.item.reason
        told = {"state": why.item.state, "reason": reason, "message": said}
        print_json({**told, "steps": [step.as_json() for step in steps]})
        return
    print(said)
    for step in steps:
        print(f"  {texts.word('outbound.rule', step.rule)}: {step.because}")


def settle(
    id: OutboundItemId,
    was: Annotated[
        Literal["reached", "not-reached"],
        typer.Argument(help="what you found out", metavar="REACHED|NOT-REACHED"),
    ],
    account: AccountName = None,
    json: Json = False,
) -> None:
    """Say what became of a call of which nobody knows: the item ends with its task and stage, once.

    Example: callmatrix outbound settle 7k3v… not-reached
    """
    with refusals("nothing is changed"):
        item, _ = _around(
            account, lambda conn, around: whys.settle_item(conn, around, id, is_reached=was == "reached")
        )
    if json:
        print_json(item)
    else:
        print(f"Item '{item.item_id}' is {item.state}.")
