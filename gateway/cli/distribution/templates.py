"""`template`: who takes part, in which proportion, and of which stages the deals are given."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.admin.distribution import orders, templates
from gateway.admin.files.yaml_text import yaml_of
from gateway.cli.changing.files import read_model, read_text, write_text
from gateway.cli.options import AccountName, EvenIfUsed, Json, Lang, Yes
from gateway.cli.output import (
    chosen_language,
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
from gateway.crm_accounts.secret_address import hook_address
from gateway.settings import Settings
from gateway.store.admin.accounts import account as account_row
from gateway.store.distribution import templates as store
from gateway.store.distribution.templates import Attachment
from routing.distribution.template import DistributionTemplate
from routing.texts.catalogue import Language
from runtime.database.pool import Conn
from runtime.failure import Failure

templates_app = typer.Typer(
    help="Templates of distribution: save, show, attach to stages, try.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    app.add_typer(templates_app, name="template")


TemplateName = Annotated[str, typer.Argument(help="the template's name", metavar="TEMPLATE")]
PipelineId = Annotated[str, typer.Argument(help="id in the CRM")]
StageId = Annotated[str, typer.Argument(help="id in the CRM")]


@templates_app.command("list")
def list_templates(account: AccountName = None, json: Json = False) -> None:
    """List templates and the stages whose deals they give.

    Example: callmatrix template list --account sales
    """

    async def work(conn: Conn, account_id: str) -> tuple[list[store.SavedTemplate], list[Attachment]]:
        return await store.templates_of(conn, account_id), await store.attachments_of(conn, account_id)

    (found, attached), zone = on_account(account, with_zone(work))
    if json:
        print_json({"templates": found, "attachments": attached})
        return
    print_table(
        ["template", "version", "kind", "balance", "stages", "saved", "by"],
        [
            (t.name, t.version, t.template.kind, t.template.balance,
             " ".join(f"{a.pipeline_id}/{a.stage_id}" for a in attached if a.template == t.name),
             local(t.saved_at, zone), t.saved_by)
            for t in found
        ],
        "There is no template. Save one with 'callmatrix template save'.",
    )  # fmt: skip


@templates_app.command("show")
def show_template(
    template: TemplateName,
    account: AccountName = None,
    output: Annotated[Path | None, typer.Option(help="file to write it to; else standard output")] = None,
    json: Json = False,
) -> None:
    """Show a template as YAML, as it can be saved again.

    Example: callmatrix template show shop --output shop.yaml
    """
    with refusals("nothing is shown"):
        found = on_account(account, lambda conn, id: templates.the_template(conn, id, template))
    text = yaml_of(found.template.model_dump(mode="json", exclude_defaults=True))
    if json:
        print_json(found)
    elif output is not None:
        write_text(output, text)
        print(f"Version {found.version} is written to {output}.")
    else:
        print(f"# version {found.version}, saved by {found.saved_by}\n{text}", end="")


@templates_app.command("save")
def save_template(
    file: Annotated[str, typer.Argument(help="YAML file; '-' reads standard input")],
    version: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=2**31 - 1,
            help="that you saw: refused when somebody else saved since; 0: it must be new",
        ),
    ] = None,
    account: AccountName = None,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Save a template: it is checked, and published as its next version at once.

    Example: callmatrix template save shop.yaml --account sales
    """
    template = read_template(read_text(file), file)

    async def work(conn: Conn, account_id: str) -> tuple[templates.Saved, Language]:
        language = await language_of(conn, account_id, lang)
        try:
            return await templates.save_template(
                conn, account_id, template, by=me(), version=version
            ), language
        except templates.TemplateNotUsable as err:
            raise _refused(err, language) from err

    with refusals("the template is not saved"):
        done, language = on_account(account, work)
    if json:
        print_json({"template": done.saved, "warnings": done.warnings})
        return
    print(f"Template '{done.saved.name}' is published as version {done.saved.version}.")
    for problem in done.warnings:
        print(f"Warning: {problem.field}: {'; '.join(problem.in_words(language))}")


def _refused(err: templates.TemplateNotUsable, language: Language) -> Failure:
    said = [f"{p.field}: {'; '.join(p.in_words(language))} ({err.code})" for p in err.errors]
    return Failure("the template is not saved", "\n        ".join(said), "mend the file and save it again")


def read_template(text: str, where: str) -> DistributionTemplate:
    """Read YAML. Raise Failure naming line or field."""
    return read_model(DistributionTemplate, text, where, "template")


@templates_app.command("remove")
def remove_template(
    template: TemplateName,
    account: AccountName = None,
    even_if_used: EvenIfUsed = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Remove a template; says before what hangs on it. What it gave stays told.

    Example: callmatrix template remove shop --account sales
    """
    with refusals(f"template '{template}' is not removed"):
        use = on_account(account, lambda conn, id: templates.use_of(conn, id, template))
        stages = ", ".join(use.stages) or "no stage"
        question = (
            f"Template '{template}' gives the deals of {stages}; {use.waiting} deals wait for it and will be given to"
            " nobody. Go on?"
        )
        confirm(question, is_sure=yes or json)
        on_account(
            account, lambda conn, id: templates.remove_template(conn, id, template, even_if_used=even_if_used)
        )
    if json:
        print_json({"removed": template})
    else:
        print(f"Template '{template}' is removed.")


@templates_app.command("attach")
def attach(
    template: TemplateName,
    pipeline: PipelineId,
    stage: StageId,
    account: AccountName = None,
    entered: Annotated[
        bool, typer.Option("--entered/--no-entered", help="deals that are moved into the stage")
    ] = True,
    created: Annotated[
        bool, typer.Option("--created/--no-created", help="deals that are made in the stage")
    ] = True,
    json: Json = False,
) -> None:
    """Give the deals that come into a stage from now on by this template.

    Example: callmatrix template attach shop 1 20 --account sales
    """
    wanted = Attachment(
        pipeline_id=pipeline, stage_id=stage, template=template, entered=entered, created=created
    )
    with refusals("nothing is attached"):
        done = on_account(account, lambda conn, id: templates.attach(conn, id, wanted, by=me()))
    if json:
        print_json(done)
    else:
        print(f"Deals that come into {pipeline}/{stage} are given by '{template}'.")


@templates_app.command("hook")
def hook(template: TemplateName, account: AccountName = None, json: Json = False) -> None:
    """Print the address to paste into the CRM's action "send webhook": whatever it tells of is given by this template.

    Example: callmatrix template hook shop --account sales
    """

    async def work(conn: Conn, account_id: str) -> str:
        saved = await templates.the_template(conn, account_id, template)
        return hook_address(Settings().base_url, await account_row(conn, account_id), saved.name)

    with refusals("no address is shown"):
        url = on_account(account, work)
    if json:
        print_json({"url": url})
        return
    print(url)
    print(
        "In the CRM: Leads, Setup (digital pipeline), the stage, Add trigger, API: send webhook; paste the address there.\n"
        "It holds the account's secret: whoever has it can give deals.",
        file=sys.stderr,
    )


@templates_app.command("detach")
def detach(pipeline: PipelineId, stage: StageId, account: AccountName = None, json: Json = False) -> None:
    """Give the deals of a stage no more.

    Example: callmatrix template detach 1 20 --account sales
    """
    with refusals("nothing is detached"):
        on_account(account, lambda conn, id: templates.detach(conn, id, pipeline, stage))
    if json:
        print_json({"detached": f"{pipeline}/{stage}"})
    else:
        print(f"Deals that come into {pipeline}/{stage} are given no more.")


@templates_app.command("simulate")
def simulate(
    template: TemplateName,
    account: AccountName = None,
    file: Annotated[
        str | None, typer.Option("--from", help="YAML of a draft, instead of what is saved")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, max=92, help="of what came, back from now")] = None,
    made_up: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="so many deals of nobody in particular")
    ] = None,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Try a template or a draft: who would have got what. Changes nothing.

    Example: callmatrix template simulate shop --made-up 100
    """
    from gateway.distribution.simulate import Simulation

    if days and made_up:
        raise typer.BadParameter("--days and --made-up exclude each other")
    draft = read_template(read_text(file), file) if file is not None else None
    with refusals("nothing is tried"):
        tried = on_account(
            account,
            lambda conn, id: orders.tried_template(conn, id, template, draft, chosen_language(lang)),
        )
    found = _simulated(account, Simulation, tried, days, made_up)
    if json:
        print_json(found)
        return
    print_table(
        ["employee", "name", "meant", "given", "kept"],
        [(p["employee"], p["name"], p["meant"], p["given"], p["kept"]) for p in found["people"]],
        "Nobody would get anything.",
    )
    print(", ".join(f"{n} {what}" for what, n in found["outcomes"].items()) or "Nothing came in these days.")


def _simulated(
    account: str | None,
    simulation: Any,
    template: DistributionTemplate,
    days: int | None,
    made_up: int | None,
) -> dict[str, Any]:
    from gateway.cli.output import database, progress_bar, run, the_account
    from gateway.distribution.availability import AccountHours
    from gateway.presence.at_work_now import at_work_now
    from runtime.database.pool import database_now

    async def work() -> dict[str, Any]:
        async with database(Settings()) as pool:
            async with pool.acquire() as conn:
                which = await the_account(conn, account)
                availability = AccountHours(await at_work_now(conn, which, await database_now(conn)))
            with progress_bar("deals") as shown:
                found: dict[str, Any] = await simulation(pool, which.id, availability).run(
                    template, shown, days=days, made_up=made_up
                )
            return found

    return run(work())
