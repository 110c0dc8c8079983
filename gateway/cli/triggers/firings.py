"""`firings`: what triggers fired on and what they did not, each with its reason."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from gateway.admin.refused import NothingOfThatName
from gateway.admin.triggers.saved import the_trigger
from gateway.cli.options import AccountName, Json, Lang, Limit
from gateway.cli.output import (
    chosen_language,
    language_of,
    local,
    on_account,
    print_json,
    print_table,
    refusals,
    with_zone,
)
from gateway.decisions.explain_firing import explained_firing
from gateway.store.admin.accounts import account as account_row
from gateway.store.triggers.firings import FiringRow, FiringState
from gateway.store.triggers.listing import FiringFilter, firing_of, listed_firings
from gateway.texts.sentences import TEXTS
from routing.texts.catalogue import Language
from routing.triggers.reasons import FiringReason
from runtime.database.pool import Conn

firings_app = typer.Typer(help="What triggers fired on and what they did not, and why.", no_args_is_help=True)

FiringId = Annotated[str, typer.Argument(help="as 'callmatrix firings list' shows it", metavar="ID")]


def register(app: typer.Typer) -> None:
    app.add_typer(firings_app, name="firings")


@firings_app.command("list")
def list_firings(
    account: AccountName = None,
    trigger: Annotated[str | None, typer.Option(help="only of this trigger")] = None,
    deal: Annotated[str | None, typer.Option(help="only of this deal")] = None,
    state: Annotated[FiringState | None, typer.Option(help="what became of it")] = None,
    reason: Annotated[FiringReason | None, typer.Option(help="why")] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="back from now")] = 7,
    limit: Limit = 100,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """List firings, newest first, by the account's clocks.

    Example: callmatrix firings list --state skipped --account sales
    """
    since = datetime.now(UTC) - timedelta(days=days)
    wanted = FiringFilter(trigger=trigger, deal_id=deal, state=state, reason=reason, since=since)

    async def work(conn: Conn, account_id: str) -> tuple[list[FiringRow], Language]:
        found = await listed_firings(conn, account_id, wanted, limit=limit)
        if not found and trigger is not None:
            await the_trigger(conn, account_id, trigger)
        return found, await language_of(conn, account_id, lang)

    with refusals("nothing is shown"):
        (found, language), zone = on_account(account, with_zone(work))
    if len(found) == limit:
        print(f"The latest {limit}: there may be more; --limit and --days say how many.", file=sys.stderr)
    texts = TEXTS[language]
    if json:
        print_json(found)
        return
    print_table(
        ["came", "deal", "trigger", "on", "source", "state", "why", "id"],
        [
            (local(f.created_at, zone), f.deal_id, f"{f.trigger} v{f.version}", texts.word("trigger.on", f.cause["on"]),
             f.source, f.state, texts.word("trigger.reason", f.reason) if f.reason else "", f.firing_id)
            for f in found
        ],
        "Nothing fired.",
    )  # fmt: skip


@firings_app.command("show")
def show_firing(id: FiringId, account: AccountName = None, lang: Lang = None, json: Json = False) -> None:
    """Show one firing step by step: what happened, what was looked at, why it fired or not.

    Example: callmatrix firings show 7k3v… --account sales
    """

    async def work(conn: Conn, account_id: str) -> dict[str, Any]:
        row = await firing_of(conn, account_id, id)
        if row is None:
            raise NothingOfThatName("firing", id, "firings list")
        whose = await account_row(conn, account_id)
        texts = TEXTS[chosen_language(lang) or whose.settings.language]
        return await explained_firing(conn, row, texts, ZoneInfo(whose.time_zone))

    with refusals("nothing is shown"):
        found, zone = on_account(account, with_zone(work))
    if json:
        print_json(found)
        return
    at = local(datetime.fromisoformat(found["at"]), zone)
    outcome = found["outcome"]
    print(f"{at}  {outcome['trigger']} v{outcome['version']}, deal {outcome['deal']}: {found['message']}")
    print("\n".join(f"  {s['message']}: {s['facts_message']}" for s in found["steps"]))
    if outcome["item"]:
        print(f"What became of it: 'callmatrix outbound show {outcome['item']}'.")
