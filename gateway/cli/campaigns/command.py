"""`campaign`: outbound campaigns, what each is told and where it stands."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from campaigns.model import CampaignSettings
from campaigns.states import CampaignCommand
from gateway.admin.campaigns import commands, saved
from gateway.admin.files.yaml_text import yaml_of, yaml_value
from gateway.admin.input_words import problems_of, refuse_untakable, validated
from gateway.admin.refused import InputRefused
from gateway.cli.changing.files import read_text
from gateway.cli.options import AccountName, Json, Lang, Yes, pairs
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
from gateway.store.campaigns import campaigns as store
from gateway.store.campaigns.campaigns import CampaignRow
from gateway.store.campaigns.engines import EngineRow, engine_of
from gateway.store.campaigns.figures import CampaignFigures, figures_of
from gateway.texts.sentences import TEXTS
from routing.texts.catalogue import Language
from runtime.database.pool import Conn

campaign_app = typer.Typer(
    help="Outbound campaigns: who is called, and what came of it.", no_args_is_help=True
)

CampaignNamed = Annotated[str, typer.Argument(help="what you call it", metavar="CAMPAIGN")]
SettingsGiven = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="a setting as name=value, the value in YAML, e.g. 'endless=true'; may be repeated"
    ),
]
SettingsFile = Annotated[str | None, typer.Option(help="all settings as YAML; - reads standard input")]


def register(app: typer.Typer) -> None:
    from gateway.cli.campaigns import members, there

    members.register(campaign_app)
    there.register(campaign_app)
    app.add_typer(campaign_app, name="campaign")


@campaign_app.command("list")
def list_campaigns(account: AccountName = None, lang: Lang = None, json: Json = False) -> None:
    """List campaigns, newest first.

    Example: callmatrix campaign list --account sales
    """

    async def work(conn: Conn, account_id: str) -> tuple[list[CampaignRow], Language]:
        return await store.campaigns_of(conn, account_id), await language_of(conn, account_id, lang)

    (found, language), zone = on_account(account, with_zone(work))
    if json:
        print_json(found)
        return
    texts = TEXTS[language]
    print_table(
        ["campaign", "state", "", "engine", "connection", "started", "finished"],
        [
            (r.name, r.state, texts.word("campaign.state", r.state), r.settings.engine, r.settings.connection,
             local(r.started_at, zone), local(r.finished_at, zone))
            for r in found
        ],
        "None. Make one with 'callmatrix campaign create'.",
    )  # fmt: skip


@campaign_app.command("show")
def show_campaign(name: CampaignNamed, account: AccountName = None, json: Json = False) -> None:
    """Show what a campaign is told, and where it stands.

    Example: callmatrix campaign show spring
    """

    async def work(conn: Conn, account_id: str) -> tuple[CampaignRow, EngineRow | None]:
        row = await saved.the_campaign(conn, account_id, name)
        return row, await engine_of(conn, row)

    with refusals("nothing is shown"):
        (row, engine), zone = on_account(account, with_zone(work))
    if json:
        print_json(row)
        return
    print(f"{row.name} ({row.campaign_id}): {row.state} {row.reason}".rstrip())
    for what, at in (("begins", row.starts_at), ("started", row.started_at), ("finished", row.finished_at)):
        if at is not None:
            print(f"{what} {local(at, zone)}")
    if row.kept_open.holds:
        print(f"kept open by its technical row since {local(row.kept_open_at, zone)}")
    if engine is not None:
        said = f"{engine.trouble}: {engine.words}" if engine.trouble else engine.words
        print(f"in the contact centre: {said} (looked at {local(engine.looked_at, zone)})")
    print(yaml_of(row.settings.model_dump(mode="json", exclude_none=True)), end="")


@campaign_app.command("create")
def create(
    name: CampaignNamed,
    account: AccountName = None,
    connection: Annotated[str | None, typer.Option(help="the PBX that calls")] = None,
    employee: Annotated[str | None, typer.Option(help="who talks, by id")] = None,
    set: SettingsGiven = None,
    file: SettingsFile = None,
    json: Json = False,
) -> None:
    """Make a campaign, as a draft.

    Example: callmatrix campaign create spring --connection office --employee anna
    """
    given: dict[str, Any] = {}
    if connection is not None:
        given["connection"] = connection
    if employee is not None:
        given["target"] = {"kind": "employee", "employee_id": employee}

    async def work(conn: Conn, account_id: str) -> CampaignRow:
        settings = _settings({}, file, {**given, **_changes(set)})
        return await saved.make_campaign(conn, account_id, name, settings, by=me())

    with refusals(f"campaign '{name}' is not made"):
        _say(on_account(account, work), json)


@campaign_app.command("edit")
def edit(
    name: CampaignNamed,
    account: AccountName = None,
    set: SettingsGiven = None,
    file: SettingsFile = None,
    json: Json = False,
) -> None:
    """Change settings; who waits is called by them.

    Example: callmatrix campaign edit spring --set "hours={opens: '10:00', closes: '19:00'}"
    """

    async def work(conn: Conn, account_id: str) -> CampaignRow:
        before = await saved.the_campaign(conn, account_id, name)
        settings = _settings(before.settings.model_dump(mode="json"), file, _changes(set))
        return await saved.change_campaign(conn, account_id, name, settings, version=before.version)

    with refusals(f"campaign '{name}' is not changed"):
        _say(on_account(account, work), json)


def _changes(given: list[str] | None) -> dict[str, Any]:
    return {name: yaml_value(value) for name, value in pairs(given).items()}


def _settings(before: dict[str, Any], file: str | None, changes: dict[str, Any]) -> CampaignSettings:
    """Return them as a file says all, changes besides. Raise InputRefused."""
    whole = yaml_value(read_text(file)) if file else before
    if not isinstance(whole, dict):
        raise InputRefused("the file", "it holds no settings", "write name: value, a line each")
    told = {**whole, **changes}
    refuse_untakable(told, "settings")
    try:
        return validated(CampaignSettings, told)
    except ValidationError as err:
        field, message = problems_of(err, "settings")[0]
        raise InputRefused(field, message, f"say it with --set {field}=…, or in the file") from err


@campaign_app.command("plan")
def plan(
    name: CampaignNamed,
    at: Annotated[datetime, typer.Argument(help="when it begins, UTC, e.g. 2026-12-01T06:00:00")],
    account: AccountName = None,
    json: Json = False,
) -> None:
    """Let it begin by itself.

    Example: callmatrix campaign plan spring 2026-12-01T06:00:00
    """
    starts_at = at if at.tzinfo else at.replace(tzinfo=UTC)
    _command(name, "plan", account, json, starts_at)


@campaign_app.command("start")
def start(name: CampaignNamed, account: AccountName = None, json: Json = False) -> None:
    """Let it call, or go on calling.

    Example: callmatrix campaign start spring
    """
    _command(name, "start", account, json)


@campaign_app.command("pause")
def pause(name: CampaignNamed, account: AccountName = None, json: Json = False) -> None:
    """Call nobody more for now; who is on the line stays.

    Example: callmatrix campaign pause spring
    """
    _command(name, "pause", account, json)


@campaign_app.command("stop")
def stop(name: CampaignNamed, account: AccountName = None, yes: Yes = False, json: Json = False) -> None:
    """Call nobody new; who was tried is tried to the end, then it has finished for good.

    Example: callmatrix campaign stop spring --yes
    """
    confirm(f"Campaign '{name}' calls nobody new and cannot be started again. Go on?", is_sure=yes or json)
    _command(name, "stop", account, json)


@campaign_app.command("finish")
def finish(name: CampaignNamed, account: AccountName = None, yes: Yes = False, json: Json = False) -> None:
    """Call nobody any more: once who is on the line is done, it has finished for good.

    Example: callmatrix campaign finish spring --yes
    """
    confirm(
        f"Campaign '{name}' calls nobody any more and cannot be started again. Go on?", is_sure=yes or json
    )
    _command(name, "finish", account, json)


@campaign_app.command("close")
def close(name: CampaignNamed, account: AccountName = None, json: Json = False) -> None:
    """Take out the technical row that keeps it from ending by itself; it is not made again.

    Example: callmatrix campaign close spring
    """
    with refusals("nothing was changed"):
        _say(on_account(account, lambda conn, id: commands.remove_kept_open(conn, id, name)), json)


def _command(
    name: str, command: CampaignCommand, account: str | None, json: bool, starts_at: datetime | None = None
) -> None:
    with refusals("nothing was changed"):
        row = on_account(
            account, lambda conn, id: commands.command_campaign(conn, id, name, command, starts_at=starts_at)
        )
    _say(row, json)


def _say(row: CampaignRow, json: bool) -> None:
    if json:
        print_json(row)
    else:
        print(f"Campaign '{row.name}' is {row.state}.")


@campaign_app.command("stats")
def stats(name: CampaignNamed, account: AccountName = None, lang: Lang = None, json: Json = False) -> None:
    """Show what became of its members and attempts, counted.

    Example: callmatrix campaign stats spring
    """

    async def work(conn: Conn, account_id: str) -> tuple[CampaignFigures, Language]:
        row = await saved.the_campaign(conn, account_id, name)
        return await figures_of(conn, row), await language_of(conn, account_id, lang)

    with refusals("nothing is shown"):
        (found, _), zone = on_account(account, with_zone(work))
    if json:
        derived = {"total": found.total, "open": found.open, "called": found.called, "reached": found.reached}
        print_json({**derived, "reached_percent": found.reached_percent, "members": [c._asdict() for c in found.members],
                    "tries": found.tries, "hours": [h._asdict() for h in found.hours]})  # fmt: skip
        return
    share = "" if found.reached_percent is None else f" ({found.reached_percent} %)"
    print(
        f"{found.total} members, {found.open} open, {found.called} called, {found.reached} reached{share}; {found.tries} tries"
    )
    print_table(["state", "reason", "members"], [tuple(c) for c in found.members])
    if found.hours:
        print_table(["hour", "side", "reason", "tries"], [(local(h.hour, zone), *h[1:]) for h in found.hours])
