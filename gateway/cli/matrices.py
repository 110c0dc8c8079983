"""`replay` and `matrix`: a matrix tried on the calls of the last days, checked, published, rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.admin import matrices
from gateway.cli.changing.matrices import extend as change_matrices
from gateway.cli.options import AccountName, Json, Lang, VersionReason, version_named
from gateway.cli.output import (
    chosen_language,
    database,
    language_of,
    local,
    me,
    on_account,
    print_json,
    print_table,
    progress_bar,
    refusals,
    run,
    the_account,
    zone_of,
)
from gateway.settings import Settings
from gateway.store.admin import matrices as store
from gateway.store.admin.matrix_catalogue import catalogue_of
from gateway.texts.sentences import TEXTS
from routing.matrix.checks.check import Problem, can_be_published, check
from routing.matrix.versions.diff import MatrixChange, difference
from routing.texts.catalogue import Language, Texts
from runtime.database.pool import Conn
from runtime.failure import Failure

if TYPE_CHECKING:
    from gateway.decisions.replay import VersionName

matrix_app = typer.Typer(
    help="The call matrix: its draft, checks, versions, roll-back.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    app.command()(replay)
    change_matrices(matrix_app)
    app.add_typer(matrix_app, name="matrix")


def replay(
    account: AccountName = None,
    days: Annotated[int, typer.Option(min=1, max=31, help="of calls, back from now")] = 3,
    version: Annotated[str, typer.Option(help="draft, or the number of a version")] = "draft",
    against: Annotated[str, typer.Option(help="what it is compared with")] = "current",
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Run the calls of the last days through a draft, compared with what is published. Changes nothing anywhere.

    Example: callmatrix replay --account sales --days 3
    """
    from gateway.decisions.replay import Replay
    from gateway.presence.at_work_now import at_work_now
    from runtime.database.pool import database_now

    names = version_named(version), version_named(against)

    async def work() -> tuple[dict[str, Any], str]:
        async with database(Settings()) as pool:
            async with pool.acquire() as conn:
                which = await the_account(conn, account)
                at_work = await at_work_now(conn, which, await database_now(conn))
            replay = Replay(pool, which.id, language=chosen_language(lang), at_work=at_work)
            with progress_bar("calls") as shown:
                result = await replay.run(days, *names, shown)
                await shown(result["calls"], result["calls"])
                return result, which.time_zone

    with _refusals("nothing was replayed"):
        result, zone = run(work())
    if json:
        print_json(result)
        return
    print(
        f"{result['calls']} calls in {result['took_ms'] / 1000:.1f} s: {result['same']} the same,"
        f" {result['different']} different."
    )
    old, new = result["published"]["version"], result["draft"]["version"]
    print_table(
        ["", old, new, "difference"],
        [(c["message"], c["published"], c["draft"], f"{c['difference']:+d}") for c in result["counts"]],
        "Neither orders anything.",
    )
    for call in result["list"][:20]:
        began = local(datetime.fromisoformat(call["started_at"]), zone)
        print(f"\n{began}  call {call['call_id']}  {call['row']}")
        for side, name in (("published", old), ("draft", new)):
            print("\n".join(f"  {name}: {line}" for line in call[side] or ["nothing"]))
    if result["different"] > 20:
        print(f"\n… and {result['different'] - 20} more; --json lists them.")


@contextmanager
def _refusals(what: str = "nothing was changed") -> Iterator[None]:
    with refusals(what):
        try:
            yield
        except store.NoSuchMatrixVersion as err:
            raise matrices.NoVersion(err.version) from err


@contextmanager
def _problems_in(language: Language) -> Iterator[None]:
    """Tell the errors of a refused matrix in this language."""
    try:
        yield
    except matrices.MatrixRefused as err:
        said = [(p.cell, *p.in_words(language)) for p in err.errors]
        if len(said) == 1:
            [(cell, why, remedy)] = said
            why = f"{cell}: {why} ({err.code})"
        else:
            why = "\n        ".join(f"{cell}: {what}; {do} ({err.code})" for cell, what, do in said)
            remedy = "'callmatrix matrix check' lists all that it found"
        raise Failure("the matrix is not published", why, remedy) from err


@matrix_app.command("check")
def check_matrix(
    account: AccountName = None,
    version: Annotated[str, typer.Option(help="draft, current, or the number of a version")] = "draft",
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Check a matrix: what is wrong, each with the cell and what to do. Exit code 1 when it could not be published.

    Example: callmatrix matrix check --account sales
    """
    name = version_named(version)

    async def work(conn: Conn, account_id: str) -> tuple[list[Problem], Language]:
        problems = check(await _named(conn, account_id, name), await catalogue_of(conn, account_id))
        return problems, await language_of(conn, account_id, lang)

    with _refusals("nothing was checked"):
        problems, language = on_account(account, work)
    if json:
        print_json(problems)
    else:
        print_table(
            ["severity", "cell", "problem", "what to do"],
            [(p.severity, p.cell, *p.in_words(language)) for p in problems],
            "Nothing is wrong.",
        )
    if not can_be_published(problems):
        raise typer.Exit(1)


async def _named(conn: Conn, account: str, name: VersionName) -> Any:
    if name == "draft":
        return (await store.draft(conn, account)).matrix
    version = await store.current_version(conn, account) if name is None else name
    return await store.matrix_at(conn, account, version)


@matrix_app.command("publish")
def publish(why: VersionReason, account: AccountName = None, lang: Lang = None, json: Json = False) -> None:
    """Make the draft the next version. Calls that have begun keep the version they began with.

    Example: callmatrix matrix publish --account sales --why "new pipeline for ads"
    """

    async def work(conn: Conn, account_id: str) -> store.Published:
        language = await language_of(conn, account_id, lang)
        with _problems_in(language):
            return await matrices.publish_draft(conn, account_id, revision=None, by=me(), why=why)

    with _refusals("the matrix is not published"):
        done = on_account(account, work)
    _say(done, json)


@matrix_app.command("rollback")
def roll_back(
    to: Annotated[int, typer.Option(min=1, max=999_999_999, help="version")],
    why: VersionReason,
    account: AccountName = None,
    json: Json = False,
) -> None:
    """Publish the body of an earlier version as the next one, at once.

    Example: callmatrix matrix rollback --account sales --to 4 --why "version 5 made double deals"
    """
    with _refusals("the matrix is not published"):
        done = on_account(account, lambda conn, id: matrices.roll_back(conn, id, to=to, by=me(), why=why))
    _say(done, json)


@matrix_app.command("versions")
def list_versions(account: AccountName = None, json: Json = False) -> None:
    """List published versions, newest first.

    Example: callmatrix matrix versions --account sales
    """

    async def work(conn: Conn, account_id: str) -> tuple[list[store.Published], str]:
        await store.current_version(conn, account_id)
        return await store.versions(conn, account_id), await zone_of(conn, account_id)

    with _refusals():
        found, zone = on_account(account, work)
    if json:
        print_json(found)
        return
    print_table(
        ["version", "published", "by", "why"],
        [(p.version, local(p.published_at, zone), p.published_by, _reason(p)) for p in found],
    )


@matrix_app.command("difference")
def show_difference(
    account: AccountName = None,
    old: Annotated[str, typer.Option(help="draft, current, or the number of a version")] = "current",
    new: Annotated[str, typer.Option(help="draft, current, or the number of a version")] = "draft",
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Show the difference between any two versions, in words.

    Example: callmatrix matrix difference --account sales --old 4 --new draft
    """
    names = version_named(old), version_named(new)

    async def work(conn: Conn, account_id: str) -> tuple[list[MatrixChange], Texts]:
        before, after = [await _named(conn, account_id, name) for name in names]
        texts = TEXTS[await language_of(conn, account_id, lang)]
        return difference(before, after, texts, await catalogue_of(conn, account_id)), texts

    with _refusals("nothing was compared"):
        changes, texts = on_account(account, work)
    if json:
        print_json([c._asdict() for c in changes])
        return
    lines = (f"{texts.say(f'diff.kind.{c.kind}'):9} {c.text}" for c in changes)
    print("\n".join(lines) or texts.say("diff.same"))


def _say(published: store.Published, json: bool) -> None:
    if json:
        print_json(published)
    else:
        print(f"Version {published.version} is published.")


def _reason(published: store.Published) -> str:
    why = f"{published.why} (= version {published.restored})" if published.restored else published.why
    return why if published.trial is None else f"{why} ({_TRIALS[published.trial]})"


_TRIALS = {"running": "on trial", "published": "after a trial", "taken_back": "taken back after a trial"}
