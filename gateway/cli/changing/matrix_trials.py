"""`matrix trial` and its like: a version that decides about part of the calls, compared, published or taken back."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.admin.matrix import trials
from gateway.admin.matrix.trials import ComparedTrial
from gateway.cli.options import AccountName, Json, Lang, VersionReason
from gateway.cli.output import (
    language_of,
    local,
    me,
    on_account,
    print_json,
    print_table,
    refusals,
    zone_of,
)
from gateway.store.admin import matrices as store
from gateway.store.admin.matrices import TrialOutcome
from gateway.store.admin.matrix.trials import StoredTrial
from gateway.texts.sentences import TEXTS
from routing.orders import ORDER_KINDS
from routing.texts.catalogue import Texts
from runtime.database.pool import Conn
from runtime.failure import Failure


def extend(app: typer.Typer) -> None:
    app.command("trial")(show)
    app.command("trial-begin")(begin)
    app.command("trial-publish")(publish)
    app.command("trial-take-back")(take_back)


def begin(
    why: VersionReason,
    percent: Annotated[int | None, typer.Option(min=1, max=99, help="of the clients")] = None,
    line: Annotated[str | None, typer.Option(help="one of our numbers: all its calls")] = None,
    account: AccountName = None,
    json: Json = False,
) -> None:
    """Make the draft a version that decides about part of the calls. A client always meets the same of both versions.

    Example: callmatrix matrix trial-begin --account sales --percent 10 --why "try the new pipeline"
    """

    async def work(conn: Conn, account_id: str) -> store.Published:
        return await trials.begin(
            conn, account_id, percent=percent, line=line, revision=None, by=me(), why=why
        )

    with refusals("no trial was begun"):
        done = on_account(account, work)
    if json:
        print_json(done)
    else:
        part = f"{percent} % of the clients" if percent is not None else f"the line {line}"
        print(f"Version {done.version} is on trial for {part}. See 'callmatrix matrix trial'.")


def show(account: AccountName = None, lang: Lang = None, json: Json = False) -> None:
    """Show what the calls of both sides of the trial came to, of the one that runs or of the latest.

    Example: callmatrix matrix trial --account sales
    """

    async def work(conn: Conn, account_id: str) -> tuple[ComparedTrial | None, str, Texts]:
        texts = TEXTS[await language_of(conn, account_id, lang)]
        return await trials.compared(conn, account_id), await zone_of(conn, account_id), texts

    with refusals("nothing was compared"):
        found, zone, texts = on_account(account, work)
    if found is None:
        raise Failure(
            "nothing was compared",
            "no version was ever on trial",
            "see 'callmatrix matrix trial-begin --help'",
        )
    if json:
        print_json(found)
        return
    print(_in_words(found.trial, zone))
    names = ["", f"version {found.trial.trial.version}", f"version {found.trial.against}"]
    print_table(names, _rows(found, texts))


def _in_words(ran: StoredTrial, zone: str) -> str:
    trial = ran.trial
    part = f"{trial.percent} % of the clients" if trial.percent is not None else f"the line {trial.line}"
    said = f"Version {trial.version} is on trial for {part} since {local(ran.begun_at, zone)}, by {ran.begun_by}."
    if ran.ended_at is None:
        return said
    end = "published" if ran.outcome == "published" else "taken back"
    return f"{said} It was {end} {local(ran.ended_at, zone)} by {ran.ended_by}: {ran.ended_why}"


def _rows(found: ComparedTrial, texts: Texts) -> list[tuple[str, int, int]]:
    sides = found.figures.on_trial, found.figures.published
    names = {"calls": "calls", "clients": "clients", "answered": "answered", "missed": "missed"}
    names["not_reached"] = "not reached"
    rows = [(said, *(getattr(side, name) for side in sides)) for name, said in names.items()]
    for state in ("done", "failed", "waiting"):
        counts = [getattr(side, state) for side in sides]
        for what in ORDER_KINDS:
            if any(what in count for count in counts):
                name = f"{texts.word('order.count', what)}, {state}"
                rows.append((name, *(count.get(what, 0) for count in counts)))
    return [(name, one, other) for name, one, other in rows]


def publish(why: VersionReason, account: AccountName = None, json: Json = False) -> None:
    """End the trial: its version decides about all calls from now on.

    Example: callmatrix matrix trial-publish --account sales --why "fewer doubles"
    """
    _end(account, "published", why, json)


def take_back(why: VersionReason, account: AccountName = None, json: Json = False) -> None:
    """End the trial: the published version decides about all calls again. Calls that have begun keep theirs.

    Example: callmatrix matrix trial-take-back --account sales --why "deals in the wrong stage"
    """
    _end(account, "taken_back", why, json)


def _end(account: str | None, outcome: TrialOutcome, why: str, json: bool) -> None:
    with refusals("the trial goes on"):
        ended = on_account(account, lambda conn, id: trials.end(conn, id, outcome=outcome, by=me(), why=why))
    if json:
        print_json({**ended._asdict(), "outcome": outcome})
    elif outcome == "published":
        print(f"Version {ended.version} is published.")
    else:
        print(f"Version {ended.version} is taken back.")
