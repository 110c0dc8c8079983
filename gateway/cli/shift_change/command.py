"""`shift`: the open deals of who is offline pass to those left, and come back."""

from __future__ import annotations

from typing import Annotated, Any, get_args

import typer

from gateway.admin.operations import shift_change as service
from gateway.cli.options import AccountName, Json, Lang, Yes, named
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
from gateway.shift_change.people import people_now
from gateway.store.shift_change import moves
from gateway.store.shift_change.moves import MoveRow
from gateway.texts.sentences import TEXTS
from routing.shift_change.policy import ExcludedField, GoesAlong, Returns, ShiftPolicy
from routing.shift_change.reasons import reason_key
from routing.texts.catalogue import Language, Texts
from runtime.database.pool import Conn

shift_app = typer.Typer(
    help="Open deals of who is offline pass to those left, and come back.", no_args_is_help=True
)

WhoseDeals = Annotated[str, typer.Argument(help="by the employee's id", metavar="EMPLOYEE")]
RunId = Annotated[int, typer.Argument(min=1, max=10**15, help="as 'shift runs' shows", metavar="RUN")]
Back = Annotated[bool, typer.Option("--back", help="what was taken from them comes back")]
_JOURNAL_PAGE = 1000


def register(app: typer.Typer) -> None:
    app.add_typer(shift_app, name="shift")


@shift_app.command("show")
def show(account: AccountName = None, json: Json = False) -> None:
    """Show what is set for shift change.

    Example: callmatrix shift show
    """
    policy = on_account(account, service.show_policy)
    if json:
        print_json(policy)
    else:
        print_table(["setting", "value"], [(n, _said(v)) for n, v in policy.model_dump().items()])


@shift_app.command("set")
def set_policy(
    account: AccountName = None,
    on: Annotated[bool | None, typer.Option("--on/--off", help="nothing is moved while it is off")] = None,
    pipeline: Annotated[
        list[str] | None, typer.Option(help="id; these in place of all; '' = none; may be repeated")
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="whose deals move; '' = everybody's in the template")
    ] = None,
    template: Annotated[str | None, typer.Option(help="by whose shares deals are split")] = None,
    new_only: Annotated[
        bool | None, typer.Option("--new-only/--all-deals", help="move only what comes in meanwhile")
    ] = None,
    wait: Annotated[
        int | None, typer.Option(min=0, max=3600, help="seconds of being offline or back before a move")
    ] = None,
    pause: Annotated[
        int | None, typer.Option(min=0, max=1440, help="minutes between two moves of one person's deals")
    ] = None,
    returns: Annotated[
        Returns | None,
        typer.Option(help="what comes back: created = theirs when made, taken = all, off = nothing"),
    ] = None,
    along: Annotated[
        list[str] | None,
        typer.Option(help=f"what goes along with a deal: {', '.join(get_args(GoesAlong))}; may be repeated"),
    ] = None,
    alone: Annotated[bool, typer.Option("--alone", help="nothing goes along")] = False,
    not_deal: Annotated[list[str] | None, typer.Option(help="id of a deal that stays; '' = none")] = None,
    not_tag: Annotated[list[str] | None, typer.Option(help="deals with this tag stay; '' = none")] = None,
    not_field: Annotated[
        list[str] | None,
        typer.Option(help="id or id=value of a field: deals that have it stay; '' = none"),
    ] = None,
    json: Json = False,
) -> None:
    """Change what is set; what is not named stays.

    Example: callmatrix shift set --pipeline 8001 --template sales --along contact --on
    """
    told: dict[str, Any] = {
        "is_on": on,
        "template": template,
        "new_only": new_only,
        "wait_seconds": wait,
        "pause_minutes": pause,
        "returns": returns,
        "goes_along": () if alone else tuple(along) if along else None,
        "pipelines": _all(pipeline),
        "excluded_deals": _all(not_deal),
        "excluded_tags": _all(not_tag),
        "excluded_fields": None if not_field is None else tuple(map(_field, named(not_field))),
    }
    changes = {name: value for name, value in told.items() if value is not None}
    if group is not None:
        changes["group"] = group or None

    async def work(conn: Conn, account_id: str) -> ShiftPolicy:
        now = await service.show_policy(conn, account_id)
        policy = service.policy_from({**now.model_dump(), **changes})
        return await service.save_policy(conn, account_id, policy, "command line")

    with refusals("shift change stays as it is"):
        policy = on_account(account, work)
    if json:
        print_json(policy)
        return
    state = "on" if policy.is_on else "off: nothing is moved"
    print(f"Shift change is {state}. Pipelines: {' '.join(policy.pipelines) or 'none'}.")


@shift_app.command("preview")
def preview(
    employee: WhoseDeals,
    account: AccountName = None,
    back: Back = False,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Say what moving an employee's deals would do now; changes nothing.

    Example: callmatrix shift preview olga
    """
    with refusals("nothing is moved"):
        found, texts = on_account(account, _preview(employee, back, lang))
    if json:
        print_json(found)
    else:
        _print_preview(found, texts)


@shift_app.command("start")
def start(
    employee: WhoseDeals,
    account: AccountName = None,
    back: Back = False,
    yes: Yes = False,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Move an employee's open deals to those left, or back to them, whatever their presence says. The worker does it.

    Example: callmatrix shift start olga --yes
    """
    with refusals("nothing is moved"):
        found, texts = on_account(account, _preview(employee, back, lang))
        if not json:
            _print_preview(found, texts)
        confirm("Begin?", is_sure=yes or json)

        async def work(conn: Conn, account_id: str) -> service.RunProgress:
            return await service.start(conn, account_id, employee, _kind(back), "command line")

        begun = on_account(account, work)
    _tell(begun, json)


@shift_app.command("runs")
def list_runs(
    account: AccountName = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="at most so many")] = 20,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """List moves of employees' deals, the latest first.

    Example: callmatrix shift runs
    """

    async def work(conn: Conn, account_id: str) -> tuple[list[service.RunProgress], Texts]:
        found = await service.progress_of_all(conn, account_id, limit=limit)
        return found, TEXTS[await language_of(conn, account_id, lang)]

    (found, texts), zone = on_account(account, with_zone(work))
    if json:
        print_json(found)
        return
    print_table(
        ["run", "began", "employee", "kind", "state", "why", "moved", "left", "waiting", "along"],
        [
            (p.run.run_id, local(p.run.started_at, zone), p.run.employee_id, p.run.kind, p.run.state, _why(p.run.reason, texts),
             p.counts.moved, p.counts.left_out, p.counts.waiting, p.counts.along)
            for p in found
        ],
        "Nobody's deals were moved yet.",
    )  # fmt: skip


@shift_app.command("pause")
def pause(run: RunId, account: AccountName = None, json: Json = False) -> None:
    """Move nothing more until it is resumed.

    Example: callmatrix shift pause 7
    """
    _change(run, "pause", account, json)


@shift_app.command("resume")
def resume(run: RunId, account: AccountName = None, json: Json = False) -> None:
    """Go on with a paused move.

    Example: callmatrix shift resume 7
    """
    _change(run, "resume", account, json)


@shift_app.command("stop")
def stop(run: RunId, account: AccountName = None, json: Json = False) -> None:
    """End a move; what was not moved yet stays where it is.

    Example: callmatrix shift stop 7
    """
    _change(run, "stop", account, json)


@shift_app.command("journal")
def journal(run: RunId, account: AccountName = None, lang: Lang = None, json: Json = False) -> None:
    """List every deal of a move: its former owner, who got it, or why it stayed.

    Example: callmatrix shift journal 7
    """

    async def work(conn: Conn, account_id: str) -> tuple[list[MoveRow], Texts]:
        await service.progress(conn, account_id, run)
        found: list[MoveRow] = []
        after = None
        while page := await moves.journal(conn, account_id, run, after=after, limit=_JOURNAL_PAGE):
            found += page
            after = (page[-1].position, page[-1].kind, page[-1].entity_id)
        return found, TEXTS[await language_of(conn, account_id, lang)]

    with refusals("nothing is shown"):
        (found, texts), zone = on_account(account, with_zone(work))
    if json:
        print_json(found)
        return
    print_table(
        ["kind", "id", "with deal", "state", "why", "was of", "given to", "employee", "settled"],
        [
            (m.kind, m.entity_id, m.deal_id, m.state, _why(m.reason, texts), m.owner_was, m.given_to, m.employee_id,
             local(m.settled_at, zone))
            for m in found
        ],
        "This run moved nothing.",
    )  # fmt: skip


def _preview(employee: str, back: bool, lang: Language | None) -> Any:
    async def work(conn: Conn, account_id: str) -> tuple[service.MovePreview, Texts]:
        found = await service.preview(conn, account_id, employee, _kind(back), people_now)
        return found, TEXTS[await language_of(conn, account_id, lang)]

    return work


def _change(run: int, do: service.ShiftAct, account: str | None, json: bool) -> None:
    async def work(conn: Conn, account_id: str) -> service.RunProgress:
        return await service.change(conn, account_id, run, do)

    with refusals(f"run {run} stays as it is"):
        _tell(on_account(account, work), json)


def _tell(found: service.RunProgress, json: bool) -> None:
    if json:
        print_json(found)
        return
    run, counts = found.run, found.counts
    print(
        f"Run {run.run_id} of {run.employee_id} is {run.state.replace('_', ' ')}: {counts.moved} deals moved,"
        f" {counts.left_out} left, {counts.waiting} waiting. See 'callmatrix shift runs'."
    )


def _why(reason: str, texts: Texts) -> str:
    return texts.word(reason_key(reason), reason) if reason else ""


def _print_preview(found: service.MovePreview, texts: Texts) -> None:
    print(f"Deals that move: {found.deals}, of these with a client who waits for an answer: {found.waiting}")
    print(f"  along with them: contacts {found.contacts}, companies {found.companies}")
    for reason, count in sorted(found.stay.items()):
        print(f"  stay ({_why(reason, texts)}): {count}")
    print(f"  to: {', '.join(found.receivers) or 'nobody is left'}")
    print(f"  about {found.requests} requests of 250 deals, {found.requests_usual} of 50")


def _kind(back: bool) -> service.MoveKind:
    return "return" if back else "away"


def _all(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else named(values)


def _field(text: str) -> ExcludedField:
    id, equals, value = text.partition("=")
    return ExcludedField(field_id=id, value=value if equals else None)


def _said(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(
            str(one) if isinstance(one, str) else f"{one['field_id']}={one['value'] or ''}" for one in value
        )
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
