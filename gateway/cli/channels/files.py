"""`channel files`, `file` and `refetch`: files of messages listed, saved, and fetched again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from gateway.admin.channels.channels import channel_of
from gateway.admin.channels.listed_files import ListedFile, fetch_again, files_listed, kept_content
from gateway.cli.options import AccountName, Json, Lang, Limit
from gateway.cli.output import language_of, local, on_account, print_json, print_table, refusals, zone_of
from gateway.texts.sentences import TEXTS
from routing.texts.catalogue import Texts
from runtime.database.pool import Conn
from runtime.failure import Failure

_LARGEST = 2**63 - 1
FileNumber = Annotated[
    int, typer.Argument(min=1, max=_LARGEST, help="its id; see 'callmatrix channel files'")
]


def register(app: typer.Typer) -> None:
    app.command("files")(list_files)
    app.command("file")(save_file)
    app.command("refetch")(refetch)


def list_files(
    channel: Annotated[str | None, typer.Option(help="only of this one, by its name or id")] = None,
    dialogue: Annotated[
        int | None, typer.Option(min=1, max=_LARGEST, help="only of this dialogue, by its id")
    ] = None,
    state: Annotated[
        Literal["waiting", "kept", "refused"] | None,
        typer.Option(help="only those that are on their way, here, or could not be had"),
    ] = None,
    limit: Limit = 50,
    account: AccountName = None,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """List files of messages, the latest first, and why one is not here.

    Example: callmatrix channel files --channel Shop --state refused
    """

    async def work(conn: Conn, account_id: str) -> tuple[list[ListedFile], str, Texts]:
        id = (await channel_of(conn, account_id, channel)).id if channel else None
        found = await files_listed(conn, account_id, channel=id, dialogue=dialogue, state=state, limit=limit)
        texts = TEXTS[await language_of(conn, account_id, lang)]
        return found, await zone_of(conn, account_id), texts

    with refusals("nothing is listed"):
        files, zone, texts = on_account(account, work)
    if json:
        print_json([one.as_json() for one in files])
        return
    print_table(
        ["file", "at", "channel", "dialogue", "name", "size", "state", "why"],
        [
            (f.file_id, local(f.at, zone), f.channel_name, f.dialogue_id, f.name, f.size, f.state,
             texts.say(f"channel.file.{f.reason}") if f.reason else "")
            for f in files
        ],
        "There are no such files.",
    )  # fmt: skip


def save_file(
    file: FileNumber,
    to: Annotated[Path, typer.Option(help="where to; what stands there already is left alone")],
    account: AccountName = None,
    json: Json = False,
) -> None:
    """Save a file of a message on this machine. It was sent by a stranger: open it with care.

    Example: callmatrix channel file 412 --to scan.pdf
    """
    if to.exists():
        raise Failure("nothing is saved", f"'{to}' is there already", "name another file with --to")
    with refusals("nothing is saved"):
        content = on_account(account, lambda conn, id: kept_content(conn, id, file))
    try:
        with to.open("xb") as place:
            place.write(content)
    except OSError as err:
        raise Failure(
            "nothing is saved", f"'{to}' cannot be written: {err.strerror}", "name another file with --to"
        ) from err
    if json:
        print_json({"file": file, "path": str(to), "size": len(content)})
    else:
        print(f"{len(content)} bytes are in '{to}'.")


def refetch(file: FileNumber, account: AccountName = None, json: Json = False) -> None:
    """Have a file fetched again that could not be had; a worker does it.

    Example: callmatrix channel refetch 412
    """
    with refusals("nothing is fetched"):
        on_account(account, lambda conn, id: fetch_again(conn, id, file, datetime.now(UTC)))
    if json:
        print_json({"file": file, "state": "waiting"})
    else:
        print(f"File {file} is being fetched again.")
