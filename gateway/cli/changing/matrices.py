"""`matrix draft`, `edit`, `preset`, `dry-run`: the matrix that is being written, and one made-up call through it."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from gateway.admin import matrices
from gateway.admin.config_document import ConfigRefused, matrix_yaml, read_matrix
from gateway.admin.refused import InputRefused
from gateway.cli.changing import matrix_trials
from gateway.cli.changing.files import read_text, write_text
from gateway.cli.options import AccountName, Json, Lang, Yes, pairs, version_named
from gateway.cli.output import (
    chosen_language,
    confirm,
    language_of,
    me,
    on_account,
    print_json,
    refusals,
)
from gateway.store.admin import matrices as store
from gateway.store.admin.accounts import account as account_of
from gateway.texts.sentences import TEXTS
from routing.matrix.model import Matrix
from routing.matrix.presets import PRESETS
from routing.texts.catalogue import Language
from runtime.database.pool import Conn
from runtime.failure import Failure

_NOT_SAVED = "the draft stays as it is"


def extend(app: typer.Typer) -> None:
    for name, command in (("draft", draft), ("edit", edit), ("preset", preset), ("dry-run", dry_run)):
        app.command(name)(command)
    matrix_trials.extend(app)


def draft(
    account: AccountName = None,
    file: Annotated[
        str | None, typer.Option("--from", help="make this YAML file the draft; '-' reads standard input")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="file to write it to; else standard output")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="forget all that is not published")] = False,
    rebase: Annotated[
        bool, typer.Option("--rebase", help="keep it although another version was published meanwhile")
    ] = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Show the draft as YAML, or save one: what is edited, checked and replayed before it is published.

    Example: callmatrix matrix draft --from sales-matrix.yaml
    """
    if sum((file is not None, output is not None, reset, rebase)) > 1:
        raise typer.BadParameter("only one of --from, --output, --reset and --rebase at a time")
    if file is not None:
        _tell(_saved(account, _read(read_text(file), file)), json)
    elif reset:
        confirm("All that is not published will be forgotten. Go on?", is_sure=yes or json)
        _tell(_changed(account, store.reset_draft), json)
    elif rebase:
        _tell(_changed(account, store.rebase_draft), json)
    else:
        _show(on_account(account, store.draft), output, json)


def _show(found: store.Draft, output: Path | None, json: bool) -> None:
    if json:
        print_json(found)
        return
    text = matrix_yaml(found.matrix)
    if output is None:
        print(f"# {_in_words(found)}\n{text}", end="")
    else:
        write_text(output, text)
        print(f"{_in_words(found)} Written to {output}.")


def _tell(found: store.Draft, json: bool) -> None:
    if json:
        print_json(found)
    else:
        print(
            f"{_in_words(found)} See 'callmatrix matrix check', 'difference', 'dry-run' and 'callmatrix replay'."
        )


def _in_words(found: store.Draft) -> str:
    if not found.is_changed:
        return f"The draft is version {found.based_on}, unchanged."
    return (
        f"The draft, revision {found.revision}, begun at version {found.based_on}, saved by {found.saved_by}."
    )


def _saved(account: str | None, matrix: Matrix, revision: int | None = None) -> store.Draft:
    """revision: of the draft that was seen, None = whatever is there now."""

    async def work(conn: Conn, account_id: str) -> store.Draft:
        seen = (await store.draft(conn, account_id)).revision if revision is None else revision
        return await matrices.save_draft(conn, account_id, matrix, revision=seen, by=me())

    with refusals(_NOT_SAVED):
        return on_account(account, work)


def _changed(account: str | None, do: Callable[..., Any]) -> store.Draft:
    async def work(conn: Conn, account_id: str) -> store.Draft:
        seen = await store.draft(conn, account_id)
        async with matrices.refusals(conn, account_id):
            changed: store.Draft = await do(conn, account_id, revision=seen.revision, by=me())
        return changed

    with refusals(_NOT_SAVED):
        return on_account(account, work)


def _read(text: str, where: str) -> Matrix:
    try:
        return read_matrix(text)
    except ConfigRefused as err:
        said = "\n        ".join(p.in_words() for p in err.problems)
        raise Failure(f"{where} is no matrix, {_NOT_SAVED}", said, "correct it and try again") from err


def edit(account: AccountName = None, json: Json = False) -> None:
    """Edit the draft as YAML in $VISUAL or $EDITOR, and save it. What is wrong is told, and the file kept.

    Example: EDITOR=nano callmatrix matrix edit --account sales
    """
    seen = on_account(account, store.draft)
    before = f"# {_in_words(seen)} Save the file and leave the editor to save the draft.\n{matrix_yaml(seen.matrix)}"
    handle, name = tempfile.mkstemp(prefix="callmatrix-matrix-", suffix=".yaml")
    os.close(handle)
    file = Path(name)
    write_text(file, before)
    is_kept = True
    try:
        _run_editor(file)
        after = read_text(name)
        is_kept = after != before
        if not is_kept:
            print("Nothing was changed.")
            return
        saved = _saved(account, _read(after, name), seen.revision)
        is_kept = False
    finally:
        if not is_kept:
            file.unlink(missing_ok=True)
    _tell(saved, json)


def _run_editor(file: Path) -> None:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    remedy = "set EDITOR to one that is installed, or use 'callmatrix matrix draft --output' and '--from'"
    try:
        code = subprocess.run([*shlex.split(editor), str(file)], check=False).returncode
    except (OSError, ValueError) as err:
        raise Failure(f"the editor '{editor}' cannot be started", str(err), remedy) from err
    if code:
        raise Failure(
            f"the editor '{editor}' failed, {_NOT_SAVED}", f"exit code {code}; the file is {file}", remedy
        )


def preset(
    name: Annotated[str | None, typer.Argument(help=f"one of: {', '.join(PRESETS)}; none lists them")] = None,
    account: AccountName = None,
    lang: Lang = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Make a matrix to begin with the draft.

    Example: callmatrix matrix preset recommended --account sales
    """
    if name is None:
        print_json(list(PRESETS)) if json else print("\n".join(PRESETS))
        return
    if name not in PRESETS:
        raise Failure(f"there is no preset '{name}'", "", f"one of: {', '.join(PRESETS)}")
    seen = on_account(account, store.draft)
    if seen.is_changed:
        confirm(f"{_in_words(seen)} It will be replaced. Go on?", is_sure=yes or json)
    language = chosen_language(lang)

    async def work(conn: Conn, account_id: str) -> store.Draft:
        spoken = language or (await account_of(conn, account_id)).settings.language
        matrix = PRESETS[name](spoken)
        return await matrices.save_draft(conn, account_id, matrix, revision=seen.revision, by=me())

    with refusals(_NOT_SAVED):
        saved = on_account(account, work)
    _tell(saved, json)


def dry_run(
    number: Annotated[str, typer.Argument(help="the client's, in any spelling")],
    account: AccountName = None,
    version: Annotated[str, typer.Option(help="draft, current, or the number of a version")] = "draft",
    line: Annotated[str | None, typer.Option(help="our number; else the connection's first")] = None,
    connection: Annotated[str | None, typer.Option(help="which PBX; else any of the account")] = None,
    direction: Annotated[Literal["inbound", "outbound"], typer.Option(help="who called whom")] = "inbound",
    missed: Annotated[bool, typer.Option("--missed", help="nobody answered")] = False,
    answered_by: Annotated[
        str | None, typer.Option(help="extension, SIP login or number of who answered")
    ] = None,
    talk: Annotated[int, typer.Option(min=0, max=86_400, help="seconds talked")] = 60,
    wait: Annotated[int, typer.Option(min=0, max=86_400, help="seconds before that")] = 10,
    at: Annotated[str | None, typer.Option(help="when, e.g. 2026-03-02T10:00+03:00; else now")] = None,
    param: Annotated[
        list[str] | None, typer.Option(help="what the PBX sends along, name=value; repeatable")
    ] = None,
    json: Json = False,
) -> None:
    """Run one made-up call through the draft or any version: what it would leave in the CRM. Writes nothing.

    Example: callmatrix matrix dry-run '8 903 111-22-33' --missed --param utm_source=ads
    """
    from gateway.decisions.dry_run import SampleCall

    name = version_named(version)
    if missed and answered_by is not None:
        raise typer.BadParameter("--missed and --answered-by exclude each other")
    with refusals("nothing was tried"):
        asked_at = _time(at)
    made_up = SampleCall(
        number=number,
        line=line,
        connection="",
        at=asked_at,
        direction=direction,
        is_answered=not missed,
        answered_by=answered_by,
        wait_seconds=wait,
        talk_seconds=talk,
        params=pairs(param),
    )

    async def tried(conn: Conn, account_id: str) -> tuple[list[dict[str, Any]], Language]:
        found = await matrices.try_call(conn, account_id, name, made_up, connection)
        return found, await language_of(conn, account_id, None)

    with refusals("nothing was tried"):
        found, language = on_account(account, tried)
    if json:
        print_json(found)
        return
    nothing = TEXTS[language].say("dry-run.nothing")
    for decision in found:
        print(f"{decision['message']}")
        print("\n".join(f"  -> {effect['message']}" for effect in decision["effects"]) or f"  -> {nothing}")


def _time(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    remedy = "write it as 2026-03-02T10:00+03:00"
    try:
        at = datetime.fromisoformat(text)
    except ValueError as err:
        raise InputRefused("at", f"'{text}' is no time", remedy) from err
    if at.tzinfo is None or not 2000 <= at.year < 2100:
        raise InputRefused("at", f"'{text}' has no zone, or lies outside the years 2000 to 2099", remedy)
    return at.astimezone(UTC)
