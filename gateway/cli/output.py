"""How commands speak: tables for people, JSON for programs, errors with a way out."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import getpass
import json
import os
import platform
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from runtime.failure import Failure

if TYPE_CHECKING:  # what a command does is imported when it does it: its help must come at once
    import asyncpg

    from gateway.settings import Settings
    from gateway.store.admin.accounts import Account
    from routing.texts.catalogue import Language
    from runtime.database.pool import Conn
    from runtime.progress import Progress

T = TypeVar("T")
_OURS = (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES, errno.ENOSPC, errno.EPIPE)
"""Of addresses that we listen at, and of what we print: no database's fault."""


_LONGEST_REASON = 4000
"""Characters: what was typed may stand in it, however long it is."""


def say_failure(failure: Failure) -> None:
    parts = [f"Error: {failure.what[:_LONGEST_REASON]}"]
    if failure.why:
        cut = "…" if len(failure.why) > _LONGEST_REASON else ""
        parts.append(f"  why: {failure.why[:_LONGEST_REASON]}{cut}")
    if failure.remedy:
        parts.append(f"  do:  {failure.remedy}")
    print("\n".join(parts), file=sys.stderr)


def as_data(value: Any) -> Any:
    """Return the value as plain JSON types."""
    if is_dataclass(value) and not isinstance(value, type):
        return as_data(asdict(value))
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {str(k): as_data(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [as_data(v) for v in value]
    return value.isoformat() if isinstance(value, datetime) else value


def print_json(value: Any) -> None:
    print(json.dumps(as_data(value), ensure_ascii=False, indent=2, default=str))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], empty: str = "Nothing.") -> None:
    if not rows:
        print(empty)
        return
    if not sys.stdout.isatty():  # for grep and cut: nothing is folded
        print("\n".join("\t".join(_cell(value) for value in row) for row in (columns, *rows)))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(_cell, row))
    Console().print(table)


@contextlib.contextmanager
def progress_bar(what: str) -> Iterator[Progress]:
    """Yield what long work tells how far it is. On the error output, so that a result can be piped; only to a person.

    what: is counted, e.g. "calls"."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=None)

        async def shown(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total)

        yield shown


def _cell(value: Any) -> str:
    return "" if value is None else " ".join(str(value).split())


def local(at: datetime | None, zone: str) -> str:
    """Return a time as the account's people read their clocks. zone: IANA name."""
    from zoneinfo import ZoneInfo

    return "" if at is None else at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


def with_zone(
    work: Callable[[Conn, str], Coroutine[Any, Any, T]],
) -> Callable[[Conn, str], Coroutine[Any, Any, tuple[T, str]]]:
    """Return the work of `on_account` that says besides in which time zone the account is."""

    async def both(conn: Conn, account_id: str) -> tuple[T, str]:
        return await work(conn, account_id), await zone_of(conn, account_id)

    return both


async def zone_of(conn: Conn, account_id: str) -> str:
    from gateway.store.admin.accounts import account

    return (await account(conn, account_id)).time_zone


def confirm(question: str, *, is_sure: bool) -> None:
    """End the command, with nothing done, unless the person says yes."""
    import typer

    if is_sure:
        return
    try:
        if sys.stdin is None:
            raise typer.Abort
        if answered_yes(question, is_yes=False, again="answer y (yes) or n (no)"):
            return
    except typer.Abort:
        raise Failure(
            "nothing was done", "nobody answered the question", "answer y or n, or pass --yes"
        ) from None
    print("Nothing was done.", file=sys.stderr)
    raise typer.Exit(1)


def answered_yes(question: str, *, is_yes: bool, again: str) -> bool:
    """Ask until the answer is yes or no. is_yes: what Enter means. again: what is said to any other answer."""
    import typer

    while True:
        told = typer.prompt(f"{question} [{'Y/n' if is_yes else 'y/N'}]", default="", show_default=False)
        word = told.strip().lower()
        if not word:
            return is_yes
        if word in (yes := _in_any_language("yes")) or word in _in_any_language("no"):
            return word in yes
        typer.echo(again)


def _in_any_language(answer: str) -> frozenset[str]:
    from gateway.texts.sentences import TEXTS

    return frozenset(word for texts in TEXTS.values() for word in texts.say(f"init.answers.{answer}").split())


@contextlib.contextmanager
def refusals(what: str) -> Iterator[None]:
    """Yield what a service refuses, told here. what: what is not done, e.g. "token 'x' is not added"."""
    from gateway.admin.refused import InputRefused
    from gateway.store.admin.accounts import NoSuchAccount

    try:
        yield
    except NoSuchAccount as err:
        raise Failure(f"there is no account '{err}'", "", "see 'callmatrix account list'") from err
    except InputRefused as err:
        raise Failure(what, f"{err.field}: {err.message} ({err.code})", err.remedy) from err


def carry_out_removal(
    what: str,
    name: str,
    question: str,
    work: Callable[[Conn], Coroutine[Any, Any, object]],
    *,
    look: Callable[[Conn], Coroutine[Any, Any, object]],
    is_sure: bool,
    json: bool,
) -> None:
    """Ask, remove, tell. what: e.g. "token". question: what follows of it; who asks for JSON is no person to be asked.
    look: raises InputRefused where there is no such thing, before anybody is asked about it."""
    with refusals(f"{what} '{name}' is not removed"):
        on_database(look)
    confirm(f"{question} Go on?", is_sure=is_sure or json)
    with refusals(f"{what} '{name}' is not removed"):
        on_database(work)
    if json:
        print_json({"removed": name})
    else:
        print(f"{what[:1].upper()}{what[1:]} '{name}' is removed.")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine; errors of the database become failures that say what to do."""
    import structlog

    from runtime.database.errors import DATABASE_AWAY, cause_of, may_pass
    from runtime.database.sealing import SealingError
    from runtime.logs import configure_logs

    if not structlog.is_configured():
        configure_logs("warning", otherwise={"secret-unreadable": _say_unreadable})
    try:
        return asyncio.run(_interruptible(work))
    except SealingError as err:
        raise Failure(str(err), err.code, err.remedy) from err
    except Exception as err:
        if refused := database_refusal(err):
            raise refused from err
        if (
            not isinstance(err, DATABASE_AWAY)
            or not may_pass(err)
            or getattr(err, "errno", None) in _OURS
            or getattr(err, "filename", None)
        ):
            raise
        raise Failure(
            "the database cannot be reached",
            cause_of(err),
            "is PostgreSQL running, and is its address in CALLMATRIX_DATABASE_URL right? See 'callmatrix check'",
        ) from err


@functools.cache  # once for all of them
def _say_unreadable() -> None:
    words = "warning: secrets in the database cannot be opened with the key that is given here; see 'callmatrix check'"
    print(words, file=sys.stderr)


def database_refusal(err: Exception) -> Failure | None:
    """Return what only a person can change at the database, in the words of `check`; None: it is something else."""
    from gateway.db.fitness import DatabaseUnfit
    from runtime.database.errors import refusal_of

    if not isinstance(err, DatabaseUnfit) and refusal_of(err) is None:
        return None
    from gateway.health.database_findings import unusable_finding
    from gateway.health.findings import in_words
    from gateway.texts.sentences import TEXTS

    said = in_words(unusable_finding(err), TEXTS["en"])
    return Failure("the database refuses us", f"the database {said.message}", said.remedy)


async def _interruptible(work: Coroutine[Any, Any, T]) -> T:
    """Let Ctrl-C be one whatever becomes of it inside: a connection that is being opened tells it as its own failure."""
    try:
        return await work
    except Exception:
        if (task := asyncio.current_task()) and task.cancelling():
            raise asyncio.CancelledError from None
        raise


def database_url(settings: Settings) -> str:
    """Return the database's address. Raises Failure when none is configured: commands work on an existing database, only `demo` makes one."""
    if settings.database_url is None:
        raise Failure(
            "no database is configured",
            "CALLMATRIX_DATABASE_URL is empty",
            "set it to your PostgreSQL, e.g. postgresql://callmatrix:…@127.0.0.1/callmatrix; "
            "for the demo's own database use the address it prints",
        )
    return str(settings.database_url)


@contextlib.asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[asyncpg.Pool]:
    """Yield a pool on the configured, migrated database."""
    from gateway.db.migrate import missing_migrations
    from gateway.store.admin.audit import Actor, act_as
    from runtime.database.pool import open_pool

    act_as(Actor(kind="command", name=_system_user(), door="command-line", address=platform.node()))
    pool = await open_pool(
        database_url(settings), max_size=4, name="callmatrix cli", keys=settings.key_ring()
    )
    try:
        async with pool.acquire() as conn:
            missing = await missing_migrations(conn)
        if missing:
            raise Failure(
                "the database's schema is not up to date",
                f"missing: {', '.join(missing)}",
                "run 'callmatrix migrate'",
            )
        yield pool
    except (asyncio.CancelledError, TimeoutError):
        pool.terminate()  # what does not answer does not say farewell either
        raise
    finally:
        await pool.close()


def _system_user() -> str:
    """Return who sits at the terminal: behind sudo the person, not root alone."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name
        user = str(os.getuid())
    person = os.environ.get("SUDO_USER")
    return f"{person} as {user}" if person and person != user else user


def me() -> str:
    """Return who did it, as versions of the matrix name them."""
    from gateway.store.numbered import AT_TERMINAL

    return f"{_system_user()}{AT_TERMINAL}"


def on_database(work: Callable[[Conn], Coroutine[Any, Any, T]]) -> T:
    """Run a command's work on one connection of the configured database. Raises Failure."""
    from gateway.settings import Settings
    from runtime.database.silence import SilenceGuard

    async def connected(settings: Settings) -> T:
        async with database(settings) as pool, pool.acquire() as conn:
            return await work(conn)

    async def guarded() -> T:
        settings = Settings()
        return await SilenceGuard(database_url(settings)).unless_silent(connected(settings))

    return run(guarded())


def on_account(given: str | None, work: Callable[[Conn, str], Coroutine[Any, Any, T]]) -> T:
    """Run it for the account that is meant (`the_account`), whose id it gets. Raises Failure."""

    async def of_account(conn: Conn) -> T:
        return await work(conn, (await the_account(conn, given)).id)

    return on_database(of_account)


async def the_account(conn: Conn, given: str | None) -> Account:
    """Return the account that a command is for: the one that was named, else the only one. Raises Failure."""
    from gateway.store.admin.accounts import accounts

    found = await accounts(conn)
    if not found:
        raise Failure("no CRM is connected", "", "connect one with 'callmatrix account add'")
    if given is None and len(found) > 1:
        raise Failure(
            "which account?", f"there are {', '.join(a.id for a in found)}", "name one with --account"
        )
    account = found[0] if given is None else next((a for a in found if a.id == given), None)
    if account is None:
        raise Failure(f"there is no account '{given}'", "", "see 'callmatrix account list'")
    return account


async def an_account(conn: Conn, given: str | None) -> str | None:
    """Return the id of the account that was named; None, for all of them, where none was. Raises Failure."""
    return None if given is None else (await the_account(conn, given)).id


def chosen_language(given: Language | None) -> Language | None:
    """Return what a person chose, with --lang or CALLMATRIX_LANG; None: the language of the account that they ask about."""
    from gateway.settings import Settings

    return given or Settings().lang


async def language_of(conn: Conn, account_id: str, given: Language | None) -> Language:
    """In which people are answered about an account. given: with --lang."""
    from gateway.store.admin.accounts import account

    return chosen_language(given) or (await account(conn, account_id)).settings.language
