"""The command `init`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.first_use.answers import InitAnswers
from gateway.cli.first_use.talk import Conversation, terminal_language
from gateway.cli.options import Lang, Yes, piped_secret, secret_given

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.cli.first_use.guide import InitOutcome


def register(app: typer.Typer) -> None:
    app.command()(init)


def init(
    database_url: Annotated[
        str | None, typer.Option(help="PostgreSQL; '-' reads it from standard input")
    ] = None,
    public_url: Annotated[str | None, typer.Option(help="how PBXs and the CRM reach us")] = None,
    account: Annotated[str | None, typer.Option(help="a short name of your own for the CRM account")] = None,
    url: Annotated[str | None, typer.Option(help="address of the CRM account")] = None,
    long_lived_token: Annotated[
        str | None, typer.Option("--token", help="long-lived token; '-' reads it from standard input")
    ] = None,
    client_id: Annotated[str | None, typer.Option(help="OAuth: the integration's id")] = None,
    client_secret: Annotated[
        str | None, typer.Option(help="OAuth: its secret; '-' reads it from standard input")
    ] = None,
    time_zone: Annotated[str | None, typer.Option(help="IANA name")] = None,
    region: Annotated[str | None, typer.Option(help="home country of phone numbers, ISO code")] = None,
    extension: Annotated[
        list[str] | None, typer.Option(help="of a CRM user, e-mail=extension; repeatable")
    ] = None,
    senior: Annotated[
        str | None, typer.Option(help="the senior manager, by e-mail or extension: gets missed calls")
    ] = None,
    connection: Annotated[str | None, typer.Option(help="a name of your own for the PBX")] = None,
    kind: Annotated[
        str | None, typer.Option(help="which PBX: see 'callmatrix connection add --help'")
    ] = None,
    line: Annotated[list[str] | None, typer.Option(help="our number on it; repeatable")] = None,
    key: Annotated[
        list[str] | None, typer.Option(help="the kind's own secret, name=value; repeatable")
    ] = None,
    setting: Annotated[
        list[str] | None, typer.Option(help="the kind's own setting, name=value; repeatable")
    ] = None,
    number: Annotated[str | None, typer.Option(help="look this number up at the end")] = None,
    wait: Annotated[
        float | None, typer.Option(min=0, max=86_400, help="seconds to wait for a first call")
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="say what would be done; nothing is")] = False,
    lang: Lang = None,
    yes: Yes = False,
) -> None:
    """From nothing to the first call, step by step: database, address, CRM account, employees, PBX. Begin again where it was interrupted.

    Example: callmatrix init
    """
    from gateway.cli.output import chosen_language
    from gateway.texts.sentences import TEXTS

    is_person = sys.stdin is not None and sys.stdin.isatty() and not plan
    talk = Conversation(TEXTS[chosen_language(lang) or terminal_language()], is_person=is_person, agrees=yes)
    answers = InitAnswers(
        database_url=_secret("--database-url", database_url),
        public_url=public_url,
        account=account,
        url=url,
        token=secret_given("--token", long_lived_token),
        client_id=client_id,
        client_secret=secret_given("--client-secret", client_secret),
        time_zone=time_zone,
        region=region,
        extensions=_pairs(extension),
        senior=senior,
        connection=connection,
        kind=kind,
        lines=tuple(line or ()),
        keys=_pairs(key),
        settings=_pairs(setting),
        number=number,
        wait_seconds=wait,
    )
    if plan or not (is_person or yes):
        _tell_plan(talk, is_asked=plan)
    try:
        is_ready = _go(answers, talk)
    except (KeyboardInterrupt, typer.Abort, EOFError):
        typer.echo("")
        talk.say("interrupted")
        sys.exit(130)
    if not is_ready:
        raise typer.Exit(1)


def _tell_plan(talk: Conversation, *, is_asked: bool) -> None:
    """Say what each step does, and end."""
    for place, name in enumerate(STEPS, 1):
        talk.heading(place, len(STEPS), f"step.{name}")
        talk.say(f"plan.{name}")
    typer.echo("")
    talk.say("plan.how")
    raise typer.Exit(0 if is_asked else 1)


STEPS = ("database", "secrets", "address", "crm", "people", "pbx", "call")


def _go(answers: InitAnswers, talk: Conversation) -> bool:
    """Whether database and account, without which nothing works, are there at the end."""
    from gateway.cli.first_use.address import address
    from gateway.cli.first_use.crm import crm
    from gateway.cli.first_use.database import database
    from gateway.cli.first_use.first_call import first_call
    from gateway.cli.first_use.guide import FirstUse
    from gateway.cli.first_use.pbx import pbx
    from gateway.cli.first_use.people import people
    from gateway.cli.first_use.secrets_key import secrets_key

    guide = FirstUse(answers, talk)
    steps: tuple[Callable[[FirstUse], InitOutcome], ...] = (
        database,
        secrets_key,
        address,
        crm,
        people,
        pbx,
        first_call,
    )
    talk.say("begin")
    left = []
    for place, (name, step) in enumerate(zip(STEPS, steps, strict=True), 1):
        talk.heading(place, len(STEPS), f"step.{name}")
        guide.gap = None
        if step(guide) != "left":
            continue
        left.append(guide.gap or name)
        if name in ("database", "crm"):
            break
    typer.echo("")
    if left:
        talk.say("ended-with-gaps", names=", ".join(talk.words(f"step.{name}") for name in left))
    else:
        talk.say("ended")
    talk.say("next")
    return not {"database", "crm"} & set(left)


def _secret(option: str, value: str | None) -> str | None:
    """Return the secret; one given as '-' is a line of standard input, in the order database, token, client secret."""
    return piped_secret(option).strip() if value == "-" else value


def _pairs(values: list[str] | None) -> dict[str, str]:
    pairs = {}
    for value in values or ():
        name, equals, rest = value.partition("=")
        if not (name and equals and rest):
            raise typer.BadParameter(f"'{value}' is not name=value")
        pairs[name] = rest
    return pairs
