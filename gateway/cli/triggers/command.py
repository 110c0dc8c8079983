"""`trigger`: what happens to a deal, under which conditions, and the one thing that is done then."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from gateway.admin.files.yaml_text import yaml_of
from gateway.admin.refused import NothingOfThatName
from gateway.admin.triggers import applying
from gateway.admin.triggers import saved as service
from gateway.admin.triggers.saved import TriggerNotUsable, TriggerSaved
from gateway.cli.changing.files import read_model, read_text, write_text
from gateway.cli.options import AccountName, Json, Lang, Yes
from gateway.cli.output import (
    carry_out_removal,
    confirm,
    language_of,
    local,
    me,
    on_account,
    print_json,
    print_table,
    refusals,
    the_account,
    with_zone,
)
from gateway.crm_accounts.secret_address import hook_address
from gateway.settings import Settings
from gateway.store.admin.accounts import account as account_row
from gateway.store.numbered import VersionLine
from gateway.store.triggers import triggers as store
from gateway.store.triggers.triggers import SavedTrigger
from gateway.store.worker.long_tasks import LongTask, TooMuchWork
from gateway.texts.sentences import TEXTS
from gateway.triggers.applying import ApplyPreview
from routing.texts.catalogue import Language
from routing.triggers.model import Trigger
from routing.triggers.problems import TriggerProblem, can_be_saved
from runtime.database.pool import Conn
from runtime.failure import Failure

trigger_app = typer.Typer(
    help="Triggers: what happens to a deal, and what is done then.", no_args_is_help=True
)

TriggerName = Annotated[str, typer.Argument(help="the trigger's name", metavar="TRIGGER")]
SeenVersion = Annotated[
    int | None,
    typer.Option(
        min=0, max=2**31 - 1, help="that you saw: refused when somebody else saved since; 0: it must be new"
    ),
]


Saves = Callable[[Conn, str], Awaitable[TriggerSaved]]


def register(app: typer.Typer) -> None:
    app.add_typer(trigger_app, name="trigger")


@trigger_app.command("list")
def list_triggers(account: AccountName = None, lang: Lang = None, json: Json = False) -> None:
    """List triggers in the order in which they are looked at.

    Example: callmatrix trigger list --account sales
    """

    async def work(conn: Conn, account_id: str) -> tuple[list[SavedTrigger], Language]:
        return await store.triggers_of(conn, account_id), await language_of(conn, account_id, lang)

    (found, language), zone = on_account(account, with_zone(work))
    if json:
        print_json(found)
        return
    texts = TEXTS[language]
    print_table(
        ["trigger", "is", "where", "on", "conditions", "does", "version", "saved", "by"],
        [
            (s.name, "on" if s.trigger.is_on else "off", f"{s.trigger.pipeline_id}/{s.trigger.stage_id or '*'}",
             ", ".join(texts.word("trigger.on", e.on) for e in s.trigger.events), len(s.trigger.conditions),
             s.trigger.action.do, s.version, local(s.saved_at, zone), s.saved_by)
            for s in found
        ],
        "There is no trigger. Save one with 'callmatrix trigger save'.",
    )  # fmt: skip


@trigger_app.command("show")
def show_trigger(
    trigger: TriggerName,
    version: Annotated[
        int | None, typer.Option(min=1, max=10**9, help="an earlier one; else the one that holds")
    ] = None,
    account: AccountName = None,
    output: Annotated[Path | None, typer.Option(help="file to write it to; else standard output")] = None,
    json: Json = False,
) -> None:
    """Show a trigger as YAML, as it can be saved again.

    Example: callmatrix trigger show "big deals" --output big-deals.yaml
    """

    async def work(conn: Conn, account_id: str) -> tuple[Trigger, int]:
        if version is None:
            saved = await service.the_trigger(conn, account_id, trigger)
            return saved.trigger, saved.version
        found = await store.trigger_at(conn, account_id, trigger, version)
        if found is None:
            raise NothingOfThatName("trigger of that version", trigger, f'trigger history "{trigger}"')
        return found, version

    with refusals("nothing is shown"):
        found, shown = on_account(account, work)
    text = yaml_of(found.as_written())
    if json:
        print_json({"version": shown, "trigger": found})
    elif output is not None:
        write_text(output, text)
        print(f"Version {shown} is written to {output}.")
    else:
        print(f"# version {shown}\n{text}", end="")


@trigger_app.command("save")
def save_trigger(
    file: Annotated[str, typer.Argument(help="YAML file; '-' reads standard input")],
    version: SeenVersion = None,
    account: AccountName = None,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Save a trigger: it is checked, and holds at once as its next version. What waits keeps the version it came by. A new one is
    off; a later one stays on or off as it is, unless the file says `is_on`.

    Example: callmatrix trigger save big-deals.yaml --account sales
    """
    wanted = read_model(Trigger, read_text(file), file, "trigger")

    async def work(conn: Conn, account_id: str) -> TriggerSaved:
        return await service.save_trigger(conn, account_id, wanted, by=me(), version=version)

    _say_saved(*_saving(account, lang, "the trigger is not saved", work), json)


@trigger_app.command("on")
def switch_on(
    trigger: TriggerName, account: AccountName = None, lang: Lang = None, json: Json = False
) -> None:
    """Switch a trigger on: what happens from now on fires it; what happened before is left alone.

    Example: callmatrix trigger on "big deals"
    """
    _switch(trigger, account, lang, json, is_on=True)


@trigger_app.command("off")
def switch_off(
    trigger: TriggerName, account: AccountName = None, lang: Lang = None, json: Json = False
) -> None:
    """Switch a trigger off; what it has put into the queue and has not begun is dropped.

    Example: callmatrix trigger off "big deals"
    """
    _switch(trigger, account, lang, json, is_on=False)


def _switch(trigger: str, account: str | None, lang: Language | None, json: bool, *, is_on: bool) -> None:
    async def work(conn: Conn, account_id: str) -> TriggerSaved:
        return await service.switch_trigger(conn, account_id, trigger, is_on=is_on, by=me())

    _say_saved(*_saving(account, lang, f"trigger '{trigger}' stays as it is", work), json)


def _saving(
    account: str | None, lang: Language | None, what: str, save: Saves
) -> tuple[TriggerSaved, Language]:
    async def work(conn: Conn, account_id: str) -> tuple[TriggerSaved, Language]:
        language = await language_of(conn, account_id, lang)
        try:
            return await save(conn, account_id), language
        except TriggerNotUsable as err:
            said = _lines(err.found, language)
            raise Failure(what, "\n        ".join(said) + f" ({err.code})", "mend it and try again") from err

    with refusals(what):
        return on_account(account, work)


def _say_saved(done: TriggerSaved, language: Language, json: bool) -> None:
    if json:
        print_json({"trigger": done.saved, "warnings": [_as_json(one, language) for one in done.warnings]})
        return
    state = "on" if done.saved.trigger.is_on else "off"
    print(f"Trigger '{done.saved.name}' holds as version {done.saved.version} and is {state}.")
    for line in _lines(done.warnings, language):
        print(f"Warning: {line}")


def _lines(found: Sequence[TriggerProblem], language: Language) -> list[str]:
    return [f"{one.field}: {' '.join(one.in_words(language))}" for one in found]


@trigger_app.command("remove")
def remove_trigger(
    trigger: TriggerName, account: AccountName = None, yes: Yes = False, json: Json = False
) -> None:
    """Remove a trigger; what it has put into the queue is dropped. What it fired on stays told.

    Example: callmatrix trigger remove "big deals" --yes
    """

    async def look(conn: Conn) -> SavedTrigger:
        return await service.the_trigger(conn, (await the_account(conn, account)).id, trigger)

    async def work(conn: Conn) -> None:
        await service.remove_trigger(conn, (await the_account(conn, account)).id, trigger)

    question = f"Trigger '{trigger}' fires no more, and what waits because of it is dropped."
    carry_out_removal("trigger", trigger, question, work, look=look, is_sure=yes, json=json)


@trigger_app.command("history")
def history(trigger: TriggerName, account: AccountName = None, json: Json = False) -> None:
    """List the versions of a trigger, newest first.

    Example: callmatrix trigger history "big deals"
    """

    async def work(conn: Conn, account_id: str) -> list[VersionLine]:
        found = await store.trigger_versions(conn, account_id, trigger)
        if not found:
            raise NothingOfThatName("trigger", trigger)
        return found

    with refusals("nothing is shown"):
        found, zone = on_account(account, with_zone(work))
    if json:
        print_json([line._asdict() for line in found])
    else:
        print_table(
            ["version", "saved", "by"], [(v.version, local(v.saved_at, zone), v.saved_by) for v in found]
        )


@trigger_app.command("check")
def check_triggers(
    trigger: Annotated[
        str | None, typer.Argument(help="only this one; else all that are saved", metavar="[TRIGGER]")
    ] = None,
    file: Annotated[
        str | None, typer.Option("--from", help="YAML of a draft, instead of what is saved")
    ] = None,
    account: AccountName = None,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Check triggers against what the CRM, the PBXs and the account have now; ends with 1 where one could not be saved.

    Example: callmatrix trigger check --from big-deals.yaml
    """
    draft = read_model(Trigger, read_text(file), file, "trigger") if file is not None else None

    async def work(conn: Conn, account_id: str) -> tuple[dict[str, list[TriggerProblem]], Language]:
        language = await language_of(conn, account_id, lang)
        if draft is not None:
            return {draft.name: await service.check_trigger(conn, account_id, draft)}, language
        saved = (
            [await service.the_trigger(conn, account_id, trigger)]
            if trigger is not None
            else await store.triggers_of(conn, account_id)
        )
        return {s.name: await service.check_trigger(conn, account_id, s.trigger) for s in saved}, language

    with refusals("nothing is checked"):
        found, language = on_account(account, work)
    if json:
        print_json({name: [_as_json(one, language) for one in problems] for name, problems in found.items()})
    else:
        for name, problems in found.items():
            print(
                "\n".join(f"{name}: {line}" for line in _lines(problems, language))
                or f"{name}: nothing is wrong"
            )
    if not all(can_be_saved(problems) for problems in found.values()):
        raise typer.Exit(1)


def _as_json(one: TriggerProblem, language: Language) -> dict[str, str]:
    message, remedy = one.in_words(language)
    return {
        "severity": one.severity,
        "code": one.code,
        "field": one.field,
        "message": message,
        "remedy": remedy,
    }


@trigger_app.command("apply")
def apply_trigger(
    trigger: TriggerName,
    account: AccountName = None,
    yes: Yes = False,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Fire for the deals that stand in the trigger's stage now. Says before how many, and what would come of them.

    Example: callmatrix trigger apply "big deals" --yes
    """

    async def look(conn: Conn, account_id: str) -> tuple[ApplyPreview, Language]:
        language = await language_of(conn, account_id, lang)
        return await applying.preview_apply(conn, account_id, trigger), language

    async def work(conn: Conn, account_id: str) -> LongTask:
        try:
            return await applying.apply_trigger(conn, account_id, trigger, by=me())
        except TooMuchWork as err:
            raise Failure("nothing is applied", f"{err} ({err.code})", "wait until it is done") from err

    with refusals("nothing is applied"):
        found, language = on_account(account, look)
        if not json:
            print("\n".join(_preview(found, language)))
        confirm(f"Trigger '{trigger}' will fire for them. Go on?", is_sure=yes or json)
        task = on_account(account, work)
    if json:
        print_json({"preview": found._asdict(), "work": task.work_id})
    else:
        print(f"A worker does it. See 'callmatrix firings list --trigger \"{trigger}\"'.")


def _preview(found: ApplyPreview, language: Language) -> list[str]:
    texts = TEXTS[language]
    said = [
        f"  {count:>6}  {texts.word('trigger.reason', reason)}" for reason, count in found.reasons.items()
    ]
    lines = [texts.say("trigger.apply.deals", count=found.deals), *said]
    return [*lines, texts.say("trigger.apply.not-known", count=found.not_known)] if found.not_known else lines


@trigger_app.command("hook")
def hook(trigger: TriggerName, account: AccountName = None, json: Json = False) -> None:
    """Print the address to paste into the CRM's action "send webhook": whatever it tells of fires this trigger.

    Example: callmatrix trigger hook "big deals"
    """

    async def work(conn: Conn, account_id: str) -> str:
        saved = await service.the_trigger(conn, account_id, trigger)
        whose = await account_row(conn, account_id)
        return hook_address(Settings().base_url, whose, saved.name, of="trigger")

    with refusals("no address is shown"):
        url = on_account(account, work)
    if json:
        print_json({"url": url})
        return
    print(url)
    print("It holds the account's secret: whoever has it can fire triggers.", file=sys.stderr)
