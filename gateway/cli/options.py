"""Options that several commands take, in one wording each."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from gateway.admin.input_words import LONGEST_VERSION, is_counted
from gateway.store.admin.bindings import Bindings
from gateway.store.admin.roles import ROLES
from runtime.failure import Failure

Json = Annotated[bool, typer.Option("--json", help="print JSON")]
AccountName = Annotated[str | None, typer.Option(help="whose; not needed where there is only one account")]
Lang = Annotated[
    Literal["ru", "en"] | None,
    typer.Option(
        "--lang", help="of what is said of the account; else CALLMATRIX_LANG, else the account's own"
    ),
]
RoleName = Annotated[
    str, typer.Option(help=f"what may be done: {', '.join(ROLES)}, each with what those before it may")
]
BoundEmployee = Annotated[
    str | None, typer.Option(help="who this is on the phone, by the employee's id; '' = nobody")
]
Templates = Annotated[
    list[str] | None, typer.Option("--template", help="only this template; may be repeated; '' = all")
]
Schedules = Annotated[
    list[str] | None, typer.Option("--schedule", help="only this schedule; may be repeated; '' = all")
]
Counters = Annotated[
    list[str] | None,
    typer.Option(
        "--counter", help="may start and stop this employee's counter; may be repeated; '' = as the role says"
    ),
]
VersionReason = Annotated[str, typer.Option(help="shown in the list of versions")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="at most so many")]
EvenIfUsed = Annotated[bool, typer.Option("--even-if-used", help="although something names it")]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask before it is done")]


def named(values: list[str] | None) -> tuple[str, ...]:
    """Of an option that may be repeated; an empty one takes all away."""
    return tuple(value for value in values or () if value)


BINDINGS = ("employee", "templates", "schedules", "counters")
"""Columns of a table: what a token or a user is bound to beside the account."""


def cells_of(bound: Bindings) -> tuple[str | None, ...]:
    """Return what stands in these columns."""
    lists = ((bound.templates, "all"), (bound.schedules, "all"), (bound.counters, "by role"))
    return (bound.employee, *(", ".join(names) or none for names, none in lists))


def binding_changes(
    account: str | None,
    employee: str | None,
    templates: list[str] | None,
    schedules: list[str] | None,
    counters: list[str] | None,
) -> dict[str, object]:
    """Return what of it was given; '' stands for nothing."""
    given: dict[str, object] = {}
    for name, value in (("account_id", account), ("employee", employee)):
        if value is not None:
            given[name] = value or None
    for name, values in (("templates", templates), ("schedules", schedules), ("counters", counters)):
        if values is not None:
            given[name] = named(values)
    return given


def piped_secret(option: str) -> str:
    """Return the next line of standard input. Raises Failure where there is none."""
    if sys.stdin is None:
        raise Failure("the secret cannot be read", "standard input is closed", "pipe it in, or type it")
    if (line := sys.stdin.readline().rstrip("\r\n")).strip():
        return line
    why = f"standard input holds no line for {option}"
    raise Failure("the secret cannot be read", why, "pipe in one line for each '-', in the order of the help")


def secret_given(option: str, value: str | None) -> str | None:
    """Return the secret; one given as '-' is read from standard input, a line each, so that neither the shell's history nor
    the list of processes shows it."""
    if value == "-":
        return piped_secret(option).strip()
    if value:
        typer.echo(
            f"warning: others on this machine can read what {option} said; '-' reads it from standard input",
            err=True,
        )
    return value


def pairs(values: list[str] | None) -> dict[str, str]:
    """Of an option that is repeated as name=value."""
    found = {}
    for value in values or ():
        name, equals, rest = value.partition("=")
        if not (name and equals):
            raise typer.BadParameter(f"'{value}' is not name=value")
        found[name] = rest
    return found


def version_named(name: str) -> int | Literal["draft"] | None:
    """Of a matrix; None = the current one."""
    if name == "draft":
        return "draft"
    if name == "current":
        return None
    if not is_counted(name, LONGEST_VERSION):
        raise typer.BadParameter(f"'{name}' is neither draft, current nor the number of a version")
    return int(name)
